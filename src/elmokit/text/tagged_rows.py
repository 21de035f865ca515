"""Tagged sentences in rows: a list of words and lists of tags, `tokens` and `ner_tags`, as data sets have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from elmokit.errors import DataError
from elmokit.text.columns import Column
from elmokit.text.formats import format_of
from elmokit.text.records import Source
from elmokit.text.word_columns import PlacedSentence

_WORDS = Column("words", "--word-column", known=(("tokens",), ("words",)))


def tagged_rows(source: Source, *, document: int = 0) -> Iterator[PlacedSentence]:
    """A sentence for each row: its first column are the words, then the other lists of the row in their order.

    Class numbers are names where the file has these. `document` is the number that all of them get: a file has one.

    Raises:
        DataError: A row has no words, or no list for them, or lists of other lengths; with file and row.
    """
    names: list[str] = []
    for record in format_of(source.path).read(replace(source, columns=[_WORDS], whole_rows=True)):
        if not record.row:
            continue
        lists = {name: value for name, value in record.row.items() if isinstance(value, list)}
        first = next((name for name in ("tokens", "words") if name in lists), "")
        if not names:
            names = [first, *(name for name in lists if name != first)]
            if not first or len(names) < 2:
                shown = ", ".join(record.row)
                raise DataError(
                    f"{record.place} has {shown}; expected a list of words, tokens or words, and a list of tags"
                )
        for name in names:
            if name not in lists:
                raise DataError(f"{record.place}: {name!r} is no list; expected one as in the rows before")
            if len(lists[name]) != len(lists[names[0]]):
                raise DataError(
                    f"{record.place}: {name!r} has {len(lists[name])} values for {len(lists[names[0]])} words"
                )
        rows = [[str(cell) for cell in row] for row in zip(*(lists[name] for name in names), strict=True)]
        if rows:
            yield PlacedSentence(rows, source.path, [record.line] * len(rows), document, tuple(names))
