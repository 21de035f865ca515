"""Sentences as word ids on disk: written piece by piece, renumbered in place, read one at a time.

Each part of a corpus ("train", "valid") has the files
    <part>-00000.bin …  int32 word ids, sentence after sentence, without markers; a sentence never crosses shards
    <part>-offsets.bin  int64 (n_sentences + 1): where each sentence starts, over all shards
    <part>-lengths.bin  int32 (n_sentences,)
"""

from __future__ import annotations

import os
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.whole_files import JsonObject


class SentenceList(Protocol):
    """Sentences on disk: `[i]` is int32 ids (length,) without markers."""

    @property
    def lengths(self) -> NDArray[np.int32]:
        """(n,): words of each."""
        ...

    @property
    def n_tokens(self) -> int:
        """Words of all."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.int32]: ...

    def __iter__(self) -> Iterator[NDArray[np.int32]]: ...


class Sentences:
    """The sentences of one part of a corpus: `sentences[i]` is int32 ids (length,) without markers.

    Ids are read from the shards when asked for. They are not memory-mapped: the pages of a mapped file count as memory
    of the process, which would then grow with the corpus. A `Sentences` may be shared with worker processes or pickled.
    """

    def __init__(self, folder: Path, part: str, shard_starts: Sequence[int]) -> None:
        self._origin = (folder, part, list(shard_starts))
        self._offsets: NDArray[np.int64] = mapped(folder / f"{part}-offsets.bin", np.int64)
        self.lengths: NDArray[np.int32] = mapped(folder / f"{part}-lengths.bin", np.int32)
        self.n_tokens = int(self._offsets[-1])
        self._starts = list(shard_starts)
        self._files: list[int] = []
        for shard in range(len(shard_starts)):
            self._files.append(os.open(shard_path(folder, part, shard), os.O_RDONLY | getattr(os, "O_BINARY", 0)))
            weakref.finalize(self, os.close, self._files[-1])
        size = sum(os.fstat(file).st_size for file in self._files)
        if len(self._offsets) != len(self.lengths) + 1 or size != 4 * self.n_tokens:
            raise DataError(f"the {part} files in {folder} do not fit together")

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        length = int(self.lengths[index])  # raises IndexError beyond the end
        start = int(self._offsets[index if index >= 0 else index - 1])
        shard = bisect_right(self._starts, start) - 1
        file, size, place = self._files[shard], 4 * length, 4 * (start - self._starts[shard])
        if hasattr(os, "pread"):
            return np.frombuffer(os.pread(file, size, place), dtype=np.int32)
        with _SEEKING:  # on Windows threads share the place in the file, so that one at a time reads
            os.lseek(file, place, os.SEEK_SET)
            return np.frombuffer(os.read(file, size), dtype=np.int32)

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[i] for i in range(len(self)))

    def __reduce__(self) -> tuple[type[Sentences], tuple[Path, str, list[int]]]:
        return Sentences, self._origin  # open files do not travel to other processes


_SEEKING = Lock()


class ShardWriter:
    """Appends sentences to the files of one part."""

    _AT_ONCE = 1 << 20  # ids kept in memory before they are written

    def __init__(self, folder: Path, part: str, *, shard_tokens: int) -> None:
        self._folder, self._part, self._shard_tokens = folder, part, shard_tokens
        self.n_sentences = self.n_tokens = 0
        self._shard_starts: list[int] = []
        self._ids, self._lengths = array("i"), array("i")
        self._append("offsets", np.zeros(1, dtype=np.int64))
        self._append("lengths", np.zeros(0, dtype=np.int32))

    def add(self, ids: Sequence[int]) -> None:
        """Append one sentence."""
        if not self._shard_starts or self.n_tokens - self._shard_starts[-1] >= self._shard_tokens:
            self._flush()
            self._shard_starts.append(self.n_tokens)
        self._ids.extend(ids)
        self._lengths.append(len(ids))
        self.n_sentences += 1
        self.n_tokens += len(ids)
        if len(self._ids) >= self._AT_ONCE:
            self._flush()

    def close(self) -> JsonObject:
        """Write what is left; returns what `Sentences` and corpus.json need to know."""
        self._flush()
        return {"n_sentences": self.n_sentences, "n_tokens": self.n_tokens, "shard_starts": self._shard_starts}

    def _flush(self) -> None:
        if not self._lengths:
            return
        ids, lengths = (np.asarray(values, dtype=np.int32) for values in (self._ids, self._lengths))
        self._ids, self._lengths = array("i"), array("i")
        self._append(f"{len(self._shard_starts) - 1:05d}", ids)
        self._append("lengths", lengths)
        self._append("offsets", np.cumsum(lengths, dtype=np.int64) + self.n_tokens - len(ids))

    def _append(self, name: str, values: NDArray[Any]) -> None:
        with open(self._folder / f"{self._part}-{name}.bin", "ab") as file:
            file.write(values.tobytes())


def renumber(path: Path, ids: NDArray[np.int32], vocab_size: int) -> int:
    """Replace each number n of a shard by ids[n], in place; returns how many words are beyond the vocabulary then."""
    unknown = 0
    with open(path, "r+b") as file:
        while block := file.read(1 << 22):
            new = ids[np.frombuffer(block, dtype=np.int32)]
            unknown += int((new >= vocab_size).sum())
            file.seek(-len(block), os.SEEK_CUR)
            file.write(new.tobytes())
            file.seek(0, os.SEEK_CUR)  # a read after a write needs a seek between
    return unknown


def shard_path(folder: Path, part: str, shard: int) -> Path:
    """The file of a shard."""
    return folder / f"{part}-{shard:05d}.bin"


def mapped(path: Path, dtype: type[np.generic]) -> NDArray[Any]:
    """A memory-mapped array, or an empty one for an empty file (which cannot be mapped)."""
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.zeros(0, dtype=dtype)
