"""Offsets of words: those of the raw text, whatever clean-up did before splitting."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.text.normalize import STEPS
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_offsets import joined_offsets, word_offsets


def shown(text: str, *steps: str, pre_split: bool = False) -> list[tuple[str, str | None]]:
    """Each word beside what stands at its offsets."""
    words = Preprocessing(text_steps=list(steps)).words(text, pre_split=pre_split)
    spans = word_offsets(text, words, pre_split=pre_split)
    return [(word, None if span is None else text[slice(*span)]) for word, span in zip(words, spans, strict=True)]


def test_words_as_they_stand() -> None:
    assert shown("  I can't, he said.") == [
        ("I", "I"), ("ca", "ca"), ("n't", "n't"), (",", ","), ("he", "he"), ("said", "said"), (".", "."),
    ]  # fmt: skip
    assert shown("a  b-c,\td ", pre_split=True) == [("a", "a"), ("b-c,", "b-c,"), ("d", "d")]


def test_words_that_clean_up_changed() -> None:
    assert shown("The the THE end", "lower_case") == [
        ("the", "The"), ("the", "the"), ("the", "THE"), ("end", "end")
    ]  # fmt: skip
    assert shown("e\u0301te\u0301 a la mer", "unicode_nfc")[0] == ("été", "e\u0301te\u0301")
    assert shown("See www.boats.org now", "replace_urls") == [
        ("See", "See"), ("URL", "www.boats.org"), ("now", "now")
    ]  # fmt: skip
    assert shown("So, we rowed!", "remove_punctuation") == [("So", "So"), ("we", "we"), ("rowed", "rowed")]


def test_words_that_clean_up_made_have_none() -> None:
    found = shown("We saw <b>two</b> boats", "clean_markup")
    assert found == [("We", "We"), ("saw", "saw"), ("two", "two"), ("boats", "boats")]
    assert shown("Rain &amp;#36;10 fell", "clean_markup") == [
        ("Rain", "Rain"), ("$", None), ("10", "10"), ("fell", "fell")
    ]  # fmt: skip


def test_words_of_a_list() -> None:
    words = ["New", "York", "", "é"]
    assert [" ".join(words)[slice(*span)] for span in joined_offsets(words) if span] == words


@given(st.text(st.sampled_from("aA é.,'<>&;# \n1"), max_size=40), st.lists(st.sampled_from(list(STEPS)), max_size=3))
def test_offsets_ascend_inside_the_text(text: str, steps: list[str]) -> None:
    words = Preprocessing(text_steps=steps).words(text)
    spans = word_offsets(text, words, pre_split=False)
    assert len(spans) == len(words)
    there = [span for span in spans if span is not None]
    assert all(0 <= start < end <= len(text) for start, end in there)
    assert all(before[1] <= after[0] for before, after in pairwise(there))


@pytest.mark.parametrize("pre_split", [True, False])
def test_a_text_without_words(pre_split: bool) -> None:
    assert word_offsets(" \n", [], pre_split=pre_split) == []
