"""The context-free vectors of words, kept from call to call: the char CNN runs once a word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Lock
from weakref import WeakSet

import torch
from torch import Tensor

from elmokit.encode.batching import windows
from elmokit.nn.network import ElmoNetwork
from elmokit.text.word_rows import WordRows

_WORDS_PER_CALL = 256
_BYTES = 64 << 20

BEGIN, END = 0, 1  # rows of the sentence markers


class TokenTable:
    """A table of the vectors of words: the least recently used ones go when it is full. Threads may share it.

    Attributes:
        capacity: Words that stay from call to call; a single call may need more.
    """

    def __init__(self, model: ElmoNetwork, rows: WordRows, *, capacity: int | None = None) -> None:
        self._model, self._rows = model, rows
        markers = model.token_vectors(model.marker_rows())
        self._vectors = markers  # (2 + words, P)
        self.capacity = capacity if capacity is not None else _BYTES // (markers.shape[1] * markers.element_size())
        self._slots: dict[str, int] = {}  # the least recently used first
        self._free: list[int] = []
        self._lock = Lock()
        _tables.add(self)

    def __getstate__(self) -> dict[str, object]:
        """What a pickle or copy needs: the vectors of words are computed again, and a lock belongs to one process."""
        return {"model": self._model, "rows": self._rows, "capacity": self.capacity}

    def __setstate__(self, state: dict[str, object]) -> None:
        with torch.inference_mode():
            self.__init__(**state)  # type: ignore[misc]

    def vectors(self, words: Sequence[str]) -> Tensor:
        """(2 + n, P): the vectors of the two sentence markers and of `words`, which are distinct."""
        with self._lock:
            missing = [word for word in words if word not in self._slots]
            # Words of like length together: the CNN crops each call to its longest.
            order = sorted(range(len(missing)), key=lambda number: len(missing[number]))
            computed = self._vectors.new_empty(len(missing), self._vectors.shape[1])
            for chunk in windows(order, _WORDS_PER_CALL):
                rows = torch.from_numpy(self._rows([missing[number] for number in chunk])).to(self._vectors.device)
                computed[torch.tensor(chunk)] = self._model.token_vectors(rows)
            for word in words:
                if (slot := self._slots.pop(word, None)) is not None:
                    self._slots[word] = slot  # now the most recently used
            # At least as many free rows as there are missing words: older words go, else the table grows.
            too_many = len(self._slots) + len(missing) - self.capacity
            for _ in range(min(too_many, len(self._slots) - (len(words) - len(missing)))):
                self._free.append(self._slots.pop(next(iter(self._slots))))
            if len(missing) > len(self._free):
                needed = len(self._vectors) + len(missing) - len(self._free)
                size = max(needed, min(2 * len(self._vectors), self.capacity + 2))
                self._free += range(len(self._vectors), size)
                larger = self._vectors.new_empty(size, self._vectors.shape[1])
                larger[: len(self._vectors)] = self._vectors
                self._vectors = larger
            slots = [self._free.pop() for _ in missing]
            if missing:
                self._vectors[torch.tensor(slots)] = computed
                self._slots.update(zip(missing, slots, strict=True))
            return self._vectors[torch.tensor([BEGIN, END, *(self._slots[word] for word in words)])]

    def clear(self) -> None:
        """Forget every word: after the weights have changed, say."""
        with self._lock:
            self._vectors = self._model.token_vectors(self._model.marker_rows())
            self._slots, self._free = {}, []

    def contents(self) -> tuple[list[str], Tensor]:
        """The words, the least recently used first, and their vectors (n, P)."""
        with self._lock:
            return list(self._slots), self._vectors[torch.tensor(list(self._slots.values()), dtype=torch.long)]

    def restore(self, words: Sequence[str], vectors: Tensor) -> None:
        """Back to what `contents` gave."""
        self.clear()
        with self._lock:
            self._vectors = torch.cat([self._vectors, vectors.to(self._vectors)])
            self._slots = {word: slot for slot, word in enumerate(words, 2)}

    def __len__(self) -> int:
        return len(self._slots)


def table_of(table: TokenTable, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, list[list[int]]]:
    """Vectors of the markers and the distinct words, and of each sentence the rows of its words between its markers."""
    rows = {word: row for row, word in enumerate(dict.fromkeys(word for words in sentences for word in words), 2)}
    return table.vectors(list(rows)), [[BEGIN, *(rows[word] for word in words), END] for words in sentences]


_tables: WeakSet[TokenTable] = WeakSet()


def _begin_in_child() -> None:
    """Make a forked process fit to compute.

    The threads of the parent are not there: a product that waits for them would wait for ever, and a lock that one of
    them held would stay locked.
    """
    torch.set_num_threads(1)
    for table in _tables:
        table._lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
