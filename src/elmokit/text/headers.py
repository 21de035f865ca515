"""Whether the first row of a table has the names of its columns."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from elmokit.errors import DataError
from elmokit.text.columns import LABEL_NAMES, TEXT_NAMES, Column, column_names, column_ranges, normal, taken

log = logging.getLogger(__name__)

Rows = Sequence[Sequence[str]]

_KNOWN = {normal(name) for group in (*TEXT_NAMES, *LABEL_NAMES) for name in group if len(name) > 1}
_LONGEST_NAME, _MOST_WORDS = 40, 4
_LABELS_TO_COMPARE = 3  # rows below the first: of fewer nothing can be said
_TEXT_TO_NAME = 3  # a first cell this many times shorter than the texts below may be their name


def has_header(path: Path, rows: Rows, columns: Sequence[Column], *, said: bool | None) -> bool:
    """Whether the first of `rows` (all of a file, or many of its first ones) is a header.

    It is one where a column was asked for by name, where it has a well-known name, where it is the only one without a
    number above numbers, and where its label is that of no other row.

    Args:
        path: For messages.
        rows: The first row, and those below it.
        columns: What is to be read.
        said: What the user says; it is believed.

    Raises:
        DataError: The first row may be a header or data.
    """
    named = next((column for column in columns if column.by_name), None)
    if said is False and named is not None:
        raise DataError(f"{path}: {named.flag} {named.asked} is a name, and with --no-header there are numbers only")
    if said is not None or named is not None:
        return said is not False
    first, below = rows[0], [row for row in rows[1:] if row and row != rows[0]]
    names = list(first[1:] if first[0] == "" else first)
    if len(names) > 1 and names == [str(number) for number in range(len(names))]:  # as pandas numbers columns
        last = len(first) - 1
        if any(cell and not _is_number(cell) for cell in [*_column(below, last), *_column(below, last - 1)]):
            return True
    if not _could_be_names(first):
        return False
    taken_for = {normal(name) for column in columns for group in column.known for name in group if len(name) > 1}
    taken_for |= {normal(name) for column in columns for name in column_names(column.remembered or "") if len(name) > 1}
    known = [place for place, cell in enumerate(first) if normal(cell) in _KNOWN | taken_for]
    if any(first[place] not in _column(below, place) for place in known):
        return True
    for place, cell in enumerate(first):
        filled = [other for other in _column(below, place) if other.strip()]
        if cell.strip() and len(filled) > 1 and all(map(_is_number, filled)):
            _tell(path, first, "stands above numbers")
            return True
    return _differs(path, first, below, columns)


def _tell(path: Path, first: Sequence[str], why: str) -> None:
    shown = ", ".join(repr(cell[:30]) for cell in first)
    log.warning("%s: the first row, %s, %s: it is read as the header (--no-header reads it as data)", path, shown, why)


def _could_be_names(first: Sequence[str]) -> bool:
    names = [cell.strip() for cell in first if cell.strip()]
    return len(set(names)) == len(names) > 0 and all(
        len(name) <= _LONGEST_NAME
        and len(name.split()) <= _MOST_WORDS
        and any(letter.isalpha() for letter in name)
        and name[-1] not in ".!?…"
        and not _is_number(name)
        for name in names
    )


def _differs(path: Path, first: Sequence[str], below: Rows, columns: Sequence[Column]) -> bool:
    """Whether the label of the row is that of no other row, while the labels of these recur.

    Raises:
        DataError: They do not tell, but its text is so short that it may be a name.
    """
    label = next((column for column in columns if column.kind == "label" and column.numbers), None)
    if label is not None and len(below) >= _LABELS_TO_COMPARE:
        ranges = column_ranges(label.numbers or "", label.flag)
        counts = Counter(_taken(row, ranges) for row in below)
        if _taken(first, ranges) not in counts and len(counts) <= len(below) // 2:
            _tell(path, first, "has a label that no other row has")
            return True
    for column in columns:
        if column.kind != "text" or not column.numbers or not below:
            continue
        ranges = column_ranges(column.numbers, column.flag)
        lengths = [len(_taken(row, ranges)) for row in below]
        if median(lengths) >= _TEXT_TO_NAME * max(len(_taken(first, ranges)), 8):
            shown = ", ".join(repr(cell[:30]) for cell in first)
            raise DataError(
                f"{path}: the first row, {shown}, may have the names of the columns or be data: say --header or "
                "--no-header"
            )
    return False


def _taken(row: Sequence[str], ranges: list[tuple[int, int | None]]) -> str:
    try:
        return taken(row, ranges)
    except IndexError:
        return ""


def _column(rows: Rows, place: int) -> list[str]:
    return [row[place] for row in rows if place < len(row)]


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
