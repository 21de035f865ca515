"""Which columns of a table, or keys of a JSON object, hold the text.

A column is given by name (tables with a header, JSON) or by number from 1 (tables without a header). Several are joined
by a blank: `title,description`, `2,3`, and `2-` is everything from the second column on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from elmokit.errors import DataError

Range = tuple[int, int | None]
"""First and last column, both counted in; None: to the end of the row."""

_NUMBERS = re.compile(r"(\d+)(?:(-)(\d*))?")


def column_names(column: str) -> list[str]:
    """The parts of `column` between commas."""
    return [part.strip() for part in column.split(",")]


def are_numbers(column: str) -> bool:
    """Whether `column` gives numbers, not names."""
    return all(_NUMBERS.fullmatch(part) for part in column_names(column))


def column_ranges(column: str) -> list[Range]:
    """The ranges of a column given by numbers: `2,4-` is `[(2, 2), (4, None)]`."""
    return [_range(part) for part in column_names(column)]


def _range(part: str) -> Range:
    match = _NUMBERS.fullmatch(part)
    first = int(match[1]) if match else 0
    if not match or first < 1:
        raise DataError(f"columns are numbered from 1, got {part!r}: choose with --column")
    if not match[2]:
        return first, first
    return first, int(match[3]) if match[3] else None


def table_picker(path: Path, first: Sequence[str], column: str) -> tuple[Callable[[Sequence[str]], str], bool]:
    """How to take the text from a row (IndexError when it is too short), and whether the `first` row is a header."""
    shown = ", ".join(f"{i}: {value[:30]!r}" for i, value in enumerate(first, 1))
    if are_numbers(column):
        ranges = column_ranges(column)
        needed = max(max(start, stop or 0) for start, stop in ranges)
        if needed > len(first):
            raise DataError(f"{path} has no column {needed}, only {len(first)} ({shown}): choose with --column")
        return _by_number(ranges, needed), False
    for name in column_names(column):
        if name not in first:
            hint = "name one with --column, or give its number when there is no header"
            raise DataError(f"{path} has no column {name!r}; its first row is {shown}: {hint}")
    places = [first.index(name) for name in column_names(column)]
    return lambda row: " ".join([row[place] for place in places]), True


def _by_number(ranges: Sequence[Range], needed: int) -> Callable[[Sequence[str]], str]:
    def pick(row: Sequence[str]) -> str:
        if len(row) < needed:
            raise IndexError
        return " ".join([value for start, stop in ranges for value in row[start - 1 : stop]])

    return pick


def json_record(path: Path, number: int, line: str) -> dict[str, Any]:
    """The object on one line of a JSONL file; `DataError` names the file and the line when there is none."""
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} line {number} is no JSON: {line[:60]!r}") from error
    if not isinstance(record, dict):
        raise DataError(f"{path} line {number}: expected a JSON object, got {line[:60]!r}")
    return record


def json_text(record: Mapping[str, object], column: str) -> str:
    """The text of a JSON object; null counts as empty. Raises KeyError for a key it lacks."""
    values = [record[name] for name in column_names(column)]
    return " ".join(str(value) for value in values if value is not None)
