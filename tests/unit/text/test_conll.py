"""Columns of the CoNLL shared tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.text.conll import read_conll


def test_sentences_and_columns(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("-DOCSTART- -X- O O\n\nEU NNP B O\nwins VBZ I O\n\n\nEnd NN B O", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [
        [["EU", "NNP", "B", "O"], ["wins", "VBZ", "I", "O"]],
        [["End", "NN", "B", "O"]],
    ]


def test_a_tab_lets_a_word_hold_a_blank(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("New York\tB-loc\n", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [[["New York", "B-loc"]]]


def test_another_number_of_columns_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("EU NNP B\nwins VBZ\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected 3 columns as before, got 'wins VBZ'"):
        list(read_conll(tmp_path / "a"))
