"""The sentences of a part, the same in both passes and in `build_corpus`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from elmokit.parts.work import Part
from elmokit.pretrain.corpus import LONGEST_LINE, sentences_of
from elmokit.text.files import SourceStats
from elmokit.text.ranges import as_file
from elmokit.text.sources import file_texts


@dataclass(frozen=True)
class TextSettings:
    """How text becomes sentences; see `build_corpus`."""

    column: str | None = None
    pre_split: bool = False
    normalize: tuple[str, ...] = ()
    max_words: int = 200


def part_sentences(part: Part, settings: TextSettings) -> Iterator[list[str]]:
    """The sentences of a part, as words.

    Raises:
        DataError: It cannot be read.
    """
    with as_file(part.range, column=settings.column) as local:
        if local.stat().st_size == 0:
            return
        texts = file_texts(local, settings.column, SourceStats(), max_bytes=LONGEST_LINE)
        yield from sentences_of(
            (stripped for text in texts if (stripped := text.strip())), settings.normalize, settings.pre_split,
            settings.max_words,
        )  # fmt: skip
