"""Sentences of files that have a line for each word, with columns: what CoNLL and CoNLL-U have in common."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from elmokit.errors import DataError

Rows = list[list[str]]  # of a sentence: the columns of each word


class PlacedSentence(NamedTuple):
    """A sentence of a file.

    Attributes:
        rows: The columns of each word.
        path, lines: Its file, and the line of each word.
        document: The number of its document among all that are read. Documents begin at lines of `-DOCSTART-` or
            `# newdoc`, and with each file; their numbers ascend, with gaps.
        names: Of the columns, where the file has them: those of CoNLL-U, or of a data set.
        raw, id: The text of the sentence and what the file calls it, where it says so.
    """

    rows: Rows
    path: Path
    lines: list[int]
    document: int
    names: tuple[str, ...] = ()
    raw: str | None = None
    id: str | None = None

    @property
    def is_conllu(self) -> bool:
        """Whether the columns are those of CoNLL-U."""
        return "FORM" in self.names

    @property
    def line(self) -> int:
        """The line of the first word."""
        return self.lines[0]

    def column(self, asked: int | str, flag: str) -> list[str]:
        """A column: by number from 1, by number from the end with -1, or by name.

        Raises:
            DataError: It is not there; with file, line and `flag`.
        """
        place = self.place_of(asked, flag)
        for row, line in zip(self.rows, self.lines, strict=True):
            if place >= len(row):
                raise DataError(f"{self.path} line {line} has {len(row)} columns, no column {asked} ({flag})")
        return [row[place] for row in self.rows]

    def place_of(self, asked: int | str, flag: str) -> int:
        """The number of a column from 0. Arguments and errors as of `column`."""
        names, columns = [name.casefold() for name in self.names], len(self.rows[0])
        if isinstance(asked, int):
            place = asked - 1 if asked > 0 else columns + asked
            if asked == 0 or not 0 <= place < columns:
                raise DataError(f"{self.path} line {self.line} has {columns} columns, no column {asked} ({flag})")
            return place
        if asked.casefold() in names:
            return names.index(asked.casefold())
        has = f"has the columns {', '.join(self.names)}" if names else f"has {columns} columns without names"
        how = "" if names else "; choose by number, names are known in CoNLL-U"
        raise DataError(f"{self.path} line {self.line} {has}, no column {asked!r}{how} ({flag})")
