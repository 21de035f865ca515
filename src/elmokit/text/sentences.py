"""Sentences from files, one result a line: text, tables, JSON lines, CoNLL-U and FASTA.

Unlike `sources.read_texts`, blank lines are kept, as sentences without words: the n-th result belongs to the n-th line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, expand_paths, file_kind, opened, read_lines
from elmokit.text.sources import file_texts

CONLLU_ENDINGS = (".conllu",)
FASTA_ENDINGS = (".fasta", ".fa", ".faa")
_ID = re.compile(r"\d+(?:[-.]\d+)?")  # of a word, a multi-word token (1-2) or an empty node (1.1)


class Sentence(NamedTuple):
    """A sentence; `words` where the file says what its words are."""

    text: str
    words: list[str] | None = None


def read_sentences(
    paths: str | Path | Iterable[str | Path], *, column: str | None = None, stats: SourceStats | None = None
) -> Iterator[Sentence]:
    """The sentences of `paths` (globs too), files one behind the other.

    Lines of plain text, rows of CSV, TSV and JSONL (`column` as in `sources.read_texts`), sentences of CoNLL-U (the
    FORM of its words; multi-word tokens and empty nodes are passed over), and proteins of FASTA: each residue is a word
    in upper case, the text is the header. Each may be packed with gzip.

    Raises:
        DataError: A file is missing, no text, lacks the column, or breaks its format.
    """
    stats = stats or SourceStats()
    for path in expand_paths(paths):
        stats.files += 1
        name = path.name.lower().removesuffix(".gz")
        if name.endswith(CONLLU_ENDINGS):
            yield from _conllu(path, stats)
        elif name.endswith(FASTA_ENDINGS):
            yield from _fasta(path, stats)
        elif file_kind(path) == "txt":
            with opened(path) as file:
                yield from (Sentence(line.strip()) for line in read_lines(file, stats))
        else:
            yield from (Sentence(text.strip()) for text in file_texts(path, column, stats, keep_gaps=True))


def _conllu(path: Path, stats: SourceStats) -> Iterator[Sentence]:
    words: list[str] = []
    text = ""
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, stats), 1):
            line = line.rstrip("\r\n")
            if not line.strip():
                if words:
                    yield Sentence(text or " ".join(words), words)
                words, text = [], ""
            elif line.startswith("#"):
                key, _, value = line[1:].partition("=")
                text = value.strip() if key.strip() == "text" else text
            else:
                fields = line.split("\t")
                if len(fields) < 2 or not _ID.fullmatch(fields[0]):
                    raise DataError(f"{path} line {number}: expected tab-separated CoNLL-U columns, got {line[:60]!r}")
                if fields[0].isdecimal():
                    words.append(fields[1])
    if words:
        yield Sentence(text or " ".join(words), words)


def _fasta(path: Path, stats: SourceStats) -> Iterator[Sentence]:
    header: str | None = None
    residues: list[str] = []
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, stats), 1):
            line = line.strip()
            if line.startswith(">"):
                if header is not None:
                    yield Sentence(header, residues)
                header, residues = line[1:].strip(), []
            elif line and not line.startswith(";"):
                if header is None:
                    raise DataError(f"{path} line {number}: expected a FASTA header that begins with >")
                residues += "".join(line.split()).rstrip("*").upper()
    if header is not None:
        yield Sentence(header, residues)
