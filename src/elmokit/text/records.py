"""What reading a file gives, whatever its format: `Record`; and what it needs: `Source`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        raw: The text in addition to its words, where the file has both: of FASTA the header, of CoNLL-U `# text`.
        unit: What `line` counts.
        id: What the file calls it: of FASTA the first word of the header, of CoNLL-U `# sent_id`.
        row: All columns of its row, where whole rows were asked for and the file has columns.
        is_part: It is one sentence of a text that was split.
    """

    path: Path
    line: int
    fields: dict[str, Cell]
    main: str = "text"
    raw: str | None = None
    unit: str = "line"
    id: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    is_part: bool = False

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

    def filled(self, other: FileOptions) -> FileOptions:
        """These options, and where they say nothing those of `other`."""
        return FileOptions(
            other.header if self.header is None else self.header,
            self.delimiter or other.delimiter,
            self.quote or other.quote,
            self.encoding or other.encoding,
            self.split_sentences or other.split_sentences,
        )


AS_FOUND = FileOptions()
"""Everything shows in the files."""


@dataclass(frozen=True)
class Source:
    """A file that is to be read.

    Attributes:
        columns: What is taken from a table or JSON object; the first contains the text.
        stats: Counts what reading meets.
        max_bytes: Longer lines of plain text come in pieces of about this size.
        whole_rows: Records of files with columns keep all of them.
    """

    path: Path
    columns: Sequence[Column]
    options: FileOptions = AS_FOUND
    stats: SourceStats = field(default_factory=SourceStats)
    max_bytes: int | None = None
    whole_rows: bool = False

    def lines(self, *, stats: SourceStats | None = None, max_bytes: int | None = None) -> Iterator[str]:
        """The lines from the first one, with their ends; with `stats` these are counted in place of its own."""
        with opened(self.path, encoding=self.options.encoding) as file:
            yield from read_lines(file, self.stats if stats is None else stats, max_bytes=max_bytes)

    def record(
        self, line: int, fields: dict[str, Cell], *, unit: str = "line", row: Callable[[], Mapping[str, Any]] = dict
    ) -> Record:
        """A record of this file. `row` gives all its columns, where whole rows are wanted."""
        whole = row() if self.whole_rows else {}
        return Record(self.path, line, fields, self.columns[0].name, unit=unit, row=whole)

    def text(self, line: int, cell: Cell, *, raw: str | None = None, id: str | None = None) -> Record:
        """A record of a format that has a text and nothing else."""
        return Record(self.path, line, {self.columns[0].name: cell}, self.columns[0].name, raw, id=id)
