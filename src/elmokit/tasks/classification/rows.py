"""Rows with a text and a label, from files or `datasets`: which column is which, and what was wrong with the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, DataError
from elmokit.text.char_ids import replace_surrogates
from elmokit.text.columns import are_numbers, column_names, column_ranges, json_record, json_text
from elmokit.text.files import SourceStats, expand_paths, file_kind, opened, read_lines
from elmokit.text.sources import beyond, table_rows
from elmokit.text.trees import is_tree, parse_tree

LABEL_NAMES = ("label", "labels", "class", "category", "topic", "sentiment", "target", "y")
TEXT_NAMES = (
    ("text",),
    ("sentence",),
    ("content",),
    ("review",),
    ("document",),
    ("title", "description"),
    ("headline",),
    ("description",),
    ("title",),
)
_POLARITY = {"0": "negative", "1": "negative", "2": "", "3": "positive", "4": "positive"}
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt", ".gz", ".parquet", ".zip", ".xlsx")

Cells = Sequence[str]
Pick = Callable[[Cells], tuple[str, str]]  # a row's (text, label)
Row = tuple[str, str, int]  # text, label, and the number of the line or row they stand in


@dataclass
class ReadCounts:
    """What reading met: rows read, rows left out or mended, by reason, and the place where each label stands first."""

    rows: int = 0
    trees: int = 0
    empty: int = 0
    no_label: int = 0
    short: int = 0
    neutral: int = 0
    repeated: int = 0
    files: SourceStats = field(default_factory=SourceStats)
    places: dict[str, str] = field(default_factory=dict)

    def troubles(self) -> dict[str, int]:
        """The reasons that occurred, in words."""
        words = {
            "rows without a text, left out": self.empty,
            "rows without a label, left out": self.no_label,
            "rows with too few columns, left out": self.short,
            "neutral sentences and phrases, left out": self.neutral,
            "phrases that stood before with the same label, left out": self.repeated,
        }
        return {reason: count for reason, count in words.items() if count} | self.files.damage()


@dataclass(frozen=True)
class TreeReading:
    """What rows a file of sentiment trees gives.

    Attributes:
        phrases: Every phrase, not the whole sentences alone.
        polarity: 0 and 1 become `negative`, 3 and 4 `positive`, and 2 is left out: SST-2 out of SST-5.
    """

    phrases: bool = False
    polarity: bool = False


def read_labelled(
    names: Sequence[str], *, text_column: str | None = None, label_column: str | None = None, split: str = "train",
    trees: TreeReading = TreeReading(),
) -> tuple[list[str], list[str], ReadCounts]:  # fmt: skip
    """Texts and labels of files (globs too) or of a `datasets` name such as `ag_news`, `ag_news:test` or a folder.

    A column is a name (the file has a header, or JSON keys) or a number from 1 (it has none); several text columns are
    joined by a blank: `title,description`, `2,3`, `2-` (to the last). Without columns a first row with well-known
    names is a header, and otherwise column 1 is the label and `2-` the text. A text file of sentiment trees, one a
    line, needs no columns. Empty texts are left to the caller.
    """
    counts = ReadCounts()
    texts: list[str] = []
    labels: list[str] = []
    for name in names:
        before = counts.rows
        if _is_file(name):
            rows = _file_rows(name, text_column, label_column, split, trees, counts)
        else:
            where = f"{name} row"
            rows = ((where, row) for row in _dataset_rows(name, text_column, label_column, split))
        for where, (text, label, number) in rows:
            counts.rows += 1
            if label:
                texts.append(text)
                labels.append(label)
                if label not in counts.places:
                    counts.places[label] = f"{where} {number}"
            else:
                counts.no_label += 1
        if counts.rows == before:
            raise DataError(f"{name} holds no rows, expected texts with labels (--{split})")
    return texts, labels, counts


def _is_file(name: str) -> bool:
    path = Path(name)
    return path.is_file() or _is_pattern(name) or path.name.lower().endswith(SUFFIXES)


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _file_rows(
    name: str, text_column: str | None, label_column: str | None, split: str, trees: TreeReading, counts: ReadCounts
) -> Iterator[tuple[str, Row]]:
    """The rows of all files, each behind the name of its file."""
    if not Path(name).exists() and not _is_pattern(name):
        raise DataError(f"{name} does not exist (--{split})")
    for path in expand_paths(name):
        kind = file_kind(path)
        with opened(path) as file:
            lines = read_lines(file, counts.files)
            if kind == "txt":
                rows = _tree_rows(path, lines, split, trees, counts)
            else:
                read = _json_rows if kind == "jsonl" else _table_rows
                rows = read(path, lines, text_column, label_column, counts)
            where = f"{path} line"
            for row in rows:  # here, where `opened` tells of trouble in reading
                yield where, row


def _tree_rows(path: Path, lines: Iterable[str], split: str, trees: TreeReading, counts: ReadCounts) -> Iterator[Row]:
    """Sentences, and their other phrases once each: `the` stands in most sentences and always has the same label."""
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not is_tree(line):
            raise DataError(
                f"{path}, line {number}: expected rows with a label in .csv, .tsv or .jsonl (or .gz of these), or "
                f"sentiment trees such as (3 (2 It) (4 (2 's) (4 good))); got {line[:40]!r} (--{split})"
            )
        try:
            phrases = parse_tree(line)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error} (--{split})") from error
        counts.trees += 1
        for place, (label, words) in enumerate(phrases if trees.phrases else phrases[:1]):
            row = " ".join(words), label
            if trees.polarity:
                try:
                    row = row[0], _POLARITY[label]
                except KeyError:
                    raise DataError(
                        f"{path}, line {number}: the label {label!r} is not one of 0 to 4, which polarity needs (--set)"
                    ) from None
            if not row[1]:
                counts.neutral += 1
            elif place and row in seen:
                counts.repeated += 1
            else:
                yield *row, number
            seen.add(row)


def _table_rows(
    path: Path, lines: Iterable[str], text_column: str | None, label_column: str | None, counts: ReadCounts
) -> Iterator[Row]:
    rows = table_rows(path, lines)
    first = next(rows, None)
    if first is None:
        return
    pick, header = _table_columns(path, first[1], text_column, label_column)
    for number, row in rows if header else chain([first], rows):
        if not row:
            continue
        counts.files.long_rows += header and beyond(row, first[1])
        try:
            yield *pick(row), number
        except IndexError:
            counts.rows += 1
            counts.short += 1


def _table_columns(
    path: Path, first: list[str], text_column: str | None, label_column: str | None
) -> tuple[Pick, bool]:
    """How to take text and label from a row, and whether the first row is a header."""
    by_number = [are_numbers(column) for column in (text_column, label_column) if column is not None]
    if any(by_number) and not all(by_number):
        raise ConfigError(
            f"--text-column {text_column} and --label-column {label_column}: give both by name or both by number"
        )
    shown = ", ".join(f"{number}: {value[:30]!r}" for number, value in enumerate(first, 1))
    if by_number and not by_number[0]:
        return _named(path, first, text_column, label_column), True
    if not by_number and _known_texts(first) and _known_label(first) is not None:
        return _named(path, first, None, None), True
    label = int(label_column) if label_column and label_column.isdigit() else 1
    if label_column and not label_column.isdigit():
        raise ConfigError(f"--label-column {label_column}: one column is expected")
    if text_column is None and label != 1:
        raise ConfigError(f"--label-column {label} needs --text-column; the columns of {path} are {shown}")
    ranges = column_ranges(text_column or "2-")
    needed = max(label, *(max(start, stop or 0) for start, stop in ranges))
    if needed > len(first) or label < 1:
        raise DataError(
            f"{path} has {len(first)} columns ({shown}), no column {needed}: choose with --text-column, --label-column"
        )

    def pick(row: Cells) -> tuple[str, str]:
        if len(row) < needed:
            raise IndexError
        text = " ".join(cell for start, stop in ranges for cell in row[start - 1 : stop])
        return text.strip(), row[label - 1].strip()

    return pick, False


def _known_label(names: Sequence[str]) -> str | None:
    """The well-known label column among `names`, as it is spelled there."""
    spelled = {name.strip().lower(): name for name in reversed(names)}
    return next((spelled[name] for name in LABEL_NAMES if name in spelled), None)


def _known_texts(names: Sequence[str]) -> list[str]:
    """The well-known text columns among `names`, as they are spelled there; empty when there are none."""
    spelled = {name.strip().lower(): name for name in reversed(names)}
    return next(([spelled[name] for name in group] for group in TEXT_NAMES if all(n in spelled for n in group)), [])


def _chosen(
    where: object, names: Sequence[str], text_column: str | None, label_column: str | None
) -> tuple[list[str], str]:
    """Names of the text columns and of the label column: the ones asked for, else well-known ones."""
    texts = column_names(text_column) if text_column else _known_texts(names)
    label = label_column.strip() if label_column else _known_label(names)
    shown = ", ".join(name[:30] for name in names)
    if not texts or label is None:
        missing = "--label-column" if texts else "--text-column"
        raise DataError(f"{where} has the columns {shown}: say which to take with {missing}")
    for name, flag in [*((text, "--text-column") for text in texts), (label, "--label-column")]:
        if name not in names:
            raise DataError(f"{where} has no column {name!r}; it has {shown} ({flag})")
    return texts, label


def _named(path: Path, header: list[str], text_column: str | None, label_column: str | None) -> Pick:
    texts, label = _chosen(path, header, text_column, label_column)
    places, label_place = [header.index(text) for text in texts], header.index(label)
    return lambda row: (" ".join(row[place] for place in places).strip(), row[label_place].strip())


def _json_rows(
    path: Path, lines: Iterable[str], text_column: str | None, label_column: str | None, counts: ReadCounts
) -> Iterator[Row]:
    chosen: tuple[list[str], str] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        record = json_record(path, number, line)
        chosen = chosen or _chosen(path, list(record), text_column, label_column)
        if any(name not in record for name in (*chosen[0], chosen[1])):
            counts.rows += 1
            counts.short += 1
            continue
        yield *_from_record(record, *chosen), number


def _from_record(record: dict[str, Any], texts: list[str], label: str) -> tuple[str, str]:
    found = replace_surrogates(json_text(record, ",".join(texts)))
    return found.replace("\0", "").strip(), "" if record[label] is None else str(record[label]).strip()


def _dataset_rows(name: str, text_column: str | None, label_column: str | None, split: str) -> Iterator[Row]:
    """Rows of a `datasets` name or folder; `NAME:SPLIT` names the split, else it goes by the flag."""
    import datasets

    where, _, part = name.partition(":")
    if where.startswith((".", "/")) and not Path(where).exists():
        raise DataError(f"{where} does not exist (--{split})")
    try:
        table = datasets.load_dataset(where, split=part or split)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{name} is no file, and `datasets` cannot load it: {str(error).splitlines()[0][:200]} (--{split})"
        ) from error
    texts, label = _chosen(name, table.column_names, text_column, label_column)
    classes = getattr(table.features[label], "names", None)
    for number, record in enumerate(table, 1):
        text, value = _from_record(record, texts, label)
        if classes and value.isdigit():
            value = classes[int(value)]
        yield text, value if value != "-1" or not classes else "", number
