"""`WordVectors`: words and a matrix, read from and written to the formats of word2vec and GloVe."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.cosines import cosines
from elmokit.errors import DataError
from elmokit.static.vector_files import read_vectors
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
    def load(cls, path: str | Path, *, keep: Collection[str] | None = None) -> WordVectors:
        """Read a file of word2vec (text or binary) or GloVe (text without a first line of counts), also `.gz`.

        Args:
            path: The file.
            keep: Only these words, in memory for them alone.

        Raises:
            DataError: See `read_vectors`.
        """
        return cls(*read_vectors(Path(path), keep=keep))

    def save(self, path: str | Path, *, header: bool = True) -> None:
        """Write word2vec's format: binary by the ending `.bin`, else text. It is whole or not there.

        Args:
            path: Also `.gz`.
            header: The first line with the number of words and their size; GloVe's format has none.

        Raises:
            DataError: A word contains a blank, which the formats cannot hold, or the file cannot be written.
        """
        path = Path(path)
        broken = next((word for word in self.words if not word or any(letter.isspace() for letter in word)), None)
        if broken is not None:
            raise DataError(
                f"the word {broken!r} is empty or contains a space: word2vec and GloVe files cannot store it"
            )
        binary = path.name.removesuffix(".gz").endswith(".bin")
        opening: Callable[[Path, str], Any] = gzip.open if path.suffix == ".gz" else open
        try:
            with replacing(path) as partial, opening(partial, "wb") as file:
                if header or binary:
                    file.write(f"{len(self)} {self.dim}\n".encode())
                for word, vector in zip(self.words, self.matrix, strict=True):
                    if binary:
                        file.write(word.encode() + b" " + vector.astype("<f4").tobytes() + b"\n")
                    else:
                        file.write(f"{word} {' '.join(f'{value:.9g}' for value in vector.tolist())}\n".encode())
        except OSError as error:
            raise DataError(f"cannot write the vectors {path}: {error.strerror or error}") from error
