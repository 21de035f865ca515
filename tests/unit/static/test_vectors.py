"""Files of vectors: what other programs write and read, and what is wrong with the rest."""

from __future__ import annotations

import gzip
import tracemalloc
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
    with pytest.raises(DataError, match=r"'\. \. \.' is empty or contains a space"):
        vectors.save(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no vectors"),
        (b"a 1 2\nb 1\n", "line 2: 1 values; expected 2"),
        (b"a 1 2\nb 1 2 3\n", "line 2: 3 values; expected 2"),
        (b"a 1 2\nb 1 x\n", "line 2: expected a word and 2 numbers"),
        (b"a 1 2\n\n\nb 1\n", "line 4: 1 values; expected 2"),
        (b"3 2\na 1 2\nb 1 2\n", "promises 3 words in its first line, and 2 follow"),
        (b"1 2\na 1 2\nb 1 2\n", "promises 1 words in its first line, and 2 follow"),
        (b"a 1 2\n 3 4\n", "line 2: the word is empty, got ' 3 4'"),
        (
            b"a 1 2\nb nan 2\nc 1 inf\n",
            r"the vector of 'b' \(word 2\), and 1 more words has values that are not finite",
        ),
        ("a 1 2\n".encode("utf-16"), "is UTF-16 text; expected UTF-8"),
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
    (tmp_path / "a.bin").write_bytes(b"the \x00\x9a\xff\n")
    with pytest.raises(DataError, match="does not begin with two numbers"):
        WordVectors.load(tmp_path / "a.bin")
    with pytest.raises(DataError, match="cannot read the vectors"):
        WordVectors.load(tmp_path / "none.txt")


@pytest.mark.parametrize("header", [True, False])
def test_text_with_the_ending_of_binary_files(tmp_path: Path, header: bool) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / "a.txt", header=header)
    (tmp_path / "w.bin").write_bytes((tmp_path / "a.txt").read_bytes())
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "w.bin").matrix, MATRIX)


def test_binary_with_the_ending_of_text_files(tmp_path: Path) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / "a.bin")
    (tmp_path / "w.txt").write_bytes((tmp_path / "a.bin").read_bytes())
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "w.txt").matrix, MATRIX)


def test_tabs_and_byte_order_marks(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfrain\t1 2\nsun\t3\t4\n")
    assert WordVectors.load(tmp_path / "a.txt").words == ["rain", "sun"]
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbf2 2\nrain 1 2\nsun 3 4\n")
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "b.txt").matrix, [[1, 2], [3, 4]])


@pytest.mark.parametrize("binary", [False, True])
def test_cut_and_repeated_words(tmp_path: Path, caplog: pytest.LogCaptureFixture, binary: bool) -> None:
    """As gensim: the first of each is kept."""
    words, matrix = [b"r\xc3\xado", b"ca\xc3", b"ca\xc3", "río".encode()], MATRIX[:, :2].astype("<f4")
    rows = zip(words, matrix, strict=True)
    path = tmp_path / ("a.bin" if binary else "a.txt")
    if binary:
        path.write_bytes(b"4 2\n" + b"".join(word + b" " + row.tobytes() + b"\n" for word, row in rows))
    else:
        path.write_bytes(b"4 2\n" + b"".join(word + f" {row[0]!s} {row[1]!s}\n".encode() for word, row in rows))
    found = WordVectors.load(path)
    theirs = gensim.models.KeyedVectors.load_word2vec_format(path, binary=binary, unicode_errors="replace")
    assert found.words == ["río", "ca\ufffd"] == theirs.index_to_key[:2]
    np.testing.assert_array_equal(found.matrix, theirs.vectors[: len(found)])
    assert "2 words have bytes that are not UTF-8" in caplog.text
    assert "2 words occur again; the first vector of each is kept" in caplog.text


def test_binary_files_that_do_not_keep_their_promise(tmp_path: Path) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / "a.bin")
    whole = (tmp_path / "a.bin").read_bytes()
    (tmp_path / "b.bin").write_bytes(whole.replace(b"4 3", b"3 3", 1))
    with pytest.raises(DataError, match=r"promises 3 words, and after the last one more follows: b'x"):
        WordVectors.load(tmp_path / "b.bin")
    (tmp_path / "c.bin").write_bytes(whole.replace(b"4 3", b"5 3", 1))
    with pytest.raises(DataError, match="promises 5 words and ends in word 5"):
        WordVectors.load(tmp_path / "c.bin")
    (tmp_path / "d.bin").write_bytes(whole.replace("río".encode(), b"", 1))
    with pytest.raises(DataError, match=r"d\.bin: word 2 is empty"):
        WordVectors.load(tmp_path / "d.bin")


def test_binary_values_that_are_no_numbers(tmp_path: Path) -> None:
    WordVectors(WORDS, np.where(np.eye(4, 3) > 0, np.nan, MATRIX)).save(tmp_path / "a.bin")
    with pytest.raises(DataError, match=r"the vector of 'the' \(word 1\), and 2 more words has values"):
        WordVectors.load(tmp_path / "a.bin")


@pytest.mark.parametrize("name", ["a.txt", "a.bin", "a.txt.gz"])
@pytest.mark.parametrize("header", [True, False])
def test_only_some_words(tmp_path: Path, name: str, header: bool) -> None:
    WordVectors(WORDS, MATRIX).save(tmp_path / name, header=header)
    found = WordVectors.load(tmp_path / name, keep={WORDS[2], WORDS[1], "nowhere"})
    assert found.words == WORDS[1:3]
    np.testing.assert_array_equal(found.matrix, MATRIX[1:3])
    none = WordVectors.load(tmp_path / name, keep=[])
    assert (len(none), none.dim) == (0, 3)


def test_some_words_of_a_file_with_spaces_and_repetitions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.txt").write_bytes(b"sun 1 2\nnew york 3 4\nrain 5 6\nnew 7 8\nrain 9 9\nnew york 0 0\n")
    found = WordVectors.load(tmp_path / "a.txt", keep={"new york", "rain"})
    assert found.words == ["new york", "rain"]
    np.testing.assert_array_equal(found.matrix, [[3, 4], [5, 6]])
    assert "2 words occur again" in caplog.text


def test_a_broken_promise_is_told_whatever_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"3 2\nsun 1 2\nrain 5 6\n")
    with pytest.raises(DataError, match="promises 3 words in its first line, and 2 follow"):
        WordVectors.load(tmp_path / "a.txt", keep={"sun"})
    (tmp_path / "b.txt").write_bytes(b"sun 1 2\nrain nan 6\n")
    with pytest.raises(DataError, match="the vector of 'rain'"):
        WordVectors.load(tmp_path / "b.txt", keep={"rain"})


def test_memory_is_that_of_the_words_that_are_kept(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(4000)]
    WordVectors(words, np.ones((4000, 50), dtype=np.float32)).save(tmp_path / "a.txt")
    peaks = []
    for keep in (set(words[:40]), None):
        tracemalloc.start()
        WordVectors.load(tmp_path / "a.txt", keep=keep)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    looked_at = 1 << 20  # to tell text from binary
    assert peaks[0] - looked_at < (peaks[1] - looked_at) / 20
