"""Answers in characters as words, passages as windows: against looking at every word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.tasks.question_answering.spans import WordSpan, covering_words, windows
from elmokit.text.words import word_spans

TEXT = st.text(alphabet="ab.,-' é日\n", min_size=1, max_size=25)


@given(text=TEXT, data=st.data())
def test_the_words_that_a_span_touches(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    spans = word_spans(text)
    found = covering_words(np.asarray(spans, dtype=np.int32).reshape(-1, 2), start, end)
    touched = [number for number, (first, stop) in enumerate(spans) if first < end and start < stop]
    if not touched:
        assert found is None
        return
    assert found is not None
    assert list(range(found.first, found.last + 1)) == touched
    assert found.exact == ((spans[touched[0]][0], spans[touched[-1]][1]) == (start, end))
    if text[start:end].strip() == text[start:end]:
        assert text[start:end] in text[spans[found.first][0] : spans[found.last][1]]


def test_an_answer_that_cuts_a_word() -> None:
    text = "the 1973–74 crisis"
    words = np.asarray(word_spans(text), dtype=np.int32)
    place = text.index("1973")
    span = covering_words(words, place + 1, place + 3)
    assert span is not None
    assert not span.exact
    assert covering_words(words, 0, 3) == WordSpan(0, 0, True)


@given(length=st.integers(0, 60), max_words=st.integers(1, 20), data=st.data())
def test_windows_cover_every_word_and_short_spans_whole(length: int, max_words: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, max_words))
    found = windows(length, max_words=max_words, stride=stride)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(stop - start == min(length, max_words) for start, stop in found)
    assert {word for start, stop in found for word in range(start, stop)} == set(range(length))
    assert [start for start, _ in found] == sorted({start for start, _ in found})
    overlap = max_words - stride  # a span of this many words and one more is whole in some window
    for first in range(length - overlap):
        assert any(start <= first and first + overlap < stop for start, stop in found)


def test_windows_by_hand() -> None:
    assert windows(10, max_words=10, stride=5) == [(0, 10)]
    with pytest.raises(ValueError, match=r"stride is 11; expected 1 to max_words \(10\)"):
        windows(30, max_words=10, stride=11)
    assert windows(11, max_words=10, stride=5) == [(0, 10), (1, 11)]
    assert windows(23, max_words=10, stride=5) == [(0, 10), (5, 15), (10, 20), (13, 23)]


@pytest.mark.parametrize(("start", "end"), [(3, 4), (0, 1)])
def test_a_place_without_words(start: int, end: int) -> None:
    words = np.asarray([(1, 3), (4, 5)], dtype=np.int32)
    assert covering_words(words, start, end) is None
    assert covering_words(np.zeros((0, 2), dtype=np.int32), start, end) is None
