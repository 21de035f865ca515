"""Text from files: every command reads the formats of one table, `formats.py`, through these functions.

Formats that have text and cannot be read are refused by name, and so is text that says of itself that it is something
else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import Column
from elmokit.text.files import SourceStats, counted, expand_paths
from elmokit.text.formats import reader_of
from elmokit.text.records import AS_FOUND, FileOptions, Record, Source
from elmokit.text.sentence_borders import split_sentences

__all__ = ["Column", "FileOptions", "Record", "SourceStats", "expand_paths", "read_records", "read_texts"]

log = logging.getLogger(__name__)


def read_records(
    paths: str | Path | Iterable[str | Path],
    *,
    columns: Sequence[Column] = (Column(),),
    options: FileOptions = AS_FOUND,
    stats: SourceStats | None = None,
    max_bytes: int | None = None,
    whole_rows: bool = False,
) -> Iterator[Record]:
    """The records of `paths` (globs too) unchanged, files one behind the other.

    A blank line, a row without the columns and an object without the keys give a record without a text, so that the
    n-th record belongs to the n-th row. With `split_sentences` each sentence of a text is a record of its own. With
    `whole_rows` records of tables and JSON keep all columns. What was read otherwise than its writer meant is counted
    in `stats`; without it, a warning says so after the last record.

    Raises:
        DataError: A file is missing, not text, of a format that cannot be read, lacks a column, or breaks its format.
    """
    with counted(stats) as stats:
        for path in expand_paths(paths):
            stats.files += 1
            for record in reader_of(path)(Source(path, columns, options, stats, max_bytes, whole_rows)):
                if options.split_sentences and record.words is None and record.text.strip():
                    for sentence in split_sentences(record.text):
                        yield replace(record, fields={**record.fields, record.main: sentence}, is_part=True)
                else:
                    yield record


def read_texts(
    paths: str | Path | Iterable[str | Path],
    *,
    column: str | None = None,
    options: FileOptions = AS_FOUND,
    stats: SourceStats | None = None,
    max_bytes: int | None = None,
) -> Iterator[Record]:
    """The records that have a text, blank ones left out and counted.

    Args:
        paths: Files or globs.
        column: Where the text is in tables and JSON, see `columns.py`; without it, where a well-known name says so.
        options: How the files are written, where that does not show.
        stats: Counts what was met; without it, a warning says what was read otherwise than its writer meant.
        max_bytes: Longer lines of plain text come in pieces, so that a book on one line does not fill the memory.

    Raises:
        DataError: As `read_records`, and for a file without any text.
    """
    with counted(stats) as stats:
        for path in expand_paths(paths):
            before = stats.texts
            for record in read_records(
                path, columns=[Column(asked=column)], options=options, stats=stats, max_bytes=max_bytes
            ):
                if record.words or record.text.strip():
                    stats.texts += 1
                    yield record
                elif record.fields:
                    stats.blank += 1
            if stats.texts == before:
                raise DataError(f"{path} contains no text: it is empty or has only blank lines")


def refuse_unread_options(options: FileOptions, *, pretokenized: bool) -> None:
    """Raise `ConfigError` for options that contradict one another."""
    if options.split_sentences and pretokenized:
        raise ConfigError("--split-sentences needs raw text and cannot be used with --pretokenized")
