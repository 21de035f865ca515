"""Text from files: every command reads the formats of one table, `READERS`.

What is in the table is known by the ending of a file's name (`.gz`, `.bz2`, `.xz` and `.zst` aside); other names are
plain text, a text per line. Formats that hold text and cannot be read are refused by name, and so is text that says of
itself that it is something else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from elmokit.errors import ConfigError, DataError
from elmokit.text.arrow_files import read_arrow, read_parquet
from elmokit.text.columns import Column
from elmokit.text.conll import read_conll_words
from elmokit.text.conllu import read_conllu
from elmokit.text.fasta import read_fasta
from elmokit.text.files import SourceStats, ending, expand_paths
from elmokit.text.json_records import read_json, read_json_lines
from elmokit.text.records import AS_FOUND, FileOptions, Record, Source
from elmokit.text.sentence_borders import split_sentences
from elmokit.text.tables import read_csv, read_tsv
from elmokit.text.trees import is_tree, parse_tree

__all__ = [
    "READERS",
    "Column",
    "FileOptions",
    "Record",
    "SourceStats",
    "ending",
    "expand_paths",
    "read_records",
    "read_texts",
]

log = logging.getLogger(__name__)

Reader = Callable[[Source], Iterator[Record]]

TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow")
"""Endings of formats that may have a label for a text."""

CONLL = (".conll", ".conllu", ".conllup", ".bio", ".iob", ".iob2")
"""Endings of formats that have a line for each word, with columns."""

WITH_IDS = (".fasta", ".fa", ".faa", ".conllu", ".conllup")
"""Endings of formats whose records have an id."""

_ANOTHER = {
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
_MARKUP = re.compile(r"\s*(<\?xml|<!doctype html|<html)", re.IGNORECASE)
_LINES_TO_SEE = 20


def read_plain(source: Source) -> Iterator[Record]:
    """A record for each line. Sentiment trees, `(3 (2 It) (4 (2 's) (4 good)))`, are sentences of words.

    Raises:
        DataError: The lines are JSON, CoNLL-U or mark-up, and are no text.
    """
    trees = _lines_are_trees(source)
    for number, line in enumerate(source.lines(max_bytes=None if trees else source.max_bytes), 1):
        if not trees or not line.strip():
            yield source.text(number, line.rstrip("\r\n"))
            continue
        try:
            yield source.text(number, parse_tree(line)[0].words)
        except ValueError as error:
            raise DataError(f"{source.path} line {number}: {error}") from error


def _lines_are_trees(source: Source) -> bool:
    """Whether the lines are trees; other things than text are refused."""
    first = islice(source.lines(stats=SourceStats(), max_bytes=1 << 12), _LINES_TO_SEE)
    lines = [line for line in first if line.strip()]
    kind = ""
    if lines and _MARKUP.match(lines[0]):
        kind = "mark-up; expected text, one per line"
    elif lines and all(re.match(r'\s*\{\s*"', line) for line in lines):
        kind = "JSON: give the file the ending .jsonl"
    elif len(lines) > 1 and all(line.startswith("#") or len(line.split("\t")) == 10 for line in lines):
        kind = "CoNLL-U: give the file the ending .conllu"
    if kind:
        raise DataError(f"{source.path} looks like {kind}")
    return bool(lines) and all(is_tree(line) for line in lines)


READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".tab": read_tsv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".conllu": read_conllu,
    ".conllup": read_conllu,
    ".conll": read_conll_words,
    ".bio": read_conll_words,
    ".iob": read_conll_words,
    ".iob2": read_conll_words,
    ".fasta": read_fasta,
    ".fa": read_fasta,
    ".faa": read_fasta,
}


def has_ids(paths: Iterable[str | Path]) -> bool:
    """Whether records of these files may have an `id`."""
    return any(ending(path) in WITH_IDS for path in paths)


def reader_of(path: str | Path) -> Reader:
    """What reads a file, by its name.

    Raises:
        DataError: The name says that it is something that cannot be read.
    """
    kind = ending(path)
    if kind in _ANOTHER:
        raise DataError(
            f"{path} is {_ANOTHER[kind]}, which cannot be read; expected text, one per line, or {', '.join(READERS)}"
        )
    return READERS.get(kind, read_plain)


def read_records(
    paths: str | Path | Iterable[str | Path],
    *,
    columns: Sequence[Column] = (Column(),),
    options: FileOptions = AS_FOUND,
    stats: SourceStats | None = None,
    max_bytes: int | None = None,
    whole_rows: bool = False,
) -> Iterator[Record]:
    """The records of `paths` (globs too) unchanged, files one behind the other.

    A blank line, a row without the columns and an object without the keys give a record without a text, so that the
    n-th record belongs to the n-th row. With `split_sentences` each sentence of a text is a record of its own. With
    `whole_rows` records of tables and JSON keep all columns.

    Raises:
        DataError: A file is missing, not text, of a format that cannot be read, lacks a column, or breaks its format.
    """
    stats = SourceStats() if stats is None else stats
    for path in expand_paths(paths):
        stats.files += 1
        for record in reader_of(path)(Source(path, columns, options, stats, max_bytes, whole_rows)):
            if options.split_sentences and record.words is None and record.text.strip():
                for sentence in split_sentences(record.text):
                    yield replace(record, fields={**record.fields, record.main: sentence}, is_part=True)
            else:
                yield record


def read_texts(
    paths: str | Path | Iterable[str | Path],
    *,
    column: str | None = None,
    options: FileOptions = AS_FOUND,
    stats: SourceStats | None = None,
    max_bytes: int | None = None,
) -> Iterator[Record]:
    """The records that have a text, blank ones left out and counted.

    Args:
        paths: Files or globs.
        column: Where the text is in tables and JSON, see `columns.py`; without it, where a well-known name says so.
        options: How the files are written, where that does not show.
        stats: Counts what was met.
        max_bytes: Longer lines of plain text come in pieces, so that a book on one line does not fill the memory.

    Raises:
        DataError: As `read_records`, and for a file without any text.
    """
    stats = SourceStats() if stats is None else stats
    for path in expand_paths(paths):
        before = stats.texts
        for record in read_records(
            path, columns=[Column(asked=column)], options=options, stats=stats, max_bytes=max_bytes
        ):
            if record.words or record.text.strip():
                stats.texts += 1
                yield record
            elif record.fields:
                stats.blank += 1
        if stats.texts == before:
            raise DataError(f"{path} contains no text: it is empty or has only blank lines")


def refuse_unread_options(options: FileOptions, *, pretokenized: bool) -> None:
    """Raise `ConfigError` for options that contradict one another."""
    if options.split_sentences and pretokenized:
        raise ConfigError("--split-sentences cuts raw text, and --pretokenized says that there is none: give one")
