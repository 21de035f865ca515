"""What reading a file gives, whatever its format: `Record`; and what it needs: `Source`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from elmokit.text.columns import Column
from elmokit.text.files import SourceStats, opened, read_lines

Cell = str | list[str]
"""Raw text, or words where the file says what its words are."""


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a file.

    Attributes:
        path, line: Where it begins; `line` counts from 1.
        fields: What was read for each `Column` that was asked for, by its name. Empty for a blank line, and for a row
            without these columns: readers hand such records on, so that the n-th record belongs to the n-th row.
        main: The column that contains the text.
        raw: The text beside its words, where the file has both: of FASTA the header, of CoNLL-U `# text`.
        unit: What `line` counts.
    """

    path: Path
    line: int
    fields: dict[str, Cell]
    main: str = "text"
    raw: str | None = None
    unit: str = "line"

    @property
    def text(self) -> str:
        """The text; where the file has words only, these joined by a space."""
        cell = self.fields.get(self.main, "")
        return self.raw if self.raw is not None else cell if isinstance(cell, str) else " ".join(cell)

    @property
    def words(self) -> list[str] | None:
        """The words where the file says what they are, else None."""
        cell = self.fields.get(self.main, "")
        return cell if isinstance(cell, list) else None

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.path} {self.unit} {self.line}"


@dataclass(frozen=True)
class FileOptions:
    """How files are to be read where that does not show in them; None: it shows.

    Attributes:
        header: Whether the first row of a table has the names of its columns.
        delimiter: Character between the columns of a table.
        quote: How a table is quoted: `"`, `\\` (`"` with `\\"` inside), or `none`.
        encoding: As Python calls it: utf-8, utf-16, cp1252.
        split_sentences: Cut every raw text into its sentences.
    """

    header: bool | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    split_sentences: bool = False


AS_FOUND = FileOptions()
"""Everything shows in the files."""


@dataclass(frozen=True)
class Source:
    """A file that is to be read.

    Attributes:
        columns: What is taken from a table or JSON object; the first contains the text.
        stats: Counts what reading meets.
        max_bytes: Longer lines of plain text come in pieces of about this size.
    """

    path: Path
    columns: Sequence[Column]
    options: FileOptions = AS_FOUND
    stats: SourceStats = field(default_factory=SourceStats)
    max_bytes: int | None = None

    def lines(self, *, stats: SourceStats | None = None, max_bytes: int | None = None) -> Iterator[str]:
        """The lines from the first one, with their ends; with `stats` these are counted in place of its own."""
        with opened(self.path, encoding=self.options.encoding) as file:
            yield from read_lines(file, self.stats if stats is None else stats, max_bytes=max_bytes)

    def record(self, line: int, fields: dict[str, Cell], *, unit: str = "line") -> Record:
        """A record of this file."""
        return Record(self.path, line, fields, self.columns[0].name, unit=unit)

    def text(self, line: int, cell: Cell, *, raw: str | None = None) -> Record:
        """A record of a format that has a text and nothing else."""
        return Record(self.path, line, {self.columns[0].name: cell}, self.columns[0].name, raw)
