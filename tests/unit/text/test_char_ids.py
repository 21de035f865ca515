"""Character ids: the byte convention of the published models, to the letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ConfigError
from elmokit.text.char_ids import char_ids, marker_char_ids

PAD = 260


@pytest.mark.parametrize(
    ("word", "expected"),
    [  # elmo-formats, before the shift by one
        ("th", [258, 116, 104, 259, PAD]),
        ("thhhhh", [258, 116, 104, 104, 259]),
        ("Āt", [258, 196, 128, 116, 259]),
        ("", [258, 259, PAD, PAD, PAD]),
        ("\0", [258, 0, 259, PAD, PAD]),
    ],
)
def test_published_vectors(word: str, expected: list[int]) -> None:
    assert (char_ids([word], max_characters=5)[0] - 1).tolist() == expected


def test_sentence_markers_are_ids_of_their_own() -> None:
    rows = marker_char_ids()
    assert rows.shape == (2, 50)
    assert rows.dtype == np.int16
    assert (rows[:, :4] - 1).tolist() == [[258, 256, 259, PAD], [258, 257, 259, PAD]]
    assert (rows[:, 4:] == PAD + 1).all()


def test_a_literal_marker_in_text_is_plain_bytes() -> None:
    assert (char_ids(["<S>"])[0, :6] - 1).tolist() == [258, *b"<S>", 259, PAD]


def test_the_cut_at_48_bytes_may_fall_inside_a_character() -> None:
    word = "a" + "東" * 20  # 1 + 60 bytes: byte 48 is the second of a character's three
    row = char_ids([word])[0] - 1
    assert row.tolist() == [258, *word.encode()[:48], 259]
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        bytes(row[1:49].tolist()).decode()


@pytest.mark.parametrize("length", [47, 48, 49, 10_000])
def test_words_around_the_cut(length: int) -> None:
    row = char_ids(["x" * length])[0] - 1
    kept = min(length, 48)
    assert row.tolist() == [258, *b"x" * kept, 259, *[PAD] * (48 - kept)]


def test_lone_surrogates_count_as_the_replacement_character() -> None:
    assert (char_ids(["a\ud800"]) == char_ids(["a\ufffd"])).all()


@given(st.lists(st.text(st.characters(codec=None), max_size=70), max_size=5), st.integers(3, 60))
def test_equals_the_definition(words: list[str], max_characters: int) -> None:
    ids = char_ids(words, max_characters=max_characters)
    assert ids.shape == (len(words), max_characters)
    assert ids.dtype == np.int16
    for row, word in zip(ids, words, strict=True):
        whole = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in word)
        expected = [258, *whole.encode()[: max_characters - 2], 259]
        expected += [PAD] * (max_characters - len(expected))
        assert (row - 1).tolist() == expected


def test_no_words_give_no_rows() -> None:
    assert char_ids([]).shape == (0, 50)


def test_too_few_characters_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_characters is 2, expected 3"):
        char_ids(["a"], max_characters=2)
