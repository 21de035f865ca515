"""Ways to weight the words of a sentence by their frequencies, to be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.word_weights import WordWeights

Array = NDArray[np.float64]


class Weighting(WordWeights):
    """Weights by any function of the frequencies n / N."""

    def __init__(self, counts: Mapping[str, int], of: Callable[[Array], Array]) -> None:
        super().__init__(counts)
        self._of = of

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        return self._of(self.frequencies(words)).astype(np.float32)


def weightings(counts: Mapping[str, int]) -> dict[str, Weighting]:
    """Powers of log(1 + N / n), and a / (a + p) of Arora et al. (2017), by name."""
    return {f"log(1 + N / n)^{power:g}": Weighting(counts, partial(_logarithm, power)) for power in _POWERS} | {
        f"a / (a + p), a = {a:g}": Weighting(counts, partial(_smooth, a)) for a in _SMOOTHING
    }


_POWERS = (1, 1.25, 1.5, 1.75, 2, 3)
_SMOOTHING = (0.01, 0.003, 0.001, 0.0003, 0.0001)


def _logarithm(power: float, frequencies: Array) -> Array:
    return np.log1p(1 / frequencies) ** power


def _smooth(a: float, frequencies: Array) -> Array:
    return a / (a + frequencies)
