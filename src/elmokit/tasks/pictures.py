"""The pictures that every trained head gets: its learning curves and, where λ is known, its layer weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elmokit.report import plots


def draw_history(folder: Path, history: Sequence[Mapping[str, Any]], scores: Mapping[str, str], *, title: str) -> None:
    """curves.png and, when λ is known, layer_weights.png.

    Args:
        folder: Where to.
        history: A record an epoch, as of `elmokit.tasks.trainer.history`.
        scores: Validation scores to draw, by name, with their label.
        title: Of the pictures.
    """
    epochs = [record["epoch"] for record in history]
    panels = {
        "loss": {
            "train (running)": [_number(record["train_loss"]) for record in history],
            "validation": [_number(record["validation_loss"]) for record in history],
        },
        "validation score": {
            label: [_number(record[f"validation_{name}"]) for record in history] for name, label in scores.items()
        },
    }
    plots.learning_curves(folder / "curves.png", panels, x=epochs, title=title)
    mixed = [record for record in history if "lambdas" in record]
    if mixed:
        names = ["tokens", *(f"LSTM {number}" for number in range(1, len(mixed[0]["lambdas"])))]
        plots.layer_weights(
            folder / "layer_weights.png",
            [record["lambdas"] for record in mixed],
            gammas=[record["gamma"] for record in mixed],
            layers=names,
            x=[record["epoch"] for record in mixed],
            title=title,
        )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
