"""Texts as integers: each distinct word once as the model reads it, each text a row of word numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.text.word_rows import ByteRows, Rows, WordRows
from elmokit.text.words import split_words

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TokenizedTexts:
    """Ragged texts over a table of distinct words (types).

    `types` are the words, `rows` (types, width) what the model reads of them, `ids` (words of all texts,) type
    numbers; text i is `ids[offsets[i]:offsets[i + 1]]`. `cut` counts texts longer than the limit, `blank` those without
    anything in them.
    """

    types: list[str]
    rows: Rows
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    cut: int
    blank: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text (N,)."""
        return np.diff(self.offsets)

    def words(self, index: int) -> list[str]:
        """The words of one text."""
        return [self.types[number] for number in self.ids[self.offsets[index] : self.offsets[index + 1]]]


def tokenize(
    texts: Sequence[str | list[str]],
    *,
    max_words: int,
    word_rows: WordRows | None = None,
    split: Callable[[str], list[str]] = split_words,
) -> TokenizedTexts:
    """Split every text once and number its words; texts over `max_words` words are cut, and their count is logged.

    A text that is a list of words is split already.
    `word_rows` is how the model reads words; by default as bytes.
    A text in which nothing is a word (a lone control character) is taken as one word, so that every row has a vector.
    """
    numbers: dict[str, int] = {}
    ids: list[NDArray[np.int32]] = []
    cut = blank = 0
    for text in texts:
        words = (split(text) or [text.strip() or "-"]) if isinstance(text, str) else text
        cut += len(words) > max_words
        blank += not (text.strip() if isinstance(text, str) else text)
        row = [numbers.setdefault(word, len(numbers)) for word in words[:max_words]]
        ids.append(np.asarray(row, dtype=np.int32))
    if cut:
        log.info("%d of %d texts are longer than %d words and were cut (--max-words)", cut, len(texts), max_words)
    lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
    types = list(numbers)
    return TokenizedTexts(
        types=types,
        rows=(word_rows or ByteRows())(types),
        ids=np.concatenate(ids) if ids else np.zeros(0, np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        cut=cut,
        blank=blank,
    )
