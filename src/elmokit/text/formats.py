"""The formats of text files: one row for each, with all that other files ask about it.

A file's format shows in the ending of its name (`.gz`, `.bz2`, `.xz` and `.zst` aside); other names are plain text, a
text per line. Readers and writers are named here and imported when a file is read, so that help texts and error
messages can take their lists from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from elmokit.errors import DataError

if TYPE_CHECKING:
    from elmokit.text.records import Record, Source

Reader = Callable[["Source"], Iterator["Record"]]

Kind = Literal["text", "whole", "number", "truth", "any"]
"""Of a column that is written; any cell may be None. Of "any" the type in Parquet is that of its first values."""

Write = Callable[[Sequence[Any]], None]
Writer = Callable[[Path, Mapping[str, Kind]], AbstractContextManager[Write]]

PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """A format.

    Attributes:
        title: What it is called.
        endings: Of its files' names; a file that is written has the first.
        reads: What is read of it, for docs/files.md.
        reader: The function in `elmokit.text` that reads it, `module:name`.
        writer: The one that writes rows; empty: none does.
        parts: Where a file may be cut into parts that are read one by one: between lines, between rows of a table (a
            quoted field may have line ends), between rows by their number, or nowhere.
        delimiter: Of a table: between its columns, unless it shows another one.
        has_header: The first line may have the names of the columns: each part needs it.
        line_is_record: A line is a record, whatever the others are: one that cannot be read can be skipped.
        has_labels: A text may have a label next to it.
        has_word_lines: It has a line for each word, with columns: what taggers read and write.
        has_lists: A row may be a list of words with lists of tags.
        keeps_lists: A list in a row that is written stays one.
        has_ids: Its records have ids.
        digest: What the fingerprint of a corpus calls it, where that is not its ending: it changes with the reader.
        magic: The first bytes of its files, where these are no text.
        every_line: What every line of it matches, where a file without its ending shows by that what it is.
        least_lines: Lines that must be there to show it.
    """

    title: str
    endings: tuple[str, ...]
    reads: str
    reader: str
    writer: str = ""
    parts: Literal["lines", "table rows", "rows", "none"] = "none"
    delimiter: str = ""
    has_header: bool = False
    line_is_record: bool = False
    has_labels: bool = False
    has_word_lines: bool = False
    has_lists: bool = False
    keeps_lists: bool = False
    has_ids: bool = False
    digest: str = ""
    magic: bytes = b""
    every_line: str = ""
    least_lines: int = 1

    @property
    def read(self) -> Reader:
        """The reader."""
        return cast(Reader, _function(self.reader))

    @property
    def write(self) -> Writer:
        """The writer."""
        return cast(Writer, _function(self.writer))


PLAIN = TextFormat(
    title="text",
    endings=(),
    reads="plain text, a text per line; sentiment trees `(3 (2 It) …)` are sentences of words",
    reader="plain:read_plain",
    parts="lines",
    line_is_record=True,
    digest="txt",
)
"""What files of all other names are."""

JSON_LINES = TextFormat(
    title="JSON lines",
    endings=(".jsonl", ".ndjson"),
    reads="a JSON object per line",
    reader="json_records:read_json_lines",
    writer="row_writers:json_lines",
    parts="lines",
    line_is_record=True,
    has_labels=True,
    has_lists=True,
    keeps_lists=True,
    digest="jsonl",
    every_line=r'\s*\{\s*"',
)

FORMATS = (
    TextFormat(
        title="CSV",
        endings=(".csv",),
        reads="a table, a text per row",
        reader="tables:read_csv",
        writer="row_writers:csv_rows",
        parts="table rows",
        delimiter=",",
        has_header=True,
        has_labels=True,
        digest="csv 2",
    ),
    TextFormat(
        title="TSV",
        endings=(".tsv", ".tab"),
        reads="a table, a text per row",
        reader="tables:read_tsv",
        writer="row_writers:tsv_rows",
        parts="table rows",
        delimiter="\t",
        has_header=True,
        has_labels=True,
        digest="tsv 2",
    ),
    JSON_LINES,
    TextFormat(
        title="JSON",
        endings=(".json",),
        reads="an array of objects, or an object per line",
        reader="json_records:read_json",
        has_labels=True,
        has_lists=True,
    ),
    TextFormat(
        title="Parquet",
        endings=(".parquet",),
        reads="a row per text; only the columns that are needed are read. Class numbers of Hugging Face data sets "
        "become their names",
        reader="arrow_files:read_parquet",
        writer="row_writers:parquet_rows",
        parts="rows",
        has_labels=True,
        has_lists=True,
        magic=b"PAR1",
    ),
    TextFormat(
        title="Arrow",
        endings=(".arrow",),
        reads="as Parquet",
        reader="arrow_files:read_arrow",
        has_labels=True,
        has_lists=True,
        magic=b"ARROW1",
    ),
    TextFormat(
        title="CoNLL-U",
        endings=(".conllu", ".conllup"),
        reads="sentences of words (FORM; multi-word tokens and empty nodes are left out)",
        reader="conllu:read_conllu",
        has_word_lines=True,
        has_ids=True,
        every_line=r"#|([^\t]*\t){9}[^\t]*$",
        least_lines=2,
    ),
    TextFormat(
        title="CoNLL",
        endings=(".conll", ".bio", ".iob", ".iob2"),
        reads="sentences of words, a word per line; `--column` is the number of the word's column",
        reader="conll:read_conll_words",
        has_word_lines=True,
    ),
    TextFormat(
        title="FASTA",
        endings=(".fasta", ".fa", ".faa"),
        reads="proteins; each residue is a word. The first word of the header is the id, which every output has",
        reader="fasta:read_fasta",
        has_ids=True,
    ),
)

ANOTHER = {
    ".xlsx": "an Excel file",
    ".xls": "an Excel file",
    ".ods": "a spreadsheet",
    ".docx": "a Word document",
    ".doc": "a Word document",
    ".odt": "a text document",
    ".rtf": "an RTF document",
    ".pdf": "a PDF document",
    ".html": "a web page",
    ".htm": "a web page",
    ".xml": "an XML file",
    ".epub": "a book",
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".zip": "an archive",
    ".tar": "an archive",
    ".7z": "an archive",
    ".rar": "an archive",
    ".pkl": "a pickle",
    ".hdf5": "an HDF5 file",
    ".h5": "an HDF5 file",
    ".npz": "a NumPy file",
    ".npy": "a NumPy file",
    ".feather": "a Feather file",
    ".pt": "a file of PyTorch",
    ".safetensors": "a file of weights",
    ".sqlite": "a database",
    ".db": "a database",
}
"""Endings of what has text in it, or could be taken for text, and is refused by name."""


def titles() -> str:
    """What is read, as help texts and errors say it."""
    *most, last = [each.title for each in (PLAIN, *FORMATS)]
    return f"{', '.join(most)} or {last}"


def endings_of(*properties: str) -> tuple[str, ...]:
    """The endings of the formats that have all of these properties; of all formats without."""
    chosen = (each for each in FORMATS if all(getattr(each, name) for name in properties))
    return tuple(ending for each in chosen for ending in each.endings)


def written_endings() -> tuple[str, ...]:
    """The endings of the files of rows that are written."""
    return tuple(each.endings[0] for each in FORMATS if each.writer)


def ending(path: str | Path) -> str:
    """The ending that says what a file holds: `.csv` of `a.CSV.gz`."""
    name = Path(path).name.lower()
    for packed in PACKED_ENDINGS:
        name = name.removesuffix(packed)
    return f".{name.rpartition('.')[2]}"


def format_of(path: str | Path) -> TextFormat:
    """The format of a file, by its name; what no row of the table has is plain text."""
    return _BY_ENDING.get(ending(path), PLAIN)


def reader_of(path: str | Path) -> Reader:
    """What reads a file, by its name.

    Raises:
        DataError: The name says that it is something that cannot be read.
    """
    kind = ending(path)
    if kind in ANOTHER:
        known = ", ".join(endings_of())
        raise DataError(f"{path} is {ANOTHER[kind]}, which cannot be read; expected text, one per line, or {known}")
    return format_of(path).read


def has_ids(paths: Iterable[str | Path]) -> bool:
    """Whether records of these files may have an `id`."""
    return any(format_of(path).has_ids for path in paths)


def _function(place: str) -> object:
    module, _, name = place.partition(":")
    found: object = getattr(import_module(f"elmokit.text.{module}"), name)
    return found


_BY_ENDING = {ending_: each for each in FORMATS for ending_ in each.endings}
