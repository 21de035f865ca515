"""Vectors made ready for cosines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Vectors (…, D) of length 1 in float32; a vector of zeros stays one."""
    wide = vectors.astype(np.float32)
    scaled: NDArray[np.float32] = wide / np.linalg.norm(wide, axis=-1, keepdims=True).clip(1e-9)
    return scaled
