"""Batches of sentences of like length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def length_sorted_batches(lengths: Sequence[int], *, batch_size: int, max_words: int) -> list[list[int]]:
    """Sentence numbers in batches, longest first; at most `batch_size` sentences and `max_words` places a batch.

    A sentence longer than `max_words` has a batch of its own. Padding costs memory, not time: the biLM packs its rows.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    batches: list[list[int]] = []
    for number in order:
        open_batch = batches[-1] if batches else None
        longest = lengths[open_batch[0]] if open_batch else 0
        fits = open_batch is not None and len(open_batch) < batch_size and (len(open_batch) + 1) * longest <= max_words
        if open_batch is not None and fits:
            open_batch.append(number)
        else:
            batches.append([number])
    return batches


def word_windows(
    sentences: Iterable[Sequence[str]], *, most_sentences: int, most_words: int
) -> Iterator[list[Sequence[str]]]:
    """Lists of sentences of at most `most_sentences` and `most_words` (one longer sentence stands alone)."""
    window: list[Sequence[str]] = []
    words = 0
    for sentence in sentences:
        if window and (len(window) == most_sentences or words + len(sentence) > most_words):
            yield window
            window, words = [], 0
        window.append(sentence)
        words += len(sentence)
    if window:
        yield window


def windows(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of up to `size` items, read as they are needed."""
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window
