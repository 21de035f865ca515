"""Vectors of the occurrences of a word, layer by layer, projected to a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.agreement import neighbours_agree
from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.encode.encoder import Encoder

Array = NDArray[np.float32]
Points = NDArray[np.float64]
LEAST_TSNE = 5


def layer_names(encoder: Encoder) -> list[tuple[int | None, str]]:
    """Number and name of each layer, and of the trained mix where there is one."""
    names: list[tuple[int | None, str]] = [(0, "tokens")]
    names += [(number, f"LSTM {number}") for number in range(1, encoder.n_layers)]
    return [*names, (None, "mix")] if encoder.mix is not None else names


def view_vectors(encoder: Encoder, occurrences: Sequence[Occurrence]) -> Array:
    """(V, n, D): the word of each occurrence in every layer that `layer_names` names."""
    stacked = occurrence_vectors(encoder, occurrences)
    if encoder.mix is None:
        return stacked
    return np.concatenate([stacked, occurrence_vectors(encoder, occurrences, layers="mix")[None]])


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
        perplexity=min(30.0, (len(vectors) - 1) / 3), metric="precomputed", init=first, random_state=seed, max_iter=500
    )
    found: Points = projection.fit_transform(distances).astype(np.float64)
    centred: Points = found - found.mean(axis=0)
    return centred


def turned(points: Points, like: Points) -> Points:
    """Points (n, 2) turned and mirrored to lie as near `like` as they can (Procrustes), distances unchanged."""
    left, _, right = np.linalg.svd(points.T @ like)
    found: Points = points @ (left @ right)
    return found


def sense_agreement(similarity: Array, senses: Sequence[str | None]) -> float | None:
    """`agreement` of occurrences with a known sense that another one has, too; None with fewer than two senses."""
    known = [number for number, sense in enumerate(senses) if sense is not None]
    counted = [number for number in known if senses.count(senses[number]) > 1]
    labels = [str(senses[number]) for number in known]
    if len(set(labels)) < 2 or not counted:
        return None
    agree = neighbours_agree(similarity[np.ix_(known, known)], labels)[:, 0]
    return float(agree[np.isin(known, counted)].mean())


def rounded(values: NDArray[np.floating], places: int = 4) -> list[list[float]]:
    """As lists, short enough for JSON."""
    shown: list[list[float]] = np.round(values.astype(np.float64), places).tolist()
    return shown


def between_senses(points: Points, senses: Sequence[str]) -> float:
    """The share of the spread of points (n, 2) that lies between the means of their senses; 0 for a single point."""
    centred = points - points.mean(axis=0)
    total = float((centred**2).sum())
    if total == 0:
        return 0.0
    labels = np.array(senses)
    groups = [centred[labels == sense] for sense in set(senses)]
    return sum(len(group) * float((group.mean(axis=0) ** 2).sum()) for group in groups) / total
