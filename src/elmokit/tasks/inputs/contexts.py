"""What a biLM reads at once: texts alone, or those of a document in runs, so that a sentence's vectors know the others.

Taggers of names gain where the vectors of a word have seen its document (Schweter & Akbik 2020 measure it with
transformers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from elmokit.tasks.inputs.tokens import TokenizedTexts

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Contexts:
    """Runs of texts that are read as one.

    Attributes:
        offsets: (texts + 1,) where the words of each text lie.
        borders: (runs + 1,) run r contains the texts from `borders[r]` to before `borders[r + 1]`.
    """

    offsets: NDArray[np.int64]
    borders: NDArray[np.int64]

    @classmethod
    def alone(cls, offsets: NDArray[np.int64]) -> Self:
        """Each text a run of its own."""
        return cls(offsets, np.arange(len(offsets)))

    @classmethod
    def of_documents(cls, offsets: NDArray[np.int64], documents: ArrayLike, *, words: int) -> Self:
        """The texts of each document in as few runs as have about `words` words at most, all of like length.

        `documents` has a number for each text; those of one document stand side by side. A run may have more words by
        half a text at each end: texts stay whole.
        """
        number = np.asarray(documents, dtype=np.int64)
        edges = np.unique([0, *(np.flatnonzero(np.diff(number)) + 1), len(number)])  # between documents
        middles = (offsets[:-1] + offsets[1:]) / 2
        borders = [np.zeros(1, dtype=np.int64)]
        for begin, end in pairwise(edges):
            total = offsets[end] - offsets[begin]
            runs = max(1, -(-total // words))
            run = ((middles[begin:end] - offsets[begin]) * runs / max(total, 1)).astype(np.int64)
            borders.append(begin + np.append(np.flatnonzero(np.diff(run)) + 1, end - begin))
        return cls(offsets, np.concatenate(borders))

    def joined(self, tokens: TokenizedTexts) -> TokenizedTexts:
        """The same words with runs as texts."""
        return replace(tokens, offsets=self.offsets[self.borders])

    def sentence_ids(self) -> NDArray[np.int64] | None:
        """(words,) which text of its run each word stands in, from 1; None where each text is alone."""
        if len(self.borders) == len(self.offsets):
            return None
        texts = np.arange(len(self.offsets) - 1)
        own = texts - self.borders[self._runs()] + 1
        return np.repeat(own, np.diff(self.offsets))

    def of(self, texts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The runs of some texts.

        Raises:
            ValueError: A run has others, too.
        """
        runs, counts = np.unique(self._runs()[texts], return_counts=True)
        if bool((counts != np.diff(self.borders)[runs]).any()):
            raise ValueError("Some texts of a run are asked for and others are not.")
        return runs

    def cut(self, found: Sequence[Sequence[_Value]], runs: NDArray[np.int64]) -> list[list[_Value]]:
        """Something for each word of `runs`, text by text."""
        texts = []
        for values, run in zip(found, runs, strict=True):
            borders = self.offsets[self.borders[run] : self.borders[run + 1] + 1] - self.offsets[self.borders[run]]
            if len(values) != borders[-1]:
                raise ValueError(f"{len(values)} values came for a run of {borders[-1]} words.")
            texts += [list(values[start:end]) for start, end in pairwise(borders)]
        return texts

    def _runs(self) -> NDArray[np.int64]:
        """(texts,) the run of each text."""
        return np.repeat(np.arange(len(self.borders) - 1), np.diff(self.borders))
