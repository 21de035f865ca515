"""The context-free vectors of words, kept from call to call: the char CNN runs once a word."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from elmokit.encode.batching import windows
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.text.word_rows import WordRows

_WORDS_PER_CALL = 512
_BYTES = 64 << 20

BEGIN, END = 0, 1  # rows of the sentence markers in `TokenTable.vectors`


class TokenTable:
    """A table of the vectors of words: the least recently used ones go when it is full.

    Attributes:
        vectors: (2 + words, P); the first two are the sentence markers. Replaced when it grows.
        capacity: Words that stay from call to call; a single call may need more.
    """

    def __init__(self, model: ElmoModel, rows: WordRows, *, capacity: int | None = None) -> None:
        self._model, self._rows = model, rows
        markers = model.token_vectors(model.marker_rows())
        self.vectors = markers  # (2, P)
        self.capacity = capacity if capacity is not None else _BYTES // (markers.shape[1] * markers.element_size())
        self._slots: dict[str, int] = {}  # the least recently used first
        self._free: list[int] = []

    def slots(self, words: Sequence[str]) -> dict[str, int]:
        """The row in `vectors` of each word; `words` are distinct. Valid until the next call."""
        missing = [word for word in words if word not in self._slots]
        for word in words:
            if (slot := self._slots.pop(word, None)) is not None:
                self._slots[word] = slot  # now the most recently used
        self._make_room(len(missing), keep=len(words) - len(missing))
        slots = [self._free.pop() for _ in missing]
        # Words of like length together: the CNN crops each call to its longest.
        order = sorted(range(len(missing)), key=lambda number: len(missing[number]))
        for chunk in windows(order, _WORDS_PER_CALL):
            rows = torch.from_numpy(self._rows([missing[number] for number in chunk])).to(self.vectors.device)
            self.vectors[[slots[number] for number in chunk]] = self._model.token_vectors(rows)
        self._slots.update(zip(missing, slots, strict=True))
        return {word: self._slots[word] for word in words}

    def _make_room(self, count: int, *, keep: int) -> None:
        """At least `count` free rows, the last `keep` words untouched: older ones go, else the table grows."""
        too_many = len(self._slots) + count - self.capacity
        for _ in range(min(too_many, len(self._slots) - keep)):
            self._free.append(self._slots.pop(next(iter(self._slots))))
        if count > len(self._free):
            needed = len(self.vectors) + count - len(self._free)
            size = max(needed, min(2 * len(self.vectors), self.capacity + 2))
            self._free += range(len(self.vectors), size)
            larger = self.vectors.new_empty(size, self.vectors.shape[1])
            larger[: len(self.vectors)] = self.vectors
            self.vectors = larger

    def __len__(self) -> int:
        return len(self._slots)


def table_of(table: TokenTable, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, list[list[int]]]:
    """The vectors and, of each sentence, the rows of its words between its two markers."""
    distinct = dict.fromkeys(word for words in sentences for word in words)
    slots = table.slots(list(distinct))
    return table.vectors, [[BEGIN, *(slots[word] for word in words), END] for words in sentences]
