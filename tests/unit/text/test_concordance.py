"""Lines of a concordance: whole words, ellipses, the word always in the same column."""

from __future__ import annotations

import pytest

from elmokit.text.concordance import concordance


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("the ", " it is", "       the bank it is"),
        ("he sat on the muddy ", " of the river Ull", "   … muddy bank of the …"),
        ("said “", ", which closed", "     said “bank, which …"),
        ("", "", "           bank"),
        ("x" * 20 + " ", " " + "y" * 20, "         … bank …"),
        ("of a well-known ", "", "         … bank"),
    ],
)
def test_whole_words_stand_around_the_word(before: str, after: str, line: str) -> None:
    assert concordance(before, "bank", after, width=10) == line


@pytest.mark.parametrize("before", ["", "a ", "a longer text before the ", "“"])
def test_the_word_begins_in_the_same_column(before: str) -> None:
    assert concordance(before, "bank", " it", width=12).index("bank") == 13
