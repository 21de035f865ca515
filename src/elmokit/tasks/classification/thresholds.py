"""The probability from which a text has a label, where it may have several: chosen on the validation rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEWEST = 10
"""Validation rows with a label that a threshold of its own needs; with fewer it would be that of single rows."""


def chosen_thresholds(
    gold: NDArray[Any], probabilities: NDArray[Any], *, given: float | None = None
) -> NDArray[np.float64]:
    """(K,) for each label the threshold with the best F1; labels of few rows share the one with the best micro F1.

    Args:
        gold: (N, K) 1 where a row has a label.
        probabilities: (N, K).
        given: One that is taken for all labels.
    """
    if given is not None:
        return np.full(gold.shape[1], given)
    common = best_threshold(gold.ravel(), probabilities.ravel())
    own = [
        best_threshold(gold[:, label], probabilities[:, label]) if gold[:, label].sum() >= _FEWEST else common
        for label in range(gold.shape[1])
    ]
    return np.array(own, dtype=np.float64)


def best_threshold(gold: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """The threshold with the best F1, half way to the next lower probability; 0.5 where no row has the label.

    Args:
        gold: (N,) 0 or 1.
        probabilities: (N,).
    """
    from sklearn.metrics import precision_recall_curve

    if not gold.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(gold, probabilities)
    sums = (precision + recall)[:-1]  # the last point has no threshold
    f1 = np.divide(2 * (precision * recall)[:-1], sums, out=np.zeros_like(sums), where=sums > 0)
    best = int(f1.argmax())
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2)
