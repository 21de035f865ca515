"""Pieces of words: byte-pair encoding as a convention of rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ModelError
from elmokit.text.word_rows import (
    ByteRows,
    JoinedRows,
    LookupRows,
    PieceRows,
    WordByteRows,
    WordRows,
    load_word_rows,
    save_lexicon,
)

COUNTS = {"running": 50, "runner": 30, "walking": 40, "walker": 20, "the": 100, "über": 5}
ROWS = PieceRows.trained(COUNTS, n_pieces=280, max_pieces=8)


def test_frequent_words_are_few_pieces_and_unseen_ones_fall_into_known_pieces() -> None:
    the, walks, strange = ROWS(["the", "walks", "qzx"])
    assert np.count_nonzero(the) == 1
    assert 1 < np.count_nonzero(walks) < 5
    assert np.count_nonzero(strange) == 3  # bytes
    assert (the >= 0).all()


@given(st.text(min_size=1, max_size=3).filter(lambda text: text.isprintable() and not text.isspace()))
def test_any_word_comes_back(word: str) -> None:
    wide = PieceRows(ROWS.pieces, ROWS.merges, max_pieces=40)
    assert wide.decode(wide([word])[0]) == word


def test_markers_are_like_no_word_and_a_literal_one_is_text() -> None:
    markers = ROWS.markers()
    assert (np.count_nonzero(markers, axis=1) == 1).all()
    assert not (ROWS(["<S>"])[0] == markers[0]).all()
    assert ROWS.decode(markers[0]) == ""


def test_training_twice_gives_the_same_pieces() -> None:
    again = PieceRows.trained(COUNTS, n_pieces=280, max_pieces=8)
    assert again.lexicon() == ROWS.lexicon()


def test_saved_and_loaded(tmp_path: Path) -> None:
    save_lexicon(ROWS, tmp_path / "lexicon.json")
    loaded = load_word_rows(tmp_path / "lexicon.json", max_characters=8)
    words = ["running", "qüx", "", "\ud800", "a" * 100]
    np.testing.assert_array_equal(loaded(words), ROWS(words))
    assert loaded(["x"] * 0).shape == (0, 8)


def test_merges_that_do_not_fit_are_told() -> None:
    with pytest.raises(ModelError, match="pieces and merges do not fit"):
        PieceRows(ROWS.pieces, {"no such": 0})
    with pytest.raises(ModelError, match="table of pieces lacks"):
        PieceRows({"a": 0}, {})


def test_frequent_words_have_a_number_before_their_bytes(tmp_path: Path) -> None:
    rows = WordByteRows({"the": 0, "May": 1}, max_characters=12)
    save_lexicon(rows, tmp_path / "lexicon.json")
    loaded = load_word_rows(tmp_path / "lexicon.json", max_characters=12)
    words = ["the", "May", "may", "The", "Zürich-West", ""]
    for found in (rows(words), loaded(words)):
        assert found[:, 0].tolist() == [1, 2, 0, 0, 0, 0]  # as written
        np.testing.assert_array_equal(found[:, 1:], ByteRows(12)(words))
    assert loaded.width == 13
    np.testing.assert_array_equal(rows.markers(), np.hstack([[[0], [0]], ByteRows(12).markers()]))
    assert [rows.decode(row) for row in rows(["May", "Züri"])] == ["May", "Züri"]
    assert rows([]).shape == (0, 13)


def test_words_in_another_case_have_the_number_of_the_most_frequent_word_of_that_spelling(tmp_path: Path) -> None:
    rows = WordByteRows({"May": 1, "the": 0, "may": 2, "US": 3}, max_characters=12, other_case=True)
    save_lexicon(rows, tmp_path / "lexicon.json")
    words = ["THE", "The", "the", "may", "MAY", "us", "qzx"]
    for found in (rows(words), load_word_rows(tmp_path / "lexicon.json", max_characters=12)(words)):
        assert found[:, 0].tolist() == [1, 1, 1, 3, 2, 4, 0]
        np.testing.assert_array_equal(found[:, 1:], ByteRows(12)(words))  # the bytes are those that were written


def test_a_table_may_be_of_any_size() -> None:
    rows = WordByteRows({f"w{number}": number for number in range(40_000)})
    assert rows(["w39999"])[0, 0] == 40_000


@pytest.mark.parametrize(
    "first",
    [ByteRows(12), ROWS, LookupRows({"<S>": 0, "</S>": 1, "<UNK>": 2, "the": 3}), WordByteRows({"the": 0, "a": 1})],
)
def test_static_numbers_stand_behind_what_the_bilm_reads(first: WordRows, tmp_path: Path) -> None:
    rows = JoinedRows(first, {"the": 0, "May": 1, "may": 2})
    save_lexicon(rows, tmp_path / "lexicon.json")
    loaded = load_word_rows(tmp_path / "lexicon.json", max_characters=first.max_characters)
    words = ["the", "May", "MAY", "qzx", "The"]
    for found in (rows(words), loaded(words)):
        np.testing.assert_array_equal(found[:, :-1], first(words))
        assert found[:, -1].tolist() == [1, 2, 3, 0, 1]  # exact, else in lower case, else 0
    assert loaded.markers().shape == (2, rows.width)
    assert rows.decode(rows(["the"])[0]) == "the"


@pytest.mark.parametrize("static", [None, {"the": 0}])
@pytest.mark.parametrize("first", [ByteRows(12), LookupRows({"<S>": 0, "</S>": 1, "<UNK>": 2, "the": 3})])
def test_the_spelling_stands_last(first: WordRows, static: dict[str, int] | None, tmp_path: Path) -> None:
    rows = JoinedRows(first, static, spelled=True)
    save_lexicon(rows, tmp_path / "lexicon.json")
    loaded = load_word_rows(tmp_path / "lexicon.json", max_characters=first.max_characters)
    words = ["the", "Zürich", ""]
    for found in (rows(words), loaded(words)):
        np.testing.assert_array_equal(found[:, : first.width], first(words))
        np.testing.assert_array_equal(found[:, -50:], ByteRows()(words))
        assert found.shape == (3, first.width + 50 + (static is not None))
    assert loaded.markers().shape == (2, rows.width)
    assert loaded.decode(rows(["the"])[0]) == "the"
