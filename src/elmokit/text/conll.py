"""Files of the CoNLL shared tasks: a word a line with its columns, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, expand_paths, opened, read_lines

Rows = list[list[str]]  # of a sentence: the columns of each word


class PlacedSentence(NamedTuple):
    """A sentence, its file, the line of its first word, and the number of its document among all that are read.

    Documents begin at lines of `-DOCSTART-`, and with each file. Their numbers ascend, with gaps.
    """

    rows: Rows
    path: Path
    line: int
    document: int


def read_conll(paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None) -> Iterator[Rows]:
    """Sentences of `paths` (globs too, also .gz), each a list of words with their columns.

    Columns are separated by tabs where a line has tabs, else by blanks; blanks around them do not count. Lines of
    `-DOCSTART-` are no sentences.

    Raises:
        DataError: A file is missing, no text, or its lines differ in the number of columns or end with a lone CR.
    """
    return (sentence.rows for sentence in read_placed(paths, stats=stats))


def read_placed(
    paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None
) -> Iterator[PlacedSentence]:
    """`read_conll`, with the place of every sentence."""
    stats = stats or SourceStats()
    begun = 0
    for path in expand_paths(paths):
        stats.files += 1
        for sentence in _sentences(path, stats, document=begun):
            yield sentence
            begun = sentence.document + 1


def _sentences(path: Path, stats: SourceStats, *, document: int) -> Iterator[PlacedSentence]:
    """The sentences of a file; `document` is the number of what stands before its first `-DOCSTART-`."""
    rows: Rows = []
    first = 1
    expected: int | None = None
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, stats), 1):
            line = line.strip("\r\n")
            if "\r" in line:
                raise DataError(rf"{path} line {number}: expected lines that end with \n or \r\n, got {line[:60]!r}")
            border = line.startswith("-DOCSTART-")
            if border or not line.strip():
                if rows:
                    yield PlacedSentence(rows, path, first, document)
                rows = []
                document += border
                continue
            fields = [field.strip() for field in line.split("\t")] if "\t" in line else line.split()
            expected = expected or len(fields)
            if len(fields) != expected:
                raise DataError(f"{path} line {number}: expected {expected} columns as before, got {line[:60]!r}")
            if not rows:
                first = number
            rows.append(fields)
    if rows:
        yield PlacedSentence(rows, path, first, document)
