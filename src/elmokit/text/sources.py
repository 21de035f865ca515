"""Texts from files: a line of plain text, a row of CSV or TSV, an object of JSON lines, each plain or gzip.

Small damage (invalid UTF-8, NUL bytes, blank lines, short rows) is repaired or skipped and counted in `SourceStats`;
a file that is no text at all, or lacks the column asked for, is a `DataError`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from elmokit.errors import DataError
from elmokit.text.char_ids import replace_surrogates
from elmokit.text.columns import json_record, json_text, table_picker
from elmokit.text.files import SourceStats, expand_paths, file_kind, opened, read_lines

__all__ = ["SourceStats", "expand_paths", "read_texts"]

_LONGEST_FIELD = 1 << 26  # characters of a CSV field; a quote left open would otherwise take in the whole file


def read_texts(
    paths: str | Path | Iterable[str | Path],
    *,
    column: str | None = None,
    stats: SourceStats | None = None,
    max_bytes: int | None = None,
) -> Iterator[str]:
    """The texts of `paths` (globs too) one by one, blank ones left out.

    `column` says where the text stands in CSV, TSV and JSONL files: names or numbers, see `columns.py`; without it, in
    a column called `text`. With `max_bytes` longer lines of plain text come in pieces, so that a book on one line does
    not fill the memory. Raises `DataError` for files that are missing, empty, no text, or without the column.
    """
    stats = stats or SourceStats()
    for path in expand_paths(paths):
        stats.files += 1
        before = stats.texts
        for text in file_texts(path, column, stats, max_bytes=max_bytes):
            if text := text.strip():
                stats.texts += 1
                yield text
            else:
                stats.blank += 1
        if stats.texts == before:
            raise DataError(f"{path} holds no text: it is empty or has only blank lines")


def file_texts(
    path: Path, column: str | None, stats: SourceStats, *, max_bytes: int | None = None, keep_gaps: bool = False
) -> Iterator[str]:
    """The texts of one file as they stand there, blank ones too.

    With `keep_gaps` a blank line, a row without the column and an object without the key are blank texts as well, so
    that the n-th text belongs to the n-th row.
    """
    column = column or "text"
    kind = file_kind(path)
    with opened(path) as file:
        if kind == "jsonl":
            yield from _json_texts(path, read_lines(file, stats), column, stats, keep_gaps=keep_gaps)
        elif kind in ("csv", "tsv"):
            yield from _table_texts(path, read_lines(file, stats), column, stats, keep_gaps=keep_gaps)
        else:
            yield from read_lines(file, stats, max_bytes=max_bytes)


def _json_texts(path: Path, lines: Iterable[str], column: str, stats: SourceStats, *, keep_gaps: bool) -> Iterator[str]:
    complete = False  # whether an object had the column
    for number, line in enumerate(lines, 1):
        if not line.strip():
            stats.blank += 1
            if keep_gaps:
                yield ""
            continue
        record = json_record(path, number, line)
        try:
            text = json_text(record, column)
        except KeyError as error:
            if not complete:
                keys = ", ".join(record) or "none"
                raise DataError(f"{path} has no key {error}; its keys are {keys}: name one with --column") from error
            stats.short_rows += 1
            if keep_gaps:
                yield ""
            continue
        complete = True
        clean = replace_surrogates(text).replace("\0", "")
        stats.invalid_utf8 += clean != text
        yield clean


def _table_texts(
    path: Path, lines: Iterable[str], column: str, stats: SourceStats, *, keep_gaps: bool
) -> Iterator[str]:
    rows = table_rows(path, lines)
    first = next(rows, None)
    if first is None:
        return
    pick, header = table_picker(path, first[1], column)
    if not header:
        yield pick(first[1])
    for _, row in rows:
        stats.long_rows += header and beyond(row, first[1])
        try:
            yield pick(row)
        except IndexError:
            stats.short_rows += bool(row)
            stats.blank += not row
            if keep_gaps:
                yield ""


def beyond(row: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row has text beyond the last column of the header."""
    return any(cell.strip() for cell in row[len(header) :])


def table_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV or TSV file (by its name) from the first that is not blank, each behind the line it begins in.

    A quote left open is a `DataError`.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    last = ""

    def watched() -> Iterator[str]:
        nonlocal last
        for line in lines:
            last = line
            yield line

    # A lone " in a tab-separated file is a character: such files seldom quote.
    comma = file_kind(path) == "csv"
    rows = csv.reader(
        watched(), delimiter="," if comma else "\t", quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE
    )
    start = 0  # lines before the row
    seen = False
    try:
        for row in rows:
            if rows.line_num - start > 1 and row[-1].endswith(last.replace('""', '"')):  # its last line closes no quote
                raise DataError(f"{path} line {start + 1}: a quote is left open")
            line, start = start + 1, rows.line_num
            seen = seen or bool(row)
            if seen:
                yield line, row
    except csv.Error as error:
        raise DataError(f"{path} line {start + 1}: {error}; is a quote left open?") from error
