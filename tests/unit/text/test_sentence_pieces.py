"""Pieces of sentences come back as the text they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ModelError
from elmokit.text.sentence_pieces import BEGIN, END, PIECES_FILE, SentencePieces

TEXTS = ["A dog runs.", "A dog sleeps, a dog runs.", "The dogs' run </s> <s>"] * 3


@pytest.fixture(scope="module")
def pieces() -> SentencePieces:
    return SentencePieces.trained(TEXTS, n_pieces=300)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_is_lost(pieces: SentencePieces, text: str) -> None:
    (numbers,) = pieces.encode([text])
    assert pieces.decode(numbers) == text
    assert pieces.decode([BEGIN, *numbers, END]) == text
    assert not {BEGIN, END} & set(numbers)
    assert max(numbers, default=0) < len(pieces)


def test_frequent_words_are_whole(pieces: SentencePieces) -> None:
    assert 258 < len(pieces) <= 300
    (numbers,) = pieces.encode(["A dog runs."])
    assert len(numbers) < len("A dog runs.") / 2
    assert pieces.encode([]) == []


def test_saved_and_loaded(pieces: SentencePieces, tmp_path: Path) -> None:
    pieces.save(tmp_path)
    assert SentencePieces.load(tmp_path).encode(TEXTS) == pieces.encode(TEXTS)
    assert SentencePieces.trained(TEXTS, n_pieces=300).encode(TEXTS) == pieces.encode(TEXTS)
    (tmp_path / PIECES_FILE).write_text("{")
    with pytest.raises(ModelError, match="the table of target pieces is damaged"):
        SentencePieces.load(tmp_path)
    (tmp_path / PIECES_FILE).unlink()
    with pytest.raises(ModelError, match=f"cannot read .*{PIECES_FILE}, which a translator needs"):
        SentencePieces.load(tmp_path)
