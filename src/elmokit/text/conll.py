"""Files of the CoNLL shared tasks: a word a line with its columns, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, expand_paths, opened, read_lines

Rows = list[list[str]]  # of a sentence: the columns of each word


class PlacedSentence(NamedTuple):
    """A sentence, its file, and the line of its first word."""

    rows: Rows
    path: Path
    line: int


def read_conll(paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None) -> Iterator[Rows]:
    """Sentences of `paths` (globs too, also .gz), each a list of words with their columns.

    Columns are separated by tabs where a file has tabs, else by blanks. Lines of `-DOCSTART-` are passed over.

    Raises:
        DataError: A file is missing, no text, or its lines differ in the number of columns.
    """
    return (sentence.rows for sentence in read_placed(paths, stats=stats))


def read_placed(
    paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None
) -> Iterator[PlacedSentence]:
    """`read_conll`, with the place of every sentence."""
    stats = stats or SourceStats()
    for path in expand_paths(paths):
        stats.files += 1
        yield from _sentences(path, stats)


def _sentences(path: Path, stats: SourceStats) -> Iterator[PlacedSentence]:
    rows: Rows = []
    first = 1
    expected: int | None = None
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, stats), 1):
            line = line.strip("\r\n")
            if not line.strip() or line.startswith("-DOCSTART-"):
                if rows:
                    yield PlacedSentence(rows, path, first)
                rows = []
                continue
            fields = line.split("\t") if "\t" in line else line.split()
            expected = expected or len(fields)
            if len(fields) != expected:
                raise DataError(f"{path} line {number}: expected {expected} columns as before, got {line[:60]!r}")
            if not rows:
                first = number
            rows.append(fields)
    if rows:
        yield PlacedSentence(rows, path, first)
