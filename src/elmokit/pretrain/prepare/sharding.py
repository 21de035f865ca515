"""Second pass: the sentences of each part as word ids, a shard for each part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from elmokit.parts.folder import PartFiles
from elmokit.parts.work import Counts, Part
from elmokit.places import Place, is_address, local_copy
from elmokit.pretrain.prepare.text import TextSettings, part_sentences
from elmokit.pretrain.prepare.type_index import TypeIndex
from elmokit.pretrain.shard_files import shard_counts, write_shard
from elmokit.text.files import SourceStats

SHARD_FILES = PartFiles(".shard", shard_counts)


@dataclass(frozen=True)
class NumberWords:
    """The work of the second pass.

    Attributes:
        index: Folder of the files of a `TypeIndex`, a path or address that every worker can reach.
        first_id: Of its first word.
    """

    settings: TextSettings
    output: str
    index: str
    first_id: int

    def open(self) -> Callable[[Part], Counts]:
        """Map the index."""
        folder = local_copy(self.index, kind="corpora") if is_address(self.index) else Path(self.index)
        return _Numbering(self, TypeIndex(folder, self.first_id))


@dataclass(frozen=True)
class _Numbering:
    work: NumberWords
    index: TypeIndex

    def __call__(self, part: Part) -> Counts:
        numbers: dict[str, int] = {}
        lengths: list[int] = []
        own: list[int] = []  # words numbered as they come in this part
        reported = SourceStats()  # the first pass has reported the damage
        for words in part_sentences(part, self.work.settings, stats=reported):
            lengths.append(len(words))
            own += [numbers.setdefault(word, len(numbers)) for word in words]
        ids = self.index.ids(list(numbers))
        tokens = ids[np.array(own, dtype=np.int64)] if own else np.zeros(0, dtype=np.int32)
        with (Place(self.work.output) / SHARD_FILES.name(part.number)).written() as partial:
            write_shard(partial, np.array(lengths, dtype=np.int32), tokens)
        return Counts(len(lengths), len(tokens))
