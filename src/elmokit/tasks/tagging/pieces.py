"""Sentences that are too long to be read at once, cut in pieces, and the tags of the pieces joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.tasks.inputs.contexts import Contexts


@dataclass(frozen=True)
class Pieces:
    """Words or tags of sentences, in pieces.

    Attributes:
        parts: The pieces in order, those of one sentence side by side; an empty sentence has none.
        owners: (pieces,) number of the sentence of each.
    """

    parts: list[list[str]]
    owners: NDArray[np.int64]

    @classmethod
    def cut(cls, sentences: Sequence[Sequence[str]], *, max_words: int) -> Pieces:
        """Pieces of `max_words` words, the last of a sentence shorter."""
        owned = [
            (number, list(sentence[start : start + max_words]))
            for number, sentence in enumerate(sentences)
            for start in range(0, len(sentence), max_words)
        ]
        return cls([part for _, part in owned], np.array([number for number, _ in owned], dtype=np.int64))

    def contexts(self, documents: Sequence[int], *, words: int | None) -> Contexts:
        """The pieces of a document in runs of about `words` words at most, or without `words` each alone.

        `documents` has a number for each sentence.
        """
        offsets = np.cumsum([0, *map(len, self.parts)])
        if not words:
            return Contexts.alone(offsets)
        return Contexts.of_documents(offsets, np.asarray(documents, dtype=np.int64)[self.owners], words=words)

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the pieces of sentences; `rows` ascends, and so do they."""
        return np.flatnonzero(np.isin(self.owners, rows))

    def joined(self, found: Sequence[Sequence[str]], rows: NDArray[np.int64]) -> list[list[str]]:
        """Whole sentences `rows` again, from something for each word of the pieces `of(rows)`."""
        sentences: dict[int, list[str]] = {row: [] for row in rows.tolist()}
        for owner, part in zip(self.owners[self.of(rows)].tolist(), found, strict=True):
            sentences[owner] += part
        return list(sentences.values())
