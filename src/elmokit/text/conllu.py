"""CoNLL-U: sentences whose words have a line each, with ten columns between tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from elmokit.errors import DataError
from elmokit.text.records import Record, Source

_ID = re.compile(r"\d+(?:[-.]\d+)?")  # of a word, a multi-word token (1-2) or an empty node (1.1)


def read_conllu(source: Source) -> Iterator[Record]:
    """A record for each sentence: the FORM of its words; multi-word tokens and empty nodes are passed over.

    A sentence ends at an empty line, and where the ids begin again without one. Its raw text is that of `# text`.
    """
    words: list[str] = []
    begin = 1
    raw: str | None = None
    for number, line in enumerate(source.lines(), 1):
        line = line.rstrip("\r\n")
        fields = line.split("\t")
        ends = not line.strip() or line.startswith("#") or fields[0] == "1" or fields[0].startswith("1-")
        if words and ends:
            yield source.text(begin, words, raw=raw)
            words, raw = [], None
        if not line.strip():
            continue
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            raw = value.strip() if key.strip() == "text" else raw
            continue
        if len(fields) < 2 or not _ID.fullmatch(fields[0]):
            raise DataError(f"{source.path} line {number}: expected tab-separated CoNLL-U columns, got {line[:60]!r}")
        if fields[0].isdecimal():
            begin = begin if words else number
            words.append(fields[1])
    if words:
        yield source.text(begin, words, raw=raw)
