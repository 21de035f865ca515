"""Minimal pairs: two sentences that differ in little, of which one is good, as BLiMP has them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import Column, column_names
from elmokit.text.files import SourceStats
from elmokit.text.readers import read_records
from elmokit.text.records import AS_FOUND, Cell, FileOptions

log = logging.getLogger(__name__)

FLAG = "--pair-columns"
_KNOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "good": (("sentence_good",), ("good",), ("good_sentence",), ("grammatical",), ("acceptable",)),
    "bad": (("sentence_bad",), ("bad",), ("bad_sentence",), ("ungrammatical",), ("unacceptable",)),
    "paradigm": (("UID",), ("paradigm",)),
    "group": (("linguistics_term",), ("field",), ("group",), ("phenomenon",)),
}


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences, raw or as words.

    Attributes:
        paradigm: What it tests; without such a column the name of its file.
        group: What kind of paradigm that is, if the file says so.
        place: File and line.
    """

    good: Cell
    bad: Cell
    paradigm: str
    group: str | None
    place: str


def read_minimal_pairs(
    files: Sequence[str | Path], *, columns: str | None = None, options: FileOptions = AS_FOUND
) -> Iterator[MinimalPair]:
    """The pairs of tables or JSON files.

    Args:
        files: Names or globs.
        columns: The columns of the good and the bad sentence, the paradigm and the group, joined by commas; the last
            ones may be left out. Default: those of BLiMP, or other well-known names.
        options: How the files are written, where that does not show.

    Raises:
        ConfigError: `columns` has one column, or more than four.
        DataError: A file cannot be read, or a row lacks a sentence; with file and line.
    """
    asked = [] if columns is None else column_names(columns)
    if columns is not None and not 2 <= len(asked) <= len(_KNOWN):
        raise ConfigError(f"{FLAG} {columns}: expected GOOD,BAD, or GOOD,BAD,PARADIGM, or GOOD,BAD,PARADIGM,GROUP")
    chosen = [
        Column(
            name,
            FLAG,
            asked[place] if place < len(asked) else None,
            known,
            str(place + 1) if place < 2 else None,
            holds_words=place < 2,
            optional=place >= 2,
        )
        for place, (name, known) in enumerate(_KNOWN.items())
    ]
    stats = SourceStats()
    found = 0
    for record in read_records(files, columns=chosen, options=options, stats=stats):
        if not record.fields and not record.text.strip():
            continue
        good, bad = record.fields.get("good", ""), record.fields.get("bad", "")
        for name, cell in (("good", good), ("bad", bad)):
            if not (cell.strip() if isinstance(cell, str) else cell):
                raise DataError(f"{record.place}: no {name} sentence; expected a good and a bad one ({FLAG})")
        found += 1
        group = str(record.fields.get("group", "")).strip()
        paradigm = str(record.fields.get("paradigm", "")).strip()
        yield MinimalPair(good, bad, paradigm or record.path.name.partition(".")[0], group or None, record.place)
    stats.warn()
    if stats.short_rows:
        log.warning("%d rows without a good or a bad sentence, left out", stats.short_rows)
    if not found:
        raise DataError(f"{', '.join(map(str, files))} contains no pairs (--minimal-pairs)")
