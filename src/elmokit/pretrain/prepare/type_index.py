"""From a word to its id without a dictionary in memory: files that are mapped, and so shared by all workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.pretrain.prepare.counting import word_hash
from elmokit.pretrain.shards import mapped
from elmokit.text.vocab import UNK_ID

HASHES, IDS, WORDS, STARTS = "type-hashes.bin", "type-ids.bin", "type-words.bin", "type-starts.bin"


def write_index(folder: Path, words: Sequence[str], first_id: int) -> None:
    """Write the words, whose ids count from `first_id`."""
    hashes = np.fromiter((word_hash(word) for word in words), dtype=np.uint64, count=len(words))
    order = np.argsort(hashes, kind="stable")
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    (folder / HASHES).write_bytes(hashes[order].tobytes())
    (folder / IDS).write_bytes((order + first_id).astype(np.int32).tobytes())
    (folder / WORDS).write_bytes(b"".join(encoded))
    (folder / STARTS).write_bytes(starts.tobytes())


class TypeIndex:
    """Ids of words by a search in their sorted hashes; the word itself is compared, so that none is taken for another.

    Attributes:
        first_id: Of the first word of the files.
    """

    def __init__(self, folder: Path, first_id: int) -> None:
        self.first_id = first_id
        self._hashes: NDArray[Any] = mapped(folder / HASHES, np.uint64)
        self._ids = mapped(folder / IDS, np.int32)
        self._words = mapped(folder / WORDS, np.uint8)
        self._starts = mapped(folder / STARTS, np.int64)

    def ids(self, words: Sequence[str]) -> NDArray[np.int32]:
        """(n,): words that are not there have the id of `<UNK>`."""
        hashes = np.fromiter((word_hash(word) for word in words), dtype=np.uint64, count=len(words))
        first = np.searchsorted(self._hashes, hashes, side="left")
        ids = np.full(len(words), UNK_ID, dtype=np.int32)
        for number, (word, place) in enumerate(zip(words, first.tolist(), strict=True)):
            wanted = word.encode("utf-8", "surrogatepass")
            while place < len(self._hashes) and self._hashes[place] == hashes[number]:
                found = int(self._ids[place])
                start, end = self._starts[found - self.first_id : found - self.first_id + 2]
                if self._words[start:end].tobytes() == wanted:
                    ids[number] = found
                    break
                place += 1
        return ids
