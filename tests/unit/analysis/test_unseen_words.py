"""Misspelt and unseen words: what is drawn, and what encoders of a known kind keep of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from elmokit.analysis.unseen_words import find_slips, find_unseen, misspell, what_is_kept
from elmokit.errors import DataError

SENTENCES = [
    ["the", "farmer", "bought", "several", "horses"],
    ["Nobody", "expected", "a", "second", "winter"],
    ["our", "train", "arrives", "before", "midnight"],
    ["cat"],
]
KNOWN = {word for words in SENTENCES for word in words}


def test_a_slip_keeps_both_ends_and_changes_little() -> None:
    random = np.random.default_rng(0)
    wrong = {misspell("several", random) for _ in range(300)}
    assert "several" not in wrong
    assert all(word[0] == "s" and word[-1] == "l" and abs(len(word) - 7) <= 1 for word in wrong)
    assert {"sveeral", "seveal", "sevveral"} <= wrong
    with pytest.raises(ValueError, match="'cat' has 3 letters; expected at least 5"):
        misspell("cat", random)


def test_slips_are_of_known_words_each_once() -> None:
    slips = find_slips(SENTENCES, KNOWN)
    assert len(slips) == 3
    for slip in slips:
        assert slip.right.word in KNOWN
        assert slip.wrong not in KNOWN
        assert slip.right.word.islower()
        assert [a == b for a, b in zip(slip.right.words, slip.misspelt.words, strict=True)].count(False) == 1
    assert find_slips(SENTENCES, KNOWN) == slips
    assert len(find_slips(SENTENCES, KNOWN, most=2)) == 2
    with pytest.raises(DataError, match="0 words could be misspelt"):
        find_slips(SENTENCES, {"the"})


def test_unseen_words_come_by_frequency() -> None:
    assert find_unseen([["a", "zebra", "gnu"], ["gnu", "7"]], {"a"}) == ["gnu", "zebra"]


class AtPositions:
    """The positions of what `stream` gives."""

    def encode(self, sentences: Sequence[Sequence[str]], *, positions: list[list[int]], **_: Any) -> list[np.ndarray]:
        return [array[wanted] for array, wanted in zip(self.stream(sentences), positions, strict=True)]

    def stream(self, sentences: Sequence[Sequence[str]], **_: Any) -> list[np.ndarray]:
        raise NotImplementedError


class Letters(AtPositions):
    """An encoder that reads letters: the counts of them."""

    def stream(self, sentences: Sequence[Sequence[str]], **_: Any) -> list[np.ndarray]:
        return [
            np.array([[word.count(chr(97 + n)) for n in range(26)] for word in words], dtype=np.float32)
            for words in sentences
        ]


class Table(AtPositions):
    """An encoder that knows the words above, and one vector for all others."""

    def stream(self, sentences: Sequence[Sequence[str]], **_: Any) -> list[np.ndarray]:
        rows = {word: number for number, word in enumerate(sorted(KNOWN))}
        return [np.eye(len(rows) + 1, dtype=np.float32)[[rows.get(w, len(rows)) for w in words]] for words in sentences]


def test_letters_keep_what_a_table_loses() -> None:
    slips, unseen = find_slips(SENTENCES, KNOWN), ["zebra", "gnus", "okapi"]
    letters: Any = Letters()
    table: Any = Table()
    kept, lost = (what_is_kept(encoder, slips, unseen, layer=0) for encoder in (letters, table))
    assert kept.cosine > 0.8 > kept.other
    assert (kept.found, kept.unseen_apart) == (1.0, 1.0)
    assert (lost.cosine, lost.found, lost.unseen_apart) == (0.0, 0.0, 0.0)
    assert what_is_kept(letters, slips, [], layer=0).unseen_apart is None
