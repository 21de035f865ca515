"""CoNLL-U: sentences whose words have a line each, with ten columns between tabs, or with those the file names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from elmokit.errors import DataError
from elmokit.text.files import SourceStats
from elmokit.text.records import Record, Source
from elmokit.text.word_columns import PlacedSentence, Rows

NAMES = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")

_ID = re.compile(r"\d+(?:[-.]\d+)?")  # of a word, a multi-word token (1-2) or an empty node (1.1)


def read_conllu(source: Source) -> Iterator[Record]:
    """A record for each sentence: the FORM of its words; multi-word tokens and empty nodes are passed over.

    A sentence ends at an empty line, and where the ids begin again without one. Its raw text is that of `# text`, its
    id that of `# sent_id`.
    """
    for sentence in conllu_sentences(source):
        words = sentence.column("FORM", source.columns[0].flag)
        yield source.text(sentence.line, words, raw=sentence.raw, id=sentence.id)


def is_conllu(source: Source) -> bool:
    """Whether the first word of a file has an id and ten columns, or the file names its columns."""
    for line in source.lines(stats=SourceStats(), max_bytes=1 << 12):
        if line.startswith("# global.columns"):
            return True
        if line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            return len(fields) == len(NAMES) and _ID.fullmatch(fields[0]) is not None
    return False


def conllu_sentences(source: Source, *, document: int = 0) -> Iterator[PlacedSentence]:
    """The sentences of a file with all columns of their words; `document` is the number of the first document.

    Names of columns are those of CoNLL-U, or of the line `# global.columns = ID FORM …` (CoNLL-U Plus).
    """
    names: tuple[str, ...] = NAMES
    rows: Rows = []
    lines: list[int] = []
    raw: str | None = None
    id_: str | None = None
    for number, line in enumerate(source.lines(), 1):
        line = line.rstrip("\r\n")
        fields = line.split("\t")
        numbered = names[0] == "ID"
        begins = numbered and (fields[0] == "1" or fields[0].startswith("1-"))
        if rows and (not line.strip() or line.startswith("#") or begins):
            yield PlacedSentence(rows, source.path, lines, document, names, raw, id_)
            rows, lines, raw, id_ = [], [], None, None
        if not line.strip():
            continue
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "text":
                raw = value.strip()
            elif key.strip() == "sent_id":
                id_ = value.strip() or None
            elif key.strip() == "global.columns":
                names = tuple(value.split())
            elif key.split()[:1] == ["newdoc"]:
                document += 1
            continue
        if len(fields) < 2 or (numbered and not _ID.fullmatch(fields[0])):
            raise DataError(f"{source.path} line {number}: expected tab-separated CoNLL-U columns, got {line[:60]!r}")
        if fields[0].isdecimal() or not numbered:
            rows.append(fields)
            lines.append(number)
    if rows:
        yield PlacedSentence(rows, source.path, lines, document, names, raw, id_)
