"""`WordVectors`: words and a matrix, read from and written to the formats of word2vec and GloVe."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from elmokit.cosines import cosines
from elmokit.errors import DataError
from elmokit.whole_files import replacing

Array = NDArray[np.float32]


class WordVectors:
    """One vector a word.

    Attributes:
        words: In the order of the rows, by convention the frequent ones first.
        matrix: (words, dim) float32.

    Raises:
        DataError: A word stands twice, or there are more or fewer rows than words.
    """

    def __init__(self, words: Iterable[str], matrix: Array) -> None:
        self.words = list(words)
        self.matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        self._rows = {word: row for row, word in enumerate(self.words)}
        if self.matrix.ndim != 2 or len(self.matrix) != len(self.words):
            raise DataError(f"{len(self.words)} words with a matrix {self.matrix.shape}; expected a row for each word")
        if len(self._rows) != len(self.words):
            twice = next(word for row, word in enumerate(self.words) if self._rows[word] != row)
            raise DataError(f"the word {twice!r} has two vectors; expected one")

    @property
    def dim(self) -> int:
        """Size of a vector."""
        return int(self.matrix.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def __getitem__(self, word: str) -> Array:
        """(dim,) the vector of a known word."""
        vector: Array = self.matrix[self._rows[word]]
        return vector

    def rows(self, words: Sequence[str]) -> NDArray[np.int64]:
        """(n,) the row of each word, -1 for unknown ones."""
        return np.fromiter((self._rows.get(word, -1) for word in words), dtype=np.int64, count=len(words))

    def of(self, words: Sequence[str]) -> Array:
        """(n, dim) a vector for each word, zero for unknown ones."""
        rows = self.rows(words)
        vectors: Array = np.where((rows >= 0)[:, None], self.matrix[rows], np.float32(0))
        return vectors

    def nearest(self, word: str, k: int = 10) -> list[tuple[str, float]]:
        """The `k` words of the highest cosine, the word itself left out.

        Raises:
            KeyError: The word is unknown.
        """
        similarity = cosines(self.matrix, self[word][None])[:, 0]
        similarity[self._rows[word]] = -np.inf
        best = np.argsort(-similarity, kind="stable")[: min(k, len(self) - 1)]
        return [(self.words[row], float(similarity[row])) for row in best]

    @classmethod
    def load(cls, path: str | Path) -> WordVectors:
        """Read a file of word2vec (text, or binary by the ending `.bin`) or GloVe (text without a first line of
        counts), plain or packed with gzip.

        Raises:
            DataError: The file is missing or damaged, a line has another number of values, or a word stands twice.
        """
        path = Path(path)
        binary = path.name.removesuffix(".gz").endswith(".bin")
        try:
            with _opened(path) as file:
                words, matrix = _read_binary(path, file) if binary else _read_text(path, file)
        except OSError as error:
            raise DataError(f"cannot read the vectors {path}: {error.strerror or error}") from error
        except EOFError as error:
            raise DataError(f"{path} is cut short") from error
        try:
            return cls(words, matrix)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    def save(self, path: str | Path, *, header: bool = True) -> None:
        """Write word2vec's format: binary by the ending `.bin`, else text. It is whole or not there.

        Args:
            path: Also `.gz`.
            header: The first line with the number of words and their size; GloVe's format has none.

        Raises:
            DataError: A word holds a blank, which the formats cannot hold, or the file cannot be written.
        """
        path = Path(path)
        broken = next((word for word in self.words if not word or any(letter.isspace() for letter in word)), None)
        if broken is not None:
            raise DataError(f"the word {broken!r} is empty or holds a blank: the formats of word2vec and GloVe cannot")
        binary = path.name.removesuffix(".gz").endswith(".bin")
        try:
            with replacing(path) as partial, _to_write(partial, packed=path.suffix == ".gz") as file:
                if header or binary:
                    file.write(f"{len(self)} {self.dim}\n".encode())
                for word, vector in zip(self.words, self.matrix, strict=True):
                    if binary:
                        file.write(word.encode() + b" " + vector.astype("<f4").tobytes() + b"\n")
                    else:
                        file.write(f"{word} {' '.join(f'{value:.9g}' for value in vector.tolist())}\n".encode())
        except OSError as error:
            raise DataError(f"cannot write the vectors {path}: {error.strerror or error}") from error


def _to_write(path: Path, *, packed: bool) -> IO[bytes]:
    return gzip.open(path, "wb") if packed else path.open("wb")  # type: ignore[return-value]


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _read_text(path: Path, file: IO[bytes]) -> tuple[list[str], Array]:
    words: list[str] = []
    rows: list[Array] = []
    size: int | None = None  # values a word
    for number, line in enumerate(_lines(path, file), 1):
        fields = line.rstrip().split(" ")
        if number == 1 and len(fields) == 2 and all(field.isdecimal() for field in fields):
            size = int(fields[1])
            continue
        if size is None:
            size = len(fields) - 1
        if size < 1:
            raise DataError(f"{path} line {number}: expected a word and its numbers, got {line[:60]!r}")
        if len(fields) < size + 1:
            raise DataError(f"{path} line {number}: {len(fields) - 1} values; expected {size}, as in the lines before")
        # Some files hold words with blanks: the values are counted from the end.
        word = " ".join(fields[: len(fields) - size])
        try:
            rows.append(np.array(fields[-size:], dtype=np.float32))
        except ValueError as error:
            raise DataError(f"{path} line {number}: expected a word and {size} numbers, got {line[:60]!r}") from error
        if len(fields) > size + 1 and _is_number(fields[-size - 1]):
            raise DataError(f"{path} line {number}: {len(fields) - 1} values; expected {size}, as in the lines before")
        words.append(word)
    if not words:
        raise DataError(f"{path} holds no vectors")
    return words, np.stack(rows)


def _lines(path: Path, file: IO[bytes]) -> Iterator[str]:
    for number, raw in enumerate(file, 1):
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path} line {number} is not UTF-8 text; binary vectors need the ending .bin") from error
        if line.strip():
            yield line


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_binary(path: Path, file: IO[bytes]) -> tuple[list[str], Array]:
    head = file.readline(100).split()
    if len(head) != 2 or not all(field.isdigit() for field in head):
        raise DataError(f"{path} is no binary word2vec file: it does not begin with two numbers")
    count, size = map(int, head)
    words: list[str] = []
    rows: list[Array] = []
    for number in range(count):
        word = bytearray()
        while (letter := file.read(1)) not in (b" ", b""):
            if letter != b"\n":  # some programs end a vector with it, some do not
                word += letter
        values = file.read(4 * size)
        if len(values) < 4 * size:
            raise DataError(f"{path} is cut short: it promises {count} words and ends in word {number + 1}")
        words.append(word.decode(errors="replace"))
        rows.append(np.frombuffer(values, dtype="<f4").astype(np.float32))
    return words, np.stack(rows) if rows else np.zeros((0, size), dtype=np.float32)
