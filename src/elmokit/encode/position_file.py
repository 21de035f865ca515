"""A file that names words by their positions: a line per sentence, numbers from 0 between spaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, opened, read_lines


def read_positions(path: Path) -> Iterator[list[int]]:
    """The numbers of each line; a blank line has none.

    Raises:
        DataError: The file cannot be read, or a line has something else.
    """
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, SourceStats()), start=1):
            try:
                yield [int(field) for field in line.split()]
            except ValueError as error:
                got = line.strip()[:60]
                raise DataError(f"{path} line {number}: expected numbers of words, got {got!r}") from error
