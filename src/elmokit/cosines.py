"""Cosine similarity of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_SHORTEST = 1e-9  # a vector of zeros has the cosine 0 with every other


def unit(vectors: NDArray[np.floating[Any]]) -> Array:
    """Vectors (…, D) scaled to length 1, in float32; a vector of zeros stays one."""
    wide = vectors.astype(np.float32)
    scaled: Array = wide / _lengths(wide)[..., None]
    return scaled


def cosines(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]] | None = None) -> Array:
    """The cosine of each vector of `one` with each of `other`.

    Args:
        one: (…, n, D)
        other: (…, m, D); `one` itself by default.

    Returns:
        (…, n, m), in float32, from −1 to 1.
    """
    left = one.astype(np.float32, copy=False)
    right = left if other is None else other.astype(np.float32, copy=False)
    found: Array = left @ right.swapaxes(-1, -2)
    found /= _lengths(left)[..., :, None]
    found /= _lengths(right)[..., None, :]
    return found.clip(-1, 1)


def paired_cosines(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> Array:
    """(…) the cosine of each vector of `one` (…, D) with the one in the same place of `other`."""
    left, right = one.astype(np.float32, copy=False), other.astype(np.float32, copy=False)
    found: Array = (left * right).sum(axis=-1) / (_lengths(left) * _lengths(right))
    return found.clip(-1, 1)


def _lengths(vectors: Array) -> Array:
    lengths: Array = np.linalg.norm(vectors, axis=-1).clip(_SHORTEST)
    return lengths
