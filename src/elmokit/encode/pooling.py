"""The vector of a sentence from those of its words."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError

Pooling = Literal["mean", "max", "mean+max", "weighted"]
Part = Literal["mean", "max", "weighted"]

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
PARTS: dict[Pooling, tuple[Part, ...]] = {
    "mean": ("mean",),
    "max": ("max",),
    "mean+max": ("mean", "max"),
    "weighted": ("weighted",),
}
"""What a pooling is made of; the parts stand one behind the other in each vector."""

Array = NDArray[np.float32]


def check_pooling(pooling: str) -> None:
    """
    Raises:
        ConfigError: No pooling of that name.
    """
    if pooling not in POOLINGS:
        raise ConfigError(f"Unknown pooling {pooling!r}. Expected one of: {', '.join(POOLINGS)}.")


def pooled(vectors: Array, part: Part, weights: Array | None = None) -> Array:
    """(…, words, D) to (…, D); zero where there are no words.

    Args:
        vectors: Of the words.
        part: The mean, the maximum of each dimension, or the weighted mean.
        weights: (words,) positive, of the weighted mean.
    """
    if not vectors.shape[-2]:
        return np.zeros((*vectors.shape[:-2], vectors.shape[-1]), dtype=np.float32)
    if part == "max":
        return np.asarray(vectors.max(axis=-2), dtype=np.float32)
    if part == "weighted":
        assert weights is not None
        return np.asarray((weights / weights.sum()) @ vectors, dtype=np.float32)
    return np.asarray(vectors.mean(axis=-2), dtype=np.float32)
