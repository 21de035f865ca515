"""The sentences of a part, the same in both passes and in `build_corpus`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from elmokit.parts.work import Part
from elmokit.pretrain.corpus import LONGEST_LINE, sentences_of
from elmokit.text.files import SourceStats
from elmokit.text.ranges import as_file, options_of
from elmokit.text.readers import Column, read_records
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.whole_files import JsonObject


@dataclass(frozen=True)
class TextSettings:
    """How text becomes sentences; see `build_corpus`."""

    column: str | None = None
    pre_split: bool = False
    normalize: tuple[str, ...] = ()
    max_words: int = 200
    files: FileOptions = AS_FOUND

    def as_dict(self) -> JsonObject:
        """What a corpus records; of `files` what is said."""
        files = {name: value for name, value in asdict(self.files).items() if value not in (None, False)}
        own = {name: value for name, value in asdict(self).items() if name != "files"}
        return own | ({"files": files} if files else {})


def part_sentences(part: Part, settings: TextSettings, *, stats: SourceStats | None = None) -> Iterator[list[str]]:
    """The sentences of a part, as words.

    `stats` counts what was read otherwise than its writer meant; without it, a warning says so.

    Raises:
        DataError: It cannot be read.
    """
    with as_file(part.range, column=settings.column) as local:
        if local.stat().st_size == 0:
            return
        options = options_of(part.range, settings.files, column=settings.column)
        columns = [Column(asked=settings.column)]
        records = read_records(local, columns=columns, options=options, stats=stats, max_bytes=LONGEST_LINE)
        yield from sentences_of(
            (record for record in records if record.words or record.text.strip()),
            settings.normalize,
            settings.pre_split,
            settings.max_words,
        )
