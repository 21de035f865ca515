"""The pictures of a comparison, from the plain values of its `results.json`.

Every function returns a figure; `pictures.py` makes files of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from elmokit.report.plots import INK, MUTED, PALETTE, STYLE
from elmokit.report.study import Efficiency, RowResult, ends

Rows = Sequence[RowResult]
_COLOURS = {"tfidf": 7, "random": 7, "model": 0}  # by kind; static vectors: 1


def score_bars(rows: Rows, *, score: str, highest: float | None) -> Figure:
    """The test score of every row at the end of its bar, its interval, and its validation score as a mark.

    The axis starts near the lowest score, which the picture says.
    """
    with rc_context(STYLE):
        figure, (axis,) = _grid(1, columns=1, width=8.6, height=0.42 * len(rows) + 1.2)
        tests = [row["metrics"]["test"][score] for row in rows]
        scale = 100.0 if highest == 100 else 1.0
        lowest = min((ends(test) or (test["mean"],))[0] for test in tests)
        start = max(0.0, np.floor((lowest / scale - 0.02) * 20) / 20 * scale)
        widest = max(test["mean"] for test in tests)
        for place, (row, test) in enumerate(zip(rows, tests, strict=True)):
            colour = PALETTE[_COLOURS.get(row["kind"], 1)]
            axis.barh(place, test["mean"] - start, left=start, height=0.62, color=colour)
            low, high = ends(test) or (test["mean"], test["mean"])
            if low < high:
                axis.plot([low, high], [place, place], color=INK, linewidth=1.6, solid_capstyle="butt")
            validation = row["metrics"].get("validation")
            found = validation[score]["mean"] if validation else high
            if validation:
                axis.plot(found, place, marker="D", color="white", markeredgecolor=INK, markersize=5, zorder=3)
            inside = min(low, found) - start > 0.2 * (widest - start)
            axis.annotate(
                f"{test['mean']:.{2 if highest == 100 else 4}f}",
                (min(low, found) if inside else max(high, found), place),
                xytext=(-6 if inside else 7, 0),
                textcoords="offset points",
                ha="right" if inside else "left",
                va="center",
                fontsize=9,
                color="white" if inside else INK,
                fontweight="bold" if inside else "normal",
            )
        axis.set_yticks(range(len(rows)), [row["name"] for row in rows])
        axis.invert_yaxis()
        names = {7: "baseline", 1: "static vectors", 0: "contextual vectors"}
        there = [number for number in names if any(_COLOURS.get(row["kind"], 1) == number for row in rows)]
        marks = [Patch(color=PALETTE[number], label=names[number]) for number in there]
        axis.legend(handles=marks, ncols=len(marks), loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=9)
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
        axis.margins(x=0.06)
        axis.set_xlim(left=start)
        axis.set_xlabel(f"{score}: bar test, line 95 % interval over seeds, ◇ validation")
        if start:
            _mark_cut(axis, start)
        return figure


def _mark_cut(axis: Axes, start: float) -> None:
    """Two strokes across the axis, and a sentence: the lengths of bars are not in proportion to the scores."""
    for shift in (0.012, 0.024):
        axis.plot(
            [shift - 0.006, shift + 0.006],
            [-0.018, 0.018],
            transform=axis.transAxes,
            color=INK,
            linewidth=1.2,
            clip_on=False,
        )
    axis.annotate(
        f"axis cut: it starts at {start:g}, not at 0",
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 8),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=9,
        color=MUTED,
        fontstyle="italic",
    )


def efficiency_curves(efficiency: Efficiency, *, rows: int, score: str) -> Figure:
    """The test score by the share of labels (all of them are `rows`), with intervals."""
    shares = efficiency["shares"]
    with rc_context(STYLE):
        figure, (axis,) = _grid(1, columns=1, width=7.2, height=4.2)
        for number, (name, curve) in enumerate(efficiency["curves"].items()):
            points = [(share, value) for share, value in zip(shares, curve, strict=True) if value]
            colour = PALETTE[number % len(PALETTE)]
            axis.plot([s for s, _ in points], [v["mean"] for _, v in points], marker="o", color=colour, label=name)
            spread = [(share, *between) for share, value in points if (between := ends(value))]
            if spread:
                where, lows, highs = zip(*spread, strict=True)
                axis.fill_between(where, lows, highs, color=colour, alpha=0.15, linewidth=0)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(FixedLocator(shares))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xticks(shares, [f"{share:.0%}\n{max(1, round(share * rows)):,}" for share in shares])
        axis.set_xlabel("share of the labelled rows, and their number")
        axis.set_ylabel(f"test {score}")
        axis.legend()
        return figure


def layer_shares(rows: Rows) -> Figure:
    """λ of each layer, a group of bars a row, with intervals over seeds."""
    names = ["tokens", *(f"LSTM {number}" for number in range(1, max(len(row["lambdas"]) for row in rows)))]
    with rc_context(STYLE):
        figure, (axis,) = _grid(1, columns=1, width=max(5.0, 1.9 * len(rows) + 1.6), height=3.7)
        width = 0.8 / len(names)
        for layer, name in enumerate(names):
            there = [(place, row["lambdas"][layer]) for place, row in enumerate(rows) if layer < len(row["lambdas"])]
            places = [place + (layer - (len(names) - 1) / 2) * width for place, _ in there]
            axis.bar(places, [value["mean"] for _, value in there], width * 0.92, color=PALETTE[layer], label=name)
            for place, (_, value) in zip(places, there, strict=True):
                if between := ends(value):
                    axis.plot([place, place], between, color=INK, linewidth=1.2)
        axis.set_xticks(range(len(rows)), [row["name"] for row in rows])
        axis.tick_params(axis="x", length=0)
        axis.grid(axis="x", visible=False)
        axis.set_ylabel("λ")
        axis.legend(ncols=len(names), loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return figure


def confusion_grid(rows: Rows, *, labels: Sequence[str], split: str = "test") -> Figure:
    """The confusion matrix of every row's first seed; a cell is as dark as its share of the gold class."""
    side = min(max(2.4, 0.62 * len(labels)), 7.0)
    with rc_context({**STYLE, "axes.grid": False}):
        columns = min(len(rows), max(1, int(11 // (side + 0.8))))
        figure, axes = _grid(len(rows), columns=columns, width=side + 0.8, height=side + 0.95)
        for axis, row in zip(axes, rows, strict=True):
            counts = np.asarray(row["confusion"][split], dtype=np.int64)
            shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            _cells(axis, shares, figures=len(labels) <= 12)
            axis.set_title(f"{row['name']}\n{counts.trace() / max(int(counts.sum()), 1):.4f}", fontsize=10)
            axis.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=35, ha="right", fontsize=8)
            axis.set_yticks(np.arange(len(labels)) + 0.5, labels, fontsize=8)
        return figure


def learning_curves(rows: Rows, *, score: str) -> Figure:
    """Validation score and loss by epoch of every row's first seed."""
    with rc_context(STYLE):
        figure, axes = _grid(2, columns=2, width=5.0, height=3.7)
        for axis, (key, title) in zip(
            axes,
            {f"validation_{score}": f"validation {score}", "validation_loss": "validation loss"}.items(),
            strict=True,
        ):
            for number, row in enumerate(rows):
                epochs = [record["epoch"] for record in row["history"]]
                values = [record[key] for record in row["history"]]
                style = "-" if number < len(PALETTE) else "--"
                axis.plot(epochs, values, style, marker="o", color=PALETTE[number % len(PALETTE)], label=row["name"])
            axis.set_title(title)
            axis.set_xlabel("epoch")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
        return figure


def word_map(planes: Mapping[str, Mapping[str, Any]], *, labels: Sequence[str]) -> Figure:
    """The occurrences of one word under each method, coloured by the class of their text."""
    with rc_context({**STYLE, "axes.grid": False}):
        figure, axes = _grid(len(planes), columns=min(3, len(planes)), width=3.4, height=3.2)
        for axis, (name, plane) in zip(axes, planes.items(), strict=True):
            points, classes = np.asarray(plane["points"]), np.asarray(plane["classes"])
            for number in np.unique(classes):
                chosen = points[classes == number]
                axis.plot(
                    chosen[:, 0],
                    chosen[:, 1],
                    "o",
                    markersize=4.2,
                    alpha=0.75,
                    color=PALETTE[number % len(PALETTE)],
                    markeredgewidth=0,
                )
            share = sum(plane["explained"])
            one = f"one point for {len(points)} occurrences"
            axis.set_title(name, fontsize=10)
            axis.set_xlabel(one if share == 0 else f"{share:.0%} of the variance", fontsize=8)
            axis.set_xticks([])
            axis.set_yticks([])
            if share == 0:
                axis.set_xlim(-1, 1)
                axis.set_ylim(-1, 1)
        marks = [
            axes[0].plot([], [], "o", color=PALETTE[n % len(PALETTE)], label=label)[0] for n, label in enumerate(labels)
        ]
        figure.legend(handles=marks, loc="outside upper left", ncols=len(labels), fontsize=9)
        return figure


def _cells(axis: Axes, shares: np.ndarray, *, figures: bool) -> None:
    """Squares with the palette's blue as opaque as the share, so that they suit any background."""
    for row, column in np.ndindex(*shares.shape):
        share = float(shares[row, column])
        axis.add_patch(Rectangle((column, row), 1, 1, facecolor=PALETTE[0], alpha=share, edgecolor="none"))
        if figures:
            text = f"{100 * share:.1f}"
            axis.text(
                column + 0.5,
                row + 0.5,
                text,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share > 0.5 else INK,
            )
    axis.set_xlim(0, shares.shape[1])
    axis.set_ylim(shares.shape[0], 0)
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)


def _grid(panels: int, *, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    rows = ceil(panels / columns)
    figure = Figure(figsize=(width * columns, height * rows), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in grid[panels:]:
        axis.set_visible(False)
    return figure, list(grid[:panels])
