"""The pictures that every trained head gets: its learning curves and, where λ is known, its layer weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from elmokit.report import plots
from elmokit.tasks.report import EpochRecord


def draw_history(folder: Path, history: Sequence[EpochRecord], scores: Mapping[str, str], *, title: str) -> None:
    """curves.png and, when λ is known, layer_weights.png.

    Args:
        folder: Where to.
        history: A record an epoch.
        scores: Validation scores to draw, by name, with their label; those that were not measured are left out.
        title: Of the pictures.
    """
    epochs = [record.epoch for record in history]
    panels = {
        "loss": {
            "train (running)": [_number(record.train_loss) for record in history],
            "validation": [_number(record.validation["loss"]) for record in history],
        },
        "validation score": {
            label: [_number(record.validation[name]) for record in history]
            for name, label in scores.items()
            if name in history[0].validation
        },
    }
    plots.learning_curves(folder / "curves.png", panels, x=epochs, title=title)
    lambdas = [record.lambdas for record in history if record.lambdas is not None]
    if lambdas:
        plots.layer_weights(
            folder / "layer_weights.png",
            lambdas,
            gammas=[_number(record.gamma) for record in history if record.lambdas is not None],
            layers=["tokens", *(f"LSTM {number}" for number in range(1, len(lambdas[0])))],
            x=[record.epoch for record in history if record.lambdas is not None],
            title=title,
        )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
