"""Files of vectors: what other programs write and read, and what is wrong with the rest."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from elmokit.errors import DataError
from elmokit.static.vectors import WordVectors

gensim = pytest.importorskip("gensim", reason="pip install elmokit[static] to compare with gensim")
WORDS = ["the", "río", "銀行", "x"]
MATRIX = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["a.txt", "a.vec.gz", "a.bin", "a.bin.gz"])
@pytest.mark.parametrize("header", [True, False])
def test_round_trip_is_exact(tmp_path: Path, name: str, header: bool) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / name, header=header)
    again = WordVectors.load(tmp_path / name)
    assert again.words == WORDS
    np.testing.assert_array_equal(again.matrix, MATRIX)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_ours_and_we_read_gensims(tmp_path: Path, binary: bool) -> None:
    name = "a.bin" if binary else "a.txt"
    WordVectors(WORDS, MATRIX).save(tmp_path / name)
    theirs = gensim.models.KeyedVectors.load_word2vec_format(tmp_path / name, binary=binary)
    assert theirs.index_to_key == WORDS
    np.testing.assert_allclose(theirs.vectors, MATRIX)
    theirs.save_word2vec_format(str(tmp_path / f"b{name}"), binary=binary)
    np.testing.assert_allclose(WordVectors.load(tmp_path / f"b{name}").matrix, MATRIX, atol=1e-6)


def test_look_up_and_neighbours() -> None:
    vectors = WordVectors(["a", "b", "c"], np.array([[1, 0], [2, 0.1], [0, 1]]))
    assert vectors.rows(["c", "?"]).tolist() == [2, -1]
    np.testing.assert_array_equal(vectors.of(["b", "?"]), np.array([[2, 0.1], [0, 0]], dtype=np.float32))
    assert [word for word, _ in vectors.nearest("a", 5)] == ["b", "c"]
    assert ("a" in vectors, "?" in vectors, len(vectors), vectors.dim) == (True, False, 3, 2)


def test_words_with_blanks_are_read_and_not_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("2 3\n. . . 1 2 3\na 4 5 6\n")
    vectors = WordVectors.load(tmp_path / "a.txt")
    assert vectors.words == [". . .", "a"]
    with pytest.raises(DataError, match=r"'\. \. \.' is empty or holds a blank"):
        vectors.save(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no vectors"),
        (b"a 1 2\nb 1\n", "line 2: 1 values; expected 2"),
        (b"a 1 2\nb 1 2 3\n", "line 2: 3 values; expected 2"),
        (b"a 1 2\nb 1 x\n", "line 2: expected a word and 2 numbers"),
        (b"a 1 2\na 3 4\n", "the word 'a' has two vectors"),
        (b"\xff\xfe 1 2\n", "line 1 is not UTF-8"),
    ],
)
def test_damaged_text(tmp_path: Path, content: bytes, message: str) -> None:
    for name, data in (("a.txt", content), ("a.txt.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=message):
            WordVectors.load(tmp_path / name)


def test_damaged_binary(tmp_path: Path) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / "a.bin")
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:-9])
    with pytest.raises(DataError, match="promises 4 words and ends in word 4"):
        WordVectors.load(tmp_path / "a.bin")
    (tmp_path / "a.bin").write_bytes(b"the 0.1 0.2\n")
    with pytest.raises(DataError, match="does not begin with two numbers"):
        WordVectors.load(tmp_path / "a.bin")
    with pytest.raises(DataError, match="cannot read the vectors"):
        WordVectors.load(tmp_path / "none.txt")
