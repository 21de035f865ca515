"""Vectors of the uses of a word, layer by layer, onto a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.cosines import unit
from elmokit.analysis.senses import Use
from elmokit.encode.encoder import Encoder

Array = NDArray[np.float32]
Points = NDArray[np.float64]
LEAST_TSNE = 5


def layer_names(encoder: Encoder) -> list[tuple[int | None, str]]:
    """Number and name of each layer, and of the trained mix where there is one."""
    names: list[tuple[int | None, str]] = [(0, "tokens")]
    names += [(number, f"LSTM {number}") for number in range(1, encoder.n_layers)]
    return [*names, (None, "mix")] if encoder.mix is not None else names


def use_vectors(encoder: Encoder, uses: Sequence[Use]) -> Array:
    """(V, n, D): the word of each use in every layer that `layer_names` names."""
    sentences = [use.words for use in uses]
    layers = encoder.stream(sentences, layers="all", is_split_into_words=True)
    found = [array[:, use.place] for array, use in zip(layers, uses, strict=True)]  # (L, D) each
    stacked = np.stack(found, axis=1)
    if encoder.mix is None:
        return stacked
    mixes = encoder.stream(sentences, layers="mix", is_split_into_words=True)
    mixed = np.stack([array[use.place] for array, use in zip(mixes, uses, strict=True)])
    return np.concatenate([stacked, mixed[None]])


def cosines(vectors: Array) -> Array:
    """(n, n) of vectors (n, D)."""
    lengths = unit(vectors)
    found: Array = (lengths @ lengths.T).clip(-1, 1)
    return found


def pca(vectors: Array) -> tuple[Points, list[float]]:
    """Vectors (n, D) to points (n, 2), and the share of the variance on each axis; all 0 where they are one point."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    total = float((sizes**2).sum())
    points = np.zeros((len(vectors), 2))
    if total <= 1e-9 * max(float((vectors.astype(np.float64) ** 2).sum()), 1e-30):
        return points, [0.0, 0.0]
    count = min(2, len(sizes))
    points[:, :count] = left[:, :count] * sizes[:count]
    shares = [float(size**2) / total for size in sizes[:count]]
    return points, [*shares, *[0.0] * (2 - count)]


def tsne(vectors: Array, start: Points, *, seed: int) -> Points:
    """t-SNE (van der Maaten & Hinton 2008) of vectors (n, D) by cosine distance, from the PCA (n, 2) on."""
    from sklearn.manifold import TSNE

    spread = float(start[:, 0].std())
    if spread == 0 or len(vectors) < LEAST_TSNE:
        return start
    first = (start / spread * 1e-4).astype(np.float32)
    distances = np.maximum(1 - cosines(vectors), 0)
    np.fill_diagonal(distances, 0)
    projection = TSNE(
        perplexity=min(30.0, (len(vectors) - 1) / 3), metric="precomputed", init=first, random_state=seed, max_iter=500,
    )  # fmt: skip
    found: Points = projection.fit_transform(distances).astype(np.float64)
    centred: Points = found - found.mean(axis=0)
    return centred


def turned(points: Points, like: Points) -> Points:
    """Points (n, 2) turned and mirrored to lie as near `like` as they can (Procrustes), distances unchanged."""
    left, _, right = np.linalg.svd(points.T @ like)
    found: Points = points @ (left @ right)
    return found


def agreement(similarity: Array, senses: Sequence[str | None]) -> float | None:
    """Share of uses whose nearest use has the same sense; uses of an unknown sense, or one that stands once, aside."""
    known = [number for number, sense in enumerate(senses) if sense is not None]
    counted = [number for number in known if senses.count(senses[number]) > 1]
    if len({senses[number] for number in known}) < 2 or not counted:
        return None
    right = 0
    for number in counted:
        others = [other for other in known if other != number]
        nearest = max(others, key=lambda other: float(similarity[number, other]))
        right += senses[nearest] == senses[number]
    return right / len(counted)


def rounded(values: NDArray[np.floating], places: int = 4) -> list[list[float]]:
    """As lists, short enough for JSON."""
    shown: list[list[float]] = np.round(values.astype(np.float64), places).tolist()
    return shown
