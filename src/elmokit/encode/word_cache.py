"""The context-free vectors of words in NumPy, kept from call to call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Compute = Callable[[list[str]], Array]

_BYTES = 64 << 20


class WordCache:
    """Words and their vectors (P,), the least recently used first; those go when there are too many.

    Attributes:
        capacity: Words that stay from call to call; a single call may need more.
    """

    def __init__(self, compute: Compute, *, dim: int, capacity: int | None = None) -> None:
        """`compute` gives the vectors (n, P) of n distinct words."""
        self._compute, self._dim = compute, dim
        self.capacity = capacity if capacity is not None else _BYTES // (4 * dim)
        self._kept: dict[str, Array] = {}
        self._lock = Lock()

    def __call__(self, words: Sequence[str]) -> Array:
        """(n, P) of distinct words."""
        with self._lock:
            missing = [word for word in words if word not in self._kept]
            computed = dict(zip(missing, self._compute(missing), strict=True)) if missing else {}
            for word in words:
                self._kept[word] = self._kept.pop(word) if word in self._kept else computed[word].copy()
            vectors = [self._kept[word] for word in words]
            for oldest in list(self._kept)[: max(len(self._kept) - self.capacity, 0)]:
                del self._kept[oldest]
            return np.stack(vectors) if vectors else np.zeros((0, self._dim), dtype=np.float32)

    def clear(self) -> None:
        """Forget every word."""
        with self._lock:
            self._kept = {}

    def contents(self) -> tuple[list[str], Array]:
        """The words and their vectors (n, P)."""
        with self._lock:
            kept = list(self._kept.values())
            return list(self._kept), np.stack(kept) if kept else np.zeros((0, self._dim), dtype=np.float32)

    def restore(self, words: Sequence[str], vectors: Array) -> None:
        """Back to what `contents` gave."""
        with self._lock:
            self._kept = dict(zip(words, np.array(vectors, dtype=np.float32), strict=True))

    def __getstate__(self) -> dict[str, object]:
        """What a pickle needs: a lock belongs to one process."""
        return {"compute": self._compute, "dim": self._dim, "capacity": self.capacity}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]
