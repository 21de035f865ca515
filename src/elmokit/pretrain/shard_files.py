"""A shard of a prepared corpus: sentences as word ids in one file that says how long it is and whether it is whole.

8 bytes   magic
2 int64   n_sentences, n_tokens
int32     (n_sentences,) their lengths
int32     (n_tokens,) word ids, sentence after sentence, without markers
32 bytes  SHA-256 of all before it
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.parts.work import Counts
from elmokit.places import Place
from elmokit.whole_files import JsonObject

MAGIC = b"ELMOSH01"
_HEAD = struct.Struct("<8sqq")
_SUM = 32

WINDOW_TOKENS = 1 << 28
"""Words whose sentences are shuffled together; the order of a smaller text is that of a corpus without shards."""


def write_shard(path: Path, lengths: NDArray[np.int32], ids: NDArray[np.int32]) -> None:
    """Write the sentences of these lengths (n,), whose ids (n_tokens,) lie one behind the other."""
    content = _HEAD.pack(MAGIC, len(lengths), len(ids)) + lengths.astype("<i4").tobytes() + ids.astype("<i4").tobytes()
    path.write_bytes(content + hashlib.sha256(content).digest())


def shard_counts(place: Place) -> tuple[Counts, list[JsonObject]] | None:
    """Sentences and tokens of a shard, which notes nothing else; None for a file that is cut off or something else."""
    try:
        head, size = place.read_range(0, _HEAD.size), place.size()
    except OSError:
        return None
    if len(head) < _HEAD.size:
        return None
    magic, sentences, tokens = _HEAD.unpack(head)
    whole = magic == MAGIC and size == _HEAD.size + 4 * (sentences + tokens) + _SUM
    return (Counts(sentences, tokens), []) if whole else None


def shard_sum(place: Place) -> bytes:
    """What a shard says its sum is."""
    size = place.size()
    return place.read_range(size - _SUM, size)


def read_lengths(path: Path) -> NDArray[np.int32]:
    """(n_sentences,) of a shard."""
    with path.open("rb") as file:
        _, sentences, _ = _HEAD.unpack(file.read(_HEAD.size))
        return np.frombuffer(file.read(4 * sentences), dtype="<i4")


class ShardSentences:
    """The sentences of some shards as one list: `sentences[i]` is int32 ids (length,) without markers.

    Only lengths are kept in memory; ids are read when they are asked for. Every shard is held against its sum first,
    unless `check` is False; `DataError` where it is not what was written.

    Attributes:
        lengths: (n,) words of each sentence.
        n_tokens: Words of all.
    """

    def __init__(self, paths: Sequence[Path], *, check: bool = True) -> None:
        self._paths = list(paths)
        for path in self._paths if check else ():
            try:
                content = path.read_bytes()
            except OSError as error:
                raise DataError(f"cannot read the shard {path}: {error.strerror}") from error
            if content[:8] != MAGIC or hashlib.sha256(content[:-_SUM]).digest() != content[-_SUM:]:
                raise DataError(f"the shard {path} is damaged: delete it and give the command of elmo prepare again")
        lengths = [read_lengths(path) for path in self._paths]
        counts = [len(each) for each in lengths]
        self.lengths: NDArray[np.int32] = np.concatenate(lengths) if lengths else np.zeros(0, dtype=np.int32)
        self._first = np.cumsum([0, *counts])  # sentences before each shard
        ends = np.cumsum(self.lengths, dtype=np.int64)
        self._offsets = np.concatenate([[0], ends]).astype(np.int64)
        self.n_tokens = int(self._offsets[-1])

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        length = int(self.lengths[index])  # raises IndexError beyond the end
        index = index if index >= 0 else len(self) + index
        shard = int(np.searchsorted(self._first, index, side="right")) - 1
        inside = int(self._offsets[index] - self._offsets[self._first[shard]])
        count = int(self._first[shard + 1] - self._first[shard])
        return np.fromfile(self._paths[shard], dtype="<i4", count=length, offset=_HEAD.size + 4 * (count + inside))

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[index] for index in range(len(self)))


class ShardedText:
    """The shards of a text that is too large to have the lengths of its sentences in memory.

    Attributes:
        sizes: (n_shards, 2) sentences and tokens.
        n_tokens: Words of all.
    """

    def __init__(self, folder: Path, sizes: Sequence[Sequence[int]]) -> None:
        self.folder = folder
        self.sizes: NDArray[np.int64] = np.array(sizes, dtype=np.int64).reshape(-1, 2)
        self.n_tokens = int(self.sizes[:, 1].sum())
        self.first = np.cumsum(self.sizes[:, 0]) - self.sizes[:, 0]
        """(n_shards,): number of the first sentence of each shard in the whole text."""
        self._open: tuple[int, ShardSentences] | None = None

    def __len__(self) -> int:
        return int(self.sizes[:, 0].sum())

    def shard(self, number: int) -> Path:
        """The file of a shard."""
        return self.folder / f"part-{number:07d}.shard"

    def whole(self) -> ShardSentences:
        """All sentences as one list, their lengths in memory."""
        return ShardSentences([self.shard(number) for number in range(len(self.sizes))])

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """(n,): words of every sentence, for what reads all of the text."""
        found = [read_lengths(self.shard(number)) for number in range(len(self.sizes))]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        if not 0 <= index < len(self):
            raise IndexError(f"sentence {index} of {len(self)}")
        number = int(np.searchsorted(self.first, index, side="right")) - 1
        if self._open is None or self._open[0] != number:
            self._open = (number, ShardSentences([self.shard(number)]))
        return self._open[1][index - int(self.first[number])]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[index] for index in range(len(self)))
