"""Which columns of a table, or keys of a JSON object, a command reads.

A column is given by name or by number from 1. Several are joined by a space: `title,description`, `2,3`, and `2-` is
everything from the second column on. Names are compared as they are, then without spaces, `_`, `-` and case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from elmokit.errors import ConfigError, DataError

Range = tuple[int, int | None]
"""First and last column, both counted in; None: to the end of the row."""

LABEL_NAMES: tuple[tuple[str, ...], ...] = tuple(
    (name,)
    for name in (
        "label",
        "labels",
        "class",
        "class index",
        "category",
        "topic",
        "sentiment",
        "target",
        "y",
        "label text",
        "label name",
        "class label",
        "class name",
        "gold label",
        "polarity",
    )
)
TEXT_NAMES: tuple[tuple[str, ...], ...] = (
    ("text",),
    ("sentence",),
    ("content",),
    ("review",),
    ("document",),
    ("title", "description"),
    ("headline",),
    ("description",),
    ("title",),
    ("tweet",),
    ("message",),
    ("comment",),
    ("post",),
    ("body",),
    ("abstract",),
    ("utterance",),
    ("tokens",),
    ("words",),
)
ID_NAMES: tuple[tuple[str, ...], ...] = (("id",), ("guid",), ("uid",), ("pair ID",), ("idx",), ("index",))
_INDEX_NAMES = {"", "id", "idx", "index", "no", "nr", "row", "unnamed:0", "guid"}
_NUMBERS = re.compile(r"(\d+)(?:(-)(\d*))?")


@dataclass(frozen=True)
class Column:
    """A column that a command reads.

    Attributes:
        name: What it is called in a record.
        flag: The option that chooses it.
        asked: Names or numbers given with that option.
        known: Names it goes by where nothing is asked; those of a group are joined.
        without_header: Numbers that are taken in a table without a header where nothing is asked.
        kind: A label is one short value, the same in many rows.
        holds_words: A list of words may stand in it; of labels one of several labels.
        optional: A file without it is read, unless it was asked for.
        remembered: Names or numbers that a model was trained with: taken where nothing is asked and the file has them.
        instead: What to do about a list where none may stand, for the error.
    """

    name: str = "text"
    flag: str = "--column"
    asked: str | None = None
    known: tuple[tuple[str, ...], ...] = TEXT_NAMES
    without_header: str | None = None
    kind: Literal["text", "label"] = "text"
    holds_words: bool = True
    optional: bool = False
    remembered: str | None = None
    instead: str = ""

    @property
    def by_name(self) -> bool:
        """Whether a name was asked for."""
        return self.asked is not None and not are_numbers(self.asked)

    @property
    def numbers(self) -> str | None:
        """The numbers asked for, remembered, or taken without a header."""
        if self.asked is not None:
            return self.asked if are_numbers(self.asked) else None
        return self.remembered if self.remembered and are_numbers(self.remembered) else self.without_header

    def numbers_among(self, width: int) -> str | None:
        """`numbers` in a table of so many columns: remembered ones only where it has them."""
        numbers = self.numbers
        if self.asked is None and numbers is not None and _needed(column_ranges(numbers, self.flag)) > width:
            return self.without_header
        return numbers


def normal(name: str) -> str:
    """A name as it is compared: without spaces, `_`, `-` and case."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def column_names(column: str) -> list[str]:
    """The parts of `column` between commas."""
    return [part.strip() for part in column.split(",")]


def are_numbers(column: str) -> bool:
    """Whether `column` gives numbers, not names."""
    return all(_NUMBERS.fullmatch(part) for part in column_names(column))


def column_ranges(column: str, flag: str = "--column") -> list[Range]:
    """The ranges of a column given by numbers: `2,4-` is `[(2, 2), (4, None)]`."""
    ranges: list[Range] = []
    for part in column_names(column):
        match = _NUMBERS.fullmatch(part)
        if not match or int(match[1]) < 1:
            raise DataError(f"columns are numbered from 1, got {part!r}: choose with {flag}")
        first, dash, last = match.groups()
        ranges.append((int(first), (int(last) if last else None) if dash else int(first)))
    return ranges


def chosen_names(where: object, names: Sequence[str], columns: Sequence[Column]) -> dict[str, list[str]]:
    """The names to take for each column, as they are spelled among `names`; asked for by name or well known.

    Where all but one column is well known and one name is left next to those of an index, that is the other.

    Raises:
        DataError: A name that was asked for is not there, or none is well known.
    """
    found: dict[str, list[str]] = {}
    for column in columns:
        if column.asked is not None:
            found[column.name] = [_spelled(where, names, part, column) for part in column_names(column.asked)]
        elif column.remembered is not None and set(column_names(column.remembered)) <= set(names):
            found[column.name] = column_names(column.remembered)  # as a model was trained with
        elif known := _known(names, column):
            found[column.name] = known
    missing = [column for column in columns if column.name not in found and not column.optional]
    taken = {name for group in found.values() for name in group}
    left = [name for name in names if name not in taken and normal(name) not in _INDEX_NAMES]
    if len(missing) == 1 and len(left) == 1 and not any(column.asked for column in columns):
        return found | {missing[0].name: left}
    if missing:
        shown = ", ".join(name[:30] or "''" for name in names) or "none"
        raise DataError(f"{where} has the columns {shown}: say which to take with {missing[0].flag}")
    return found


def _known(names: Sequence[str], column: Column) -> list[str]:
    spelled = {normal(name): name for name in reversed(names)}
    groups = ([spelled.get(normal(name)) for name in group] for group in column.known)
    return next(([name for name in group if name is not None] for group in groups if None not in group), [])


def _spelled(where: object, names: Sequence[str], asked: str, column: Column) -> str:
    if asked in names:
        return asked
    alike = [name for name in names if normal(name) == normal(asked)]
    if len(alike) != 1:
        shown = ", ".join(name[:30] for name in names)
        raise DataError(f"{where} has no column {asked!r}; it has {shown} ({column.flag})")
    return alike[0]


def chosen_ranges(
    where: object, first: Sequence[str], columns: Sequence[Column], *, header: bool
) -> dict[str, list[Range]]:
    """The columns of a table to take for each `Column`; `first` is its first row.

    Raises:
        DataError: A column that was asked for is not there, or it does not show which to take.
    """
    found: dict[str, list[Range]] = {}
    named = []
    for column in columns:
        # No name tells of a column that is taken by the number which a model was trained with: it stays.
        numbers = column.remembered if column.remembered is not None and are_numbers(column.remembered) else None
        stays = numbers is not None and column.numbers_among(len(first)) == numbers and not _known(first, column)
        if column.by_name or (column.asked is None and not stays):
            named.append(column)
    if header:
        for name, spelled in chosen_names(where, first, named).items() if named else ():
            places = [first.index(each) + 1 for each in spelled]
            found[name] = [(place, place) for place in places]
    shown = ", ".join(f"{number}: {value[:30]!r}" for number, value in enumerate(first, 1))
    for column in columns:
        if column.name not in found:
            numbers = column.numbers_among(len(first))
            if numbers is None and len(columns) == 1 and len(first) == 1 and not column.by_name:
                numbers = "1"
            if numbers is None and column.optional and column.asked is None:
                continue
            if numbers is None:
                asked = f"no column {column.asked!r}" if column.asked else f"{len(first)} columns and no header"
                raise DataError(
                    f"{where} has {asked}; its first row is {shown}: choose with {column.flag}, by number where the "
                    "first row is no header"
                )
            found[column.name] = column_ranges(numbers, column.flag)
    flags = ", ".join(column.flag for column in columns if column.flag)
    needed = max(_needed(ranges) for ranges in found.values())
    if needed > len(first):
        raise DataError(f"{where} has no column {needed}, only {len(first)} ({shown}): choose with {flags}")
    _refuse_overlap(where, columns, found, shown)
    return found


def _refuse_overlap(where: object, columns: Sequence[Column], found: dict[str, list[Range]], shown: str) -> None:
    """Refuse a column that was asked for and is part of what another takes because nothing was asked."""
    for column in columns:
        for other in columns:
            if column.asked is not None and other.asked is None and other is not column and other.name in found:
                for start, _ in found[column.name]:
                    if any(first <= start <= (last or start) for first, last in found[other.name]):
                        raise ConfigError(
                            f"{column.flag} {column.asked} needs {other.flag}; the columns of {where} are {shown}"
                        )


def _needed(ranges: Sequence[Range]) -> int:
    return max(max(start, stop or 0) for start, stop in ranges)


def taken(row: Sequence[str], ranges: Sequence[Range]) -> str:
    """The text of a row in these columns. Raises `IndexError` when it is too short."""
    if len(row) < _needed(ranges):
        raise IndexError
    return " ".join([value for start, stop in ranges for value in row[start - 1 : stop]])
