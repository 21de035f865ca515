"""Pictures of a run: learning curves, confusion matrices, layer weights.

Plain numbers in, a PNG out; nothing here knows of models. Drawn on matplotlib's Agg canvas without pyplot, so that no
window system is needed and no global state is left behind. The colours keep their order and meaning in every picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from elmokit.whole_files import replacing

# Distinguishable with the common colour-vision deficiencies (after Okabe & Ito 2008), darkened for white paper.
PALETTE = ("#1f5fa8", "#d1661b", "#2a8a5d", "#a8407a", "#7a6a1e", "#4aa3c7", "#6b4fa0", "#555555")
INK, MUTED, GRID = "#1e2530", "#5c6675", "#e3e7ec"
BLUES = LinearSegmentedColormap.from_list("elmokit", ["#ffffff", "#d5e3f3", "#7fabd8", "#1f5fa8", "#123a68"])
STYLE: Any = {
    "font.size": 10.0,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "text.color": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 4.5,
}

Series = Mapping[str, Sequence[float]]


def learning_curves(
    path: Path,
    panels: Mapping[str, Series],
    *,
    x: Sequence[float] | None = None,
    x_label: str = "epoch",
    title: str = "",
    from_zero: bool = False,
) -> Path:
    """One panel a measure ("loss", "accuracy"), one line a series ("train", "validation"), written to `path`.

    A series shorter than `x` is drawn over the first points; NaN leaves a gap. Without `x` points count from 1.
    `from_zero` starts the vertical axes at 0.
    """
    with rc_context(STYLE):
        figure, axes = _row(len(panels), width=5.2, height=3.7)
        for axis, (measure, series) in zip(axes, panels.items(), strict=True):
            for colour, (name, values) in zip(_colours(len(series)), series.items(), strict=True):
                places = list(x)[: len(values)] if x is not None else list(range(1, len(values) + 1))
                axis.plot(places, list(values), marker="o", color=colour, label=name)
            axis.set_title(measure)
            axis.set_xlabel(x_label)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axis.margins(x=0.04, y=0.12)
            if from_zero:
                axis.set_ylim(bottom=0)
            axis.legend()
        return _write(figure, path, title=title)


def confusion_matrices(
    path: Path, matrices: Mapping[str, Sequence[Sequence[int]]], *, labels: Sequence[str], title: str = ""
) -> Path:
    """One panel a split; the colour is the share of the gold class, the figures are shares and rows."""
    many = len(labels) > 12  # then figures no longer fit their cells
    side, size = min(max(3.6, 0.85 * len(labels)), 9.0), 9.5 if len(labels) <= 6 else 7.0
    with rc_context({**STYLE, "axes.grid": False}):
        figure, axes = _row(len(matrices), width=side + 1.0, height=side + 0.7)
        for axis, (split, rows) in zip(axes, matrices.items(), strict=True):
            counts = np.asarray(rows, dtype=np.int64)
            shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            axis.imshow(shares, cmap=BLUES, vmin=0.0, vmax=1.0)
            correct = counts.trace() / max(int(counts.sum()), 1)
            axis.set_title(f"{split}: accuracy {correct:.4f}, {int(counts.sum()):,} rows", fontsize=10.5)
            axis.set_xticks(range(len(labels)), labels, rotation=35 if max(map(len, labels)) > 4 else 0, ha="right")
            axis.set_yticks(range(len(labels)), labels)
            axis.set_xlabel("predicted")
            if axis is axes[0]:
                axis.set_ylabel("gold")
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
            for row, column in () if many else np.ndindex(*counts.shape):
                colour = "white" if shares[row, column] > 0.55 else INK
                text = f"{100 * shares[row, column]:.1f} %\n{counts[row, column]:,}"
                axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size, linespacing=1.35)
        return _write(figure, path, title=title)


def layer_weights(
    path: Path,
    weights: Sequence[Sequence[float]],
    *,
    gammas: Sequence[float],
    layers: Sequence[str] | None = None,
    x: Sequence[float] | None = None,
    title: str = "",
) -> Path:
    """λ of every layer and γ by epoch: `weights` is (epochs, layers), `gammas` (epochs,). Equal ones show as rings."""
    table = np.asarray(weights, dtype=np.float64)  # (E, L)
    names = list(layers) if layers is not None else [f"layer {index}" for index in range(table.shape[1])]
    places = list(x) if x is not None else list(range(1, len(table) + 1))
    with rc_context(STYLE):
        figure, axes = _row(2, width=5.2, height=3.7)
        for index, (name, colour) in enumerate(zip(names, _colours(len(names)), strict=True)):
            shares = table[:, index]  # (E,)
            hidden_by = sum(np.allclose(shares, later, atol=1e-3) for later in table.T[index + 1 :])
            axes[0].plot(
                places,
                shares,
                marker="o",
                color=colour,
                label=name,
                linewidth=2.0 + 1.6 * hidden_by,
                markersize=4.5 + 3.0 * hidden_by,
            )
        axes[0].axhline(
            1 / table.shape[1], color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), label="uniform", zorder=1
        )
        axes[0].set_title("λ: share of each layer")
        axes[1].plot(places, list(gammas), marker="o", color=PALETTE[0])
        axes[1].set_title("γ: scale of the mix")
        for axis in axes:
            axis.set_xlabel("epoch")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axis.margins(x=0.04, y=0.12)
            low, high = axis.get_ylim()
            if high - low < 0.1:  # rounding errors of a constant look constant
                axis.set_ylim((low + high) / 2 - 0.05, (low + high) / 2 + 0.05)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=len(names) + 1, fontsize=9)
        return _write(figure, path, title=title)


def _row(panels: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width * panels, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, squeeze=False)
    return figure, list(axes[0])


def _colours(count: int) -> list[str]:
    return [PALETTE[index % len(PALETTE)] for index in range(count)]


def _write(figure: Figure, path: Path, *, title: str) -> Path:
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=150, format="png", facecolor="white")
    return path
