"""The vocabulary: its order, its file, and files that are none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import DataError
from elmokit.text.vocab import MARKERS, Vocabulary

COUNTS = {"the": 9, "b": 2, "a": 2, "rare": 1, "<UNK>": 50, "<S>": 4}


def test_words_by_falling_count_then_by_word_after_the_markers() -> None:
    vocabulary = Vocabulary.from_counts(COUNTS)
    assert vocabulary.words == ["<S>", "</S>", "<UNK>", "the", "a", "b", "rare"]
    assert vocabulary.counts == [0, 0, 0, 9, 2, 2, 1]
    assert [vocabulary[word] for word in ("<S>", "the", "rare", "never")] == [0, 3, 6, 2]
    assert "the" in vocabulary
    assert "never" not in vocabulary


def test_minimum_count_and_maximum_size() -> None:
    assert Vocabulary.from_counts(COUNTS, min_count=2).words[3:] == ["the", "a", "b"]
    assert len(Vocabulary.from_counts(COUNTS, max_size=5)) == 5
    assert Vocabulary.from_counts(COUNTS, max_size=1).words == list(MARKERS)
    assert Vocabulary.from_counts({}).words == list(MARKERS)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda w: not any(map(str.isspace, w)))))
def test_saved_and_loaded_alike(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    vocabulary = Vocabulary.from_counts(Counter(words))
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary
    assert [name.name for name in path.parent.iterdir()] == ["vocab.txt"]


def test_the_file_is_text_in_frequency_order(tmp_path: Path) -> None:
    Vocabulary.from_counts(COUNTS).save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_text().splitlines()[2:5] == ["<UNK>\t0", "the\t9", "a\t2"]


def test_reference_files_without_counts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text("<S>\n</S>\n<UNK>\nthe\n")
    assert Vocabulary.load(path).words[3:] == ["the"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"the\t3\n", "starts with <S> </S> <UNK>, this one with 'the'"),
        (b"", "starts with"),
        (b"<S>\n</S>\n<UNK>\nthe\tmany\n", "line 4: expected word<TAB>count"),
        (b"<S>\n</S>\n<UNK>\n\n", "line 4"),
        (b"<S>\n</S>\n<UNK>\nthe\t2\nthe\t1\n", "5 words, 4 of them distinct"),
        (b"\xff\xfe\x00", "is not UTF-8"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        Vocabulary.load(path)


def test_missing_files_and_folders_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the vocabulary"):
        Vocabulary.load(tmp_path / "none.txt")
    with pytest.raises(DataError, match="cannot write the vocabulary"):
        Vocabulary.from_counts({}).save(tmp_path / "none" / "vocab.txt")
