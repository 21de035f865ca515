"""FASTA: proteins, a header and the residues below it."""

from __future__ import annotations

from collections.abc import Iterator

from elmokit.errors import DataError
from elmokit.text.records import Record, Source


def read_fasta(source: Source) -> Iterator[Record]:
    """A record for each protein: a word for each residue, in upper case; its raw text is the header."""
    header: str | None = None
    begin = 0
    residues: list[str] = []
    for number, line in enumerate(source.lines(), 1):
        line = line.strip()
        if line.startswith(">"):
            if header is not None:
                yield source.text(begin, residues, raw=header, id=_id(header))
            header, begin, residues = line[1:].strip(), number, []
        elif line and not line.startswith(";"):
            if header is None:
                raise DataError(f"{source.path} line {number}: expected a FASTA header that begins with >")
            residues += "".join(line.split()).rstrip("*").upper()
    if header is not None:
        yield source.text(begin, residues, raw=header, id=_id(header))


def _id(header: str) -> str | None:
    """`sp|P12345` of `sp|P12345 A protein`."""
    return header.split(maxsplit=1)[0] if header else None
