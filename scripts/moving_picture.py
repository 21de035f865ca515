"""The picture of the README that moves: the occurrences of one word, from the token layer through the LSTM layers.

    python scripts/moving_picture.py docs/pictures/senses.gif [--model elmo-mini] [--word bank]

The sentences are the explorer's examples; every layer is projected to its own first two principal components, turned to
lie like the next one.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from elmokit import Encoder
from elmokit.analysis.agreement import agreement
from elmokit.analysis.occurrences import Occurrence, find_occurrences, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.report.plots import INK, MUTED, PALETTE
from elmokit.web.examples import example_words
from elmokit.web.planes import pca

STILL, MOVING, PER_SECOND = 26, 18, 15  # frames at a layer and between two
Points = NDArray[np.float64]


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", default="elmo-mini")
    parser.add_argument("--word", default="bank", help="one of the explorer's examples")
    arguments = parser.parse_args()
    encoder = Encoder.from_pretrained(arguments.model)
    found, senses = occurrences(arguments.word, encoder)
    vectors = occurrence_vectors(encoder, found)  # (L, n, D)
    maps = turned([pca(layer)[0] for layer in vectors])
    right = [agreement(cosines(layer), senses) for layer in vectors]
    draw(arguments.file, maps, right, found, senses)


def occurrences(word: str, encoder: Encoder) -> tuple[list[Occurrence], list[str]]:
    """The word in the example sentences, and its sense in each."""
    example = next(each for each in example_words() if each.word == word)
    pairs = [(encoder.words(text), each.sense) for each in example.senses for text in each.sentences]
    return find_occurrences(word, [words for words, _ in pairs]), [sense for _, sense in pairs]


def turned(maps: list[Points]) -> list[Points]:
    """Each map scaled to a deviation of 1 and rotated or mirrored to lie like the next (Procrustes)."""
    scaled = [points / max(float(points.std()), 1e-9) if points.std() > 1e-6 else 0 * points for points in maps]
    result = [scaled[-1]]
    for points in reversed(scaled[:-1]):
        left, _, right = np.linalg.svd(points.T @ result[0])
        result.insert(0, points @ (left @ right))
    return result


def path_of(maps: list[Points]) -> list[tuple[Points, int]]:
    """Points of every frame, and the layer they are at or going to."""
    frames = [(maps[0], 0)] * STILL
    for layer, (before, after) in enumerate(pairwise(maps), 1):
        for step in (1 - np.cos(np.pi * np.arange(1, MOVING + 1) / MOVING)) / 2:
            frames.append((before + step * (after - before), layer))
        frames += [(after, layer)] * STILL
    return frames


def draw(path: Path, maps: list[Points], right: list[float], found: list[Occurrence], senses: list[str]) -> None:
    """Write the GIF."""
    matplotlib.use("Agg")
    names = ["token layer: characters alone", *(f"LSTM layer {n}" for n in range(1, len(maps)))]
    colours = {sense: PALETTE[number] for number, sense in enumerate(dict.fromkeys(senses))}
    figure = Figure(figsize=(7.2, 4.3), dpi=100, facecolor="white")
    axis = figure.add_axes((0.02, 0.15, 0.96, 0.73))
    reach = 1.25 * max(float(abs(points).max()) for points in maps)
    shown = {s: next(w for w, each in zip(found, senses, strict=True) if each == s) for s in colours}
    frames = path_of(maps)

    def frame(number: int) -> list[Any]:
        points, layer = frames[number]
        axis.clear()
        axis.set_axis_off()
        axis.set_xlim(-reach, reach)
        axis.set_ylim(-reach, reach)
        word = found[0].word.lower()
        title = f"“{word}” in {len(found)} sentences: {names[layer]}"
        axis.set_title(title, loc="left", color=INK, fontsize=13, weight="bold")
        told = (
            f"in {right[layer]:.0%} of them the nearest vector has the same sense"
            if layer
            else "one vector for all of them"
        )
        axis.text(0, 1.0, told, transform=axis.transAxes, color=MUTED, fontsize=10.5, va="top")
        for sense, colour in colours.items():
            own = np.array([each == sense for each in senses])
            label = f"{sense}: {' '.join(shown[sense].words).replace(' .', '.')}"
            axis.scatter(
                points[own, 0], points[own, 1], s=70, color=colour, alpha=0.85, edgecolors="white", label=label
            )
        axis.legend(loc="upper left", bbox_to_anchor=(0, 0), frameon=False, fontsize=9.5, borderaxespad=0.2)
        return []

    path.parent.mkdir(parents=True, exist_ok=True)
    FuncAnimation(figure, frame, frames=len(frames)).save(path, writer=PillowWriter(fps=PER_SECOND))


if __name__ == "__main__":
    main()
