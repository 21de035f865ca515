"""Rows with a text and a label, from files or `datasets`: which column is which, and what was wrong with the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import LABEL_NAMES, Column, chosen_names
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.json_records import field_of
from elmokit.text.readers import READERS, TABLES, ending, read_records, reader_of
from elmokit.text.records import AS_FOUND, FileOptions, Source
from elmokit.text.trees import is_tree, parse_tree

_POLARITY = {"0": "negative", "1": "negative", "2": "", "3": "positive", "4": "positive"}
SUFFIXES = (*READERS, ".txt", ".gz", ".bz2", ".xz", ".zst", ".parquet", ".zip", ".xlsx")
_WHOLE = re.compile(r"([+-]?\d+)\.0*")

Row = tuple[str, str, int]  # text, label, and the number of the line or row they stand in


@dataclass
class ReadCounts:
    """What reading met: rows read, rows left out or mended, by reason, and the place where each label stands first."""

    rows: int = 0
    trees: int = 0
    empty: int = 0
    no_label: int = 0
    neutral: int = 0
    repeated: int = 0
    files: SourceStats = field(default_factory=SourceStats)
    places: dict[str, str] = field(default_factory=dict)

    def troubles(self) -> dict[str, int]:
        """The reasons that occurred, in words."""
        words = {
            "rows without a text, left out": self.empty,
            "rows without a label, left out": self.no_label,
            "rows with too few columns, left out": self.files.short_rows,
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
    trees: TreeReading = TreeReading(), options: FileOptions = AS_FOUND,
) -> tuple[list[str], list[str], ReadCounts]:  # fmt: skip
    """Texts and labels of files (globs too) or of a `datasets` name such as `ag_news`, `ag_news:test` or a folder.

    A column is a name (of the header, or a JSON key) or a number from 1; several text columns are joined by a space:
    `title,description`, `2,3`, `2-` (to the last). Without columns well-known names say what to take, and in a table
    without a header column 1 is the label and `2-` the text. A text file of sentiment trees, one per line, needs no
    columns. Empty texts are left to the caller.
    """
    columns = _columns(text_column, label_column)
    counts = ReadCounts()
    texts: list[str] = []
    labels: list[str] = []
    for name in names:
        before, short = counts.rows, counts.files.short_rows
        if _is_file(name):
            rows = _file_rows(name, columns, options, split, trees, counts)
        else:
            where = f"{name} row"
            rows = ((where, row) for row in _dataset_rows(name, columns, split, counts))
        for where, (text, label, number) in rows:
            counts.rows += 1
            if label:
                texts.append(text)
                labels.append(label)
                if label not in counts.places:
                    counts.places[label] = f"{where} {number}"
            else:
                counts.no_label += 1
        counts.rows += counts.files.short_rows - short
        if counts.rows == before:
            raise DataError(f"{name} contains no rows, expected texts with labels (--{split})")
    return texts, labels, counts


def _is_file(name: str) -> bool:
    path = Path(name)
    return path.is_file() or _is_pattern(name) or path.name.lower().endswith(SUFFIXES)


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _columns(text_column: str | None, label_column: str | None) -> list[Column]:
    text = Column("text", "--text-column", text_column, without_header="2-", holds_words=False)
    label = Column("label", "--label-column", label_column, LABEL_NAMES, "1", kind="label", holds_words=False)
    asked = [column for column in (text, label) if column.asked is not None]
    if len({column.by_name for column in asked}) > 1:
        raise ConfigError(
            f"--text-column {text_column} and --label-column {label_column}: give both by name or both by number"
        )
    if label_column is not None and not label.by_name and not label_column.strip().isdigit():
        raise ConfigError(f"--label-column {label_column}: one column is expected")
    return [text, label]


def _file_rows(
    name: str, columns: Sequence[Column], options: FileOptions, split: str, trees: TreeReading, counts: ReadCounts
) -> Iterator[tuple[str, Row]]:
    """The rows of all files, each behind the name of its file."""
    if not Path(name).exists() and not _is_pattern(name):
        raise DataError(f"{name} does not exist (--{split})")
    for path in expand_paths(name):
        reader_of(path)  # refuses what cannot be read
        kind = ending(path)
        if kind not in READERS:
            source = Source(path, columns, options, counts.files)
            yield from ((f"{path} line", row) for row in _tree_rows(source, split, trees, counts))
        elif kind not in TABLES:
            raise DataError(f"{path} holds sentences without labels; expected {', '.join(TABLES)} (--{split})")
        else:
            for record in read_records(path, columns=columns, options=options, stats=counts.files):
                if record.fields:
                    label = label_of(str(record.fields["label"]))
                    yield f"{path} {record.unit}", (record.text.strip(), label, record.line)


def label_of(label: str) -> str:
    """A label as it is compared: without space around it, and a whole number as `1`, were it written as `1.0`."""
    label = label.strip()
    whole = _WHOLE.fullmatch(label)
    return whole[1] if whole else label


def _tree_rows(source: Source, split: str, trees: TreeReading, counts: ReadCounts) -> Iterator[Row]:
    """Sentences, and their other phrases once each: `the` stands in most sentences and always has the same label."""
    path = source.path
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(source.lines(), 1):
        if not line.strip():
            continue
        if not is_tree(line):
            raise DataError(
                f"{path}, line {number}: expected rows with a label ({', '.join(TABLES)}), or "
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


def _dataset_rows(name: str, columns: Sequence[Column], split: str, counts: ReadCounts) -> Iterator[Row]:
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
    chosen = chosen_names(name, table.column_names, columns)
    classes = getattr(table.features[chosen["label"][0]], "names", None)
    for number, record in enumerate(table, 1):
        text, value = (
            str(field_of(f"{name} row {number}", record, chosen[column.name], column, counts.files)).strip()
            for column in columns
        )
        value = label_of(value)
        if classes and value.isdigit():
            value = classes[int(value)]
        yield text, value if value != "-1" or not classes else "", number
