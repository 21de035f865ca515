"""Files of the CoNLL shared tasks: a word a line with its columns, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, expand_paths, opened, read_lines

Rows = list[list[str]]  # of a sentence: the columns of each word


def read_conll(paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None) -> Iterator[Rows]:
    """Sentences of `paths` (globs too, also .gz), each a list of words with their columns.

    Columns are separated by tabs where a file has tabs, else by blanks. Lines of `-DOCSTART-` are passed over.

    Raises:
        DataError: A file is missing, no text, or its lines differ in the number of columns.
    """
    stats = stats or SourceStats()
    for path in expand_paths(paths):
        stats.files += 1
        yield from _sentences(path, stats)


def _sentences(path: Path, stats: SourceStats) -> Iterator[Rows]:
    rows: Rows = []
    expected: int | None = None
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, stats), 1):
            line = line.strip("\r\n")
            if not line.strip() or line.startswith("-DOCSTART-"):
                if rows:
                    yield rows
                rows = []
                continue
            fields = line.split("\t") if "\t" in line else line.split()
            expected = expected or len(fields)
            if len(fields) != expected:
                raise DataError(f"{path} line {number}: expected {expected} columns as before, got {line[:60]!r}")
            rows.append(fields)
    if rows:
        yield rows
