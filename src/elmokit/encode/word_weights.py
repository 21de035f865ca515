"""How much each word counts in the vector of a sentence: little where the model's text is full of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError, ModelError
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.whole_files import text_file, write_text

COUNTS_FILE = "word_counts.txt"
"""`word<TAB>count` per line, in a model folder without the vocabulary of its pretraining text."""


POWER = 1.5
"""Chosen on STS 2012 to 2014, CR and the training part of MRPC (docs/results/sentence_vectors.md)."""


class WordWeights:
    """Inverse frequencies, log(1 + N / n)^1.5, of words that occur n times in a text of N words.

    On STS 2012 to 2014 this gains more over the plain mean than a / (a + p) of Arora et al. (2017), and costs less
    accuracy in classification (docs/results/sentence_vectors.md). A word counts as its spelling or its
    lower-case spelling, whichever is more frequent, so that THE weighs no more than the; one that was not counted is as
    rare as the rarest that was.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        """
        Raises:
            DataError: No word has a count above 0.
        """
        self.counts = {word: count for word, count in counts.items() if count > 0 and word not in MARKERS}
        if not self.counts:
            raise DataError("no word has a count above 0")
        self._total, self._least = sum(self.counts.values()), min(self.counts.values())

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        """(words,)"""
        weights: NDArray[np.float32] = (np.log1p(1 / self.frequencies(words)) ** POWER).astype(np.float32)
        return weights

    def frequencies(self, words: Sequence[str]) -> NDArray[np.float64]:
        """(words,) the share of each in the text, n / N."""
        often = (max(self.counts.get(word, 0), self.counts.get(word.lower(), 0)) for word in words)
        counts = np.array([count or self._least for count in often], dtype=np.float64)
        return counts / self._total

    def fingerprint(self) -> str:
        """A checksum of the counts and of what is made of them."""
        text = "".join(f"{word}\t{count}\n" for word, count in sorted(self.counts.items()))
        return hashlib.sha256(f"{POWER}\n{text}".encode()).hexdigest()[:24]

    @classmethod
    def of_folder(cls, folder: Path) -> WordWeights | None:
        """From the counts in a model folder: those of `word_counts.txt`, or those of the vocabulary; None without any.

        Raises:
            ModelError: Such a file is damaged.
        """
        own, vocabulary = folder / COUNTS_FILE, folder / "vocab.txt"
        if not own.is_file():
            found = Vocabulary.load(vocabulary) if vocabulary.is_file() else None
            if found is None or not any(found.counts):  # vocabularies of bilm-tf have none
                return None
            return cls(dict(zip(found.words, found.counts, strict=True)))
        counts: dict[str, int] = {}
        with text_file(own, newline="\n") as file:
            for number, line in enumerate(file, 1):
                word, _, count = line.rstrip("\r\n").partition("\t")
                if not word or not count.isdecimal():
                    raise ModelError(f"{own} line {number}: expected word<TAB>count, got {line[:80]!r}")
                counts[word] = counts.get(word, 0) + int(count)
        if not any(counts.values()):
            raise ModelError(f"{own}: no word has a count above 0")
        return cls(counts)

    def save(self, folder: Path) -> None:
        """Write `word_counts.txt`, the most frequent words first."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        write_text(folder / COUNTS_FILE, "".join(f"{word}\t{count}\n" for word, count in ranked))
