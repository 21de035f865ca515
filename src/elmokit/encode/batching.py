"""Batches of sentences of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def length_sorted_batches(lengths: Sequence[int], *, batch_size: int, max_words: int) -> list[list[int]]:
    """Sentence numbers in batches, longest first; at most `batch_size` sentences and `max_words` words a batch.

    A sentence longer than `max_words` has a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    batches: list[list[int]] = []
    words = 0
    for number in order:
        if not batches or len(batches[-1]) == batch_size or words + lengths[number] > max_words:
            batches.append([])
            words = 0
        batches[-1].append(number)
        words += lengths[number]
    return batches


def word_windows(
    sentences: Iterable[_T], *, words: Callable[[_T], int], most_sentences: int, most_words: int
) -> Iterator[list[_T]]:
    """Lists of sentences of at most `most_sentences` and `most_words` (one longer sentence makes a list of its own).

    `words` says how many words an item has.
    """
    window: list[_T] = []
    held = 0
    for sentence in sentences:
        count = words(sentence)
        if window and (len(window) == most_sentences or held + count > most_words):
            yield window
            window, held = [], 0
        window.append(sentence)
        held += count
    if window:
        yield window


def windows(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of up to `size` items, read as they are needed."""
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window
