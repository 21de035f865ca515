"""Plain text: a line is a text, or a sentiment tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from elmokit.errors import DataError
from elmokit.text.files import SourceStats
from elmokit.text.formats import FORMATS
from elmokit.text.records import Record, Source
from elmokit.text.trees import is_tree, parse_tree

_MARKUP = re.compile(r"\s*(<\?xml|<!doctype html|<html)", re.IGNORECASE)
_LINES_TO_SEE = 20


def read_plain(source: Source) -> Iterator[Record]:
    """A record for each line. Sentiment trees, `(3 (2 It) (4 (2 's) (4 good)))`, are sentences of words.

    Raises:
        DataError: The lines are mark-up or of another format, and are no text.
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
    if lines and _MARKUP.match(lines[0]):
        raise DataError(f"{source.path} looks like mark-up; expected text, one per line")
    for each in FORMATS:
        shows = each.every_line and len(lines) >= each.least_lines
        if shows and all(re.match(each.every_line, line.rstrip("\r\n")) for line in lines):
            raise DataError(f"{source.path} looks like {each.title}: give the file the ending {each.endings[0]}")
    return bool(lines) and all(is_tree(line) for line in lines)
