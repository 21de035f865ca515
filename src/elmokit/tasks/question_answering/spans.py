"""Spans of characters as spans of words, and long passages as windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int32]  # (words, 2): where each word of a text starts and ends, increasing, without overlap


class WordSpan(NamedTuple):
    """The words `first` to `last` (inclusive) of a passage; `exact`: their borders are those of the characters."""

    first: int
    last: int
    exact: bool


def covering_words(words: Offsets, start: int, end: int) -> WordSpan | None:
    """The fewest words that cover the characters `start` to `end` (behind the last); None where no word lies there."""
    first = int(np.searchsorted(words[:, 1], start, side="right"))  # the first word that ends behind `start`
    last = int(np.searchsorted(words[:, 0], end, side="left")) - 1  # the last word that starts before `end`
    if last < first:
        return None
    return WordSpan(first, last, int(words[first, 0]) == start and int(words[last, 1]) == end)


def windows(length: int, *, max_words: int, stride: int) -> list[tuple[int, int]]:
    """The windows (start, stop) in which a passage of `length` words is read.

    They begin every `stride` words, the last one ends with the passage; a passage of `max_words` or fewer has one.

    Raises:
        ValueError: A stride above `max_words`, which would leave words out, or below 1.
    """
    if not 1 <= stride <= max_words:
        raise ValueError(f"stride is {stride}; expected 1 to max_words ({max_words}).")
    if length <= max_words:
        return [(0, length)]
    starts = [*range(0, length - max_words, stride), length - max_words]
    return [(start, start + max_words) for start in starts]
