"""The learning curve of a pretraining run, in the style of `plots.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elmokit.report.plots import learning_curves

_PERPLEXITIES = {
    "training (running)": "train_perplexity",
    "held out, forward": "valid_forward",
    "held out, backward": "valid_backward",
}
_HITS = {"most likely word": "next_word_top1", "among the five most likely": "next_word_top5"}


def draw_learning_curve(
    history: Sequence[Mapping[str, Any]], path: Path, *, by_step: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Perplexity by epoch and, where text was held out, how often the next word was guessed.

    ``history`` has a mapping an epoch with the keys of ``metrics.json``; a series that lacks an epoch is left out.
    Where there are evaluations ``by_step``, perplexity is drawn by update from them alone.
    """
    if by_step:
        x = [row["step"] for row in by_step]
        learning_curves(
            path, {"perplexity": _series(by_step, _PERPLEXITIES)}, x=x, x_label="update", title="Pretraining"
        )
        return
    panels = {"perplexity": _series(history, _PERPLEXITIES), "next word guessed, share": _series(history, _HITS)}
    drawn = {name: series for name, series in panels.items() if series}
    learning_curves(path, drawn, x=[row["epoch"] for row in history], title="Pretraining", from_zero=True)


def _series(history: Sequence[Mapping[str, Any]], keys: Mapping[str, str]) -> dict[str, list[float]]:
    found = {label: [float(row[key]) for row in history if row.get(key) is not None] for label, key in keys.items()}
    return {label: values for label, values in found.items() if len(values) == len(history)}
