"""Batches: every sentence once, none too large, the longest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from elmokit.encode.batching import length_sorted_batches, windows


@given(st.lists(st.integers(0, 50)), st.integers(1, 8), st.integers(1, 100))
def test_batches_hold_every_sentence_once_within_both_limits(lengths: list[int], size: int, words: int) -> None:
    batches = length_sorted_batches(lengths, batch_size=size, max_words=words)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= size
        assert len(batch) == 1 or sum(lengths[number] for number in batch) <= words
        assert lengths[batch[0]] == max(lengths[number] for number in batch)


def test_windows_read_no_further_than_they_must() -> None:
    source = iter(range(10))
    first = next(windows(source, 4))
    assert (first, next(source)) == ([0, 1, 2, 3], 4)
    assert list(windows(range(5), 2)) == [[0, 1], [2, 3], [4]]
