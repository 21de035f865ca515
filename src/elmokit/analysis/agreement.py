"""Do nearest neighbours have the same label? How well vectors separate senses, tags or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cosines = NDArray[np.floating[Any]]


def neighbours_agree(
    cosines: Cosines, labels: Sequence[str], others: Sequence[str] | None = None, *, count: int = 1
) -> NDArray[np.bool_]:
    """Whether the `count` nearest neighbours of each item have its label.

    Args:
        cosines: (…, n, m) of each item with each candidate, minus infinity where the two must not be compared. An item
            is not compared with itself.
        labels: n labels of the items.
        others: m labels of the candidates; the items themselves are the candidates by default.
        count: Neighbours of each item.

    Returns:
        (…, n, count), the nearest first.
    """
    if others is None:
        cosines = cosines.copy()
        itself = np.arange(len(labels))
        cosines[..., itself, itself] = -np.inf
    if count == 1:
        nearest = cosines.argmax(axis=-1)[..., None]
    else:
        nearest = np.argsort(-cosines, axis=-1, kind="stable")[..., :count]
    known = np.array(labels if others is None else others)
    agree: NDArray[np.bool_] = known[nearest] == np.array(labels)[:, None]
    return agree


def agreement(cosines: Cosines, labels: Sequence[str], *, count: int = 1) -> float:
    """The share of nearest neighbours that have the label of their item, see `neighbours_agree`."""
    return float(neighbours_agree(cosines, labels, count=count).mean())
