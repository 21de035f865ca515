"""Lines of a part that cannot be read or encoded: found one by one, so that the others are not lost with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, opened
from elmokit.text.formats import format_of
from elmokit.text.ranges import Range, offset_of_line
from elmokit.text.readers import Column, read_records
from elmokit.text.records import FileOptions, Record
from elmokit.whole_files import JsonObject

_T = TypeVar("_T")
_U = TypeVar("_U")

SkippedLine = JsonObject
"""A line that was skipped: its `file`, its `offset` in it, the `reason`, and the begin of its `text`."""


def readable_records(
    local: Path, stretch: Range, column: str | None, options: FileOptions
) -> tuple[list[Record], list[SkippedLine]]:
    """The records of a file whose lines are records of their own, blank ones for lines that cannot be read; and these.

    Raises:
        DataError: Lines of such a file depend on one another, or none of them can be read.
    """
    found_format = format_of(local)
    kind = next(iter(found_format.endings), ".txt")
    if not found_format.line_is_record:
        raise DataError(f"{stretch.file} is damaged and lines of this kind of file cannot be skipped (--on-error skip)")
    with opened(local) as file:
        lines = list(file)
    piece = local.with_name(f"piece{kind}") if stretch.unit != "file" else None

    unsaid = SourceStats()  # a line is read several times

    def read(some: Sequence[bytes]) -> list[Record]:
        with TemporaryDirectory(prefix="elmokit-") as scratch:
            target = piece or Path(scratch) / f"piece{kind}"
            target.write_bytes(b"".join(some))
            return list(read_records(target, columns=[Column(asked=column)], options=options, stats=unsaid))

    records: list[Record] = []
    errors: list[SkippedLine] = []
    for number, (found, reason) in enumerate(one_by_one(lines, read)):
        records.append(found if found is not None else Record(local, number + 1, {}))
        if not reason:
            continue
        offset = sum(map(len, lines[:number])) if piece is None else offset_of_line(stretch, number)
        told = reason
        if piece is not None:
            told = reason.replace(f"{piece} line 1: ", "").replace(str(piece), stretch.file)
        text = lines[number][:200].decode(errors="replace")
        errors.append({"file": stretch.file, "offset": offset, "reason": told, "text": text})
    if lines and len(errors) == len(lines):
        raise DataError(f"{stretch.file}: no line of bytes {stretch.start} to {stretch.end} can be read: {reason}")
    return records, errors


def one_by_one(items: Sequence[_T], work: Callable[[Sequence[_T]], Sequence[_U]]) -> Iterator[tuple[_U | None, str]]:
    """The result of each item, or None and the reason: halves are tried until an item is alone."""
    try:
        results = work(items)
        if len(results) != len(items):
            raise DataError(f"{len(results)} results came for {len(items)} lines")
        yield from ((result, "") for result in results)
    except (DataError, ValueError, RuntimeError, MemoryError) as error:
        if len(items) == 1:
            yield None, " ".join(str(error).split()) or type(error).__name__
            return
        middle = len(items) // 2
        yield from one_by_one(items[:middle], work)
        yield from one_by_one(items[middle:], work)
