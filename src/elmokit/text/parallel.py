"""Parallel text: the same sentences in two languages, one per line, line by line in two files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from elmokit.errors import DataError
from elmokit.text.files import SourceStats, counted, expand_paths, opened, read_lines


class Pair(NamedTuple):
    """A sentence and its translation, with the line both stand in. One of them may be empty."""

    source: str
    target: str
    line: int
    files: tuple[Path, Path]


def read_parallel(
    sources: Iterable[str | Path],
    targets: Iterable[str | Path],
    *,
    flags: tuple[str, str],
    stats: SourceStats | None = None,
) -> Iterator[Pair]:
    """Pairs of lines of files that belong together one by one (globs too, also .gz), without blanks around them.

    Lines that are empty in both files are passed over.

    Args:
        sources, targets: As many of the one as of the other, in the same order.
        flags: The options they came from, for messages.
        stats: Counts what was met, on both sides together.

    Raises:
        DataError: A file is missing or no text, or there are more files or lines on one side.
    """
    left, right = expand_paths(sources), expand_paths(targets)
    if len(left) != len(right):
        raise DataError(
            f"{flags[0]} names {len(left)} files and {flags[1]} {len(right)}: expected a file of translations for each"
        )
    with counted(stats) as stats:
        for files in zip(left, right, strict=True):
            yield from _pairs(files, flags, stats)


def _pairs(files: tuple[Path, Path], flags: tuple[str, str], stats: SourceStats) -> Iterator[Pair]:
    counts = [0, 0]
    with opened(files[0]) as left, opened(files[1]) as right:
        for number, lines in enumerate(zip_longest(read_lines(left, stats), read_lines(right, stats)), 1):
            for side, line in enumerate(lines):
                counts[side] += line is not None
            if None in lines:
                continue
            source, target = (line.strip() for line in lines)
            if source or target:
                yield Pair(source, target, number, files)
    if counts[0] != counts[1]:
        raise DataError(
            f"{files[0]} has {counts[0]:,} lines and {files[1]} {counts[1]:,}: expected a translation for every line, "
            f"in the same order ({flags[0]}, {flags[1]})"
        )
