"""Text as numbers: what counting and training read again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError

RARE = -1


@dataclass(frozen=True)
class NumberedText:
    """Sentences over a vocabulary.

    Attributes:
        words: By falling count (ties: by word).
        counts: (words,) how often each stands in the text.
        ids: (N,) the words of all sentences; `RARE` for those below the threshold.
        offsets: (sentences + 1,) sentence i is `ids[offsets[i]:offsets[i + 1]]`.
    """

    words: list[str]
    counts: NDArray[np.int64]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sentences(self) -> Iterator[list[str]]:
        """The sentences as words, rare ones left out."""
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield [self.words[number] for number in self.ids[start:end] if number >= 0]


def number_text(
    sentences: Iterable[Sequence[str]], *, min_count: int = 1, max_vocab: int | None = None
) -> NumberedText:
    """Count the words and write every sentence in numbers: four bytes a word of text.

    Args:
        sentences: Lists of words; read once.
        min_count: Rarer words are `RARE`.
        max_vocab: Only that many of the most frequent words.

    Raises:
        DataError: No word reaches `min_count`.
    """
    first: dict[str, int] = {}  # by first appearance
    counts: Counter[int] = Counter()
    parts: list[NDArray[np.int32]] = []
    for words in sentences:
        row = np.fromiter((first.setdefault(word, len(first)) for word in words), dtype=np.int32, count=len(words))
        counts.update(row.tolist())
        parts.append(row)
    names = list(first)
    ranked = sorted((-count, names[number], number) for number, count in counts.items() if count >= min_count)
    ranked = ranked[:max_vocab]
    if not ranked:
        raise DataError(f"no word occurs {min_count} times in {len(parts)} sentences: lower --min-count")
    new = np.full(len(names), RARE, dtype=np.int32)
    new[[number for *_, number in ranked]] = np.arange(len(ranked), dtype=np.int32)
    joined = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    lengths = np.fromiter((len(part) for part in parts), dtype=np.int64, count=len(parts))
    return NumberedText(
        words=[name for _, name, _ in ranked],
        counts=np.array([-count for count, *_ in ranked], dtype=np.int64),
        ids=new[joined],
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )
