"""The learning curve of a pretraining run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def draw_learning_curve(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Perplexity by epoch, on training text and held out in each direction (keys as in a run's ``metrics.json``)."""
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    series = {
        "training": ("train_perplexity", "#8a8f98", "--"),
        "held out, forward": ("valid_forward", "#2a6fbb", "-"),
        "held out, backward": ("valid_backward", "#d1702a", "-"),
        "held out, mean": ("valid_perplexity", "#222222", "-"),
    }
    for label, (key, colour, style) in series.items():
        values = [row[key] for row in history if row.get(key) is not None]
        if len(values) == len(epochs):
            axes.plot(epochs, values, style, color=colour, marker="o", markersize=4, label=label)
            axes.annotate(
                f"{values[-1]:,.0f}", (epochs[-1], values[-1]), xytext=(6, 0), textcoords="offset points",
                va="center", fontsize=8, color=colour,
            )  # fmt: skip
    axes.set(xlabel="epoch", ylabel="perplexity", yscale="log", title="Pretraining: perplexity by epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    partial = path.with_suffix(".partial.png")
    figure.savefig(partial, dpi=150)
    partial.replace(path)
