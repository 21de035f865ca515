"""Rows with a text and labels, from files or `datasets`: which column is which, and what was wrong with the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import ID_NAMES, LABEL_NAMES, Column, chosen_names, column_names
from elmokit.text.containers import splits_of, zip_of
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.formats import PACKED_ENDINGS, PLAIN, ending, endings_of, format_of, reader_of
from elmokit.text.json_records import field_of
from elmokit.text.readers import read_records
from elmokit.text.records import AS_FOUND, Cell, FileOptions, Source
from elmokit.text.trees import is_tree, parse_tree

_POLARITY = {"0": "negative", "1": "negative", "2": "", "3": "positive", "4": "positive"}
SUFFIXES = (*endings_of(), ".txt", *PACKED_ENDINGS, ".zip", ".xlsx")
"""Endings that say of a name that it is one of a file, no data set's."""

_ID = Column("id", "", None, ID_NAMES, holds_words=False, optional=True)
_WHOLE = re.compile(r"([+-]?\d+)\.0*")

_PRESENT = {"1": True, "true": True, "0": False, "false": False, "": False}
_MARKED = re.compile(r"(?<!\S)__label__(\S+)\s*")


class Row(NamedTuple):
    """A text, its label or labels, the number of the line or row they stand in, and what the file calls them."""

    text: str
    cell: Cell
    number: int
    id: str = ""


@dataclass
class ReadCounts:
    """What reading met: rows read, rows left out or mended, by reason, and the place where each label stands first.

    `ids` has for each text the id that its file gives it, else file and line.
    """

    rows: int = 0
    trees: int = 0
    empty: int = 0
    no_label: int = 0
    unlabelled: int = 0
    neutral: int = 0
    repeated: int = 0
    files: SourceStats = field(default_factory=SourceStats)
    places: dict[str, str] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    def troubles(self) -> dict[str, int]:
        """The reasons that occurred, in words."""
        words = {
            "rows without a text, left out": self.empty,
            "rows without a label, left out": self.no_label,
            "rows that have none of the labels": self.unlabelled,
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


def read_rows(
    names: Sequence[str],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    split: str = "train",
    trees: TreeReading = TreeReading(),
    options: FileOptions = AS_FOUND,
    separator: str | None = None,
    remembered: tuple[str | None, str | None] = (None, None),
) -> tuple[list[str], list[list[str]], ReadCounts]:
    """Texts and their labels of files (globs too), of folders named after classes, or of a `datasets` name or folder.

    A `datasets` name is one such as `ag_news` or `ag_news:test`. A column is a name (of the header, or a JSON key) or
    a number from 1; several text columns are joined by a space: `title,description`, `2,3`, `2-` (to the last). Without
    columns well-known names say what to take, and in a table without a header column 1 is the label and `2-` the text.
    A text file of sentiment trees, or of lines with `__label__NAME`, needs no columns. Empty texts are left to the
    caller.

    Args:
        names: See above.
        text_column, label_column: Where text and label stand.
        split: Of the data, for `datasets` and for errors.
        trees: What is read of sentiment trees.
        options: How the files are written, where that does not show.
        separator: Texts have several labels, or none: lists, a cell with this character between them, or several
            label columns with 1 or 0, whose names are the labels. Without it a text has one.
        remembered: The text and label columns that a model was trained with.
    """
    columns = _columns(text_column, label_column, remembered, several=separator is not None)
    counts = ReadCounts()
    texts: list[str] = []
    labels: list[list[str]] = []
    for name in names:
        before, short = counts.rows, counts.files.short_rows
        if is_file_name(name) or class_folders(name):
            rows = _file_rows(name, columns, options, split, trees, counts)
        else:
            where = f"{name} row"
            rows = ((where, row) for row in _dataset_rows(name, columns, split, counts))
        for where, row in rows:
            counts.rows += 1
            place = f"{where} {row.number}"
            cell = row.cell
            if isinstance(cell, str):
                cell = [cell] if separator is None else cell.split(separator)
            own = list(dict.fromkeys(label for part in cell if (label := label_of(part))))
            if separator is None and len(own) > 1:
                shown = ", ".join(own)[:60]
                raise DataError(
                    f"{place} has {len(own)} labels, {shown}; expected one (--target labels learns several)"
                )
            if separator is None and not own:
                counts.no_label += 1
                continue
            texts.append(row.text)
            labels.append(own)
            counts.ids.append(row.id or place)
            counts.unlabelled += not own
            for label in own:
                counts.places.setdefault(label, place)
        counts.rows += counts.files.short_rows - short
        if counts.rows == before:
            raise DataError(f"{name} contains no rows, expected texts with labels (--{split})")
    return texts, labels, counts


def class_folders(name: str) -> list[Path]:
    """The folders of a folder whose names are classes: they have plain text files, one text each; else none."""
    inner = _visible(Path(name)) if Path(name).is_dir() else []
    if not inner or any(path.is_file() for path in inner):
        return []
    files = [path for folder in inner for path in _visible(folder)]
    plain = all(path.is_file() and ending(path) in (".txt", f".{path.name.lower()}") for path in files)
    return inner if files and plain else []


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def is_file_name(name: str) -> bool:
    """Whether there is such a file or saved data set, or the name looks like one; else it may be one of `datasets`."""
    path = Path(name)
    return (
        path.is_file()
        or zip_of(path) is not None
        or bool(splits_of(path))
        or (path / "state.json").is_file()
        or _is_pattern(name)
        or path.name.lower().endswith(SUFFIXES)
    )


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _columns(
    text_column: str | None, label_column: str | None, remembered: tuple[str | None, str | None], *, several: bool
) -> list[Column]:
    """The text, and the column of the label, or of each label."""
    text = Column(
        "text", "--text-column", text_column, without_header="2-", holds_words=False, remembered=remembered[0]
    )
    label = Column(
        "label",
        "--label-column",
        label_column,
        LABEL_NAMES,
        "1",
        kind="label",
        holds_words=several,
        remembered=remembered[1],
        instead="; --target labels learns several labels per text",
    )
    asked = [column for column in (text, label) if column.asked is not None]
    if len({column.by_name for column in asked}) > 1:
        raise ConfigError(
            f"--text-column {text_column} and --label-column {label_column}: give both by name or both by number"
        )
    parts = column_names(label_column or remembered[1] or "")
    number = label_column is not None and not label.by_name
    if number and (len(parts) > 1 or not parts[0].isdigit()):
        several_by = "; several are given by their names" if several else ""
        raise ConfigError(f"--label-column {label_column}: one column is expected{several_by}")
    if not several or len(parts) == 1:
        return [text, label]
    one = replace(label, known=(), without_header=None, holds_words=False)
    own = [
        replace(one, name=f"label {part}", asked=None if label_column is None else part, remembered=part)
        for part in dict.fromkeys(parts)
    ]
    return [text, *own]


def _cell(fields: Mapping[str, Cell], labels: Sequence[Column], place: str) -> Cell:
    """The content of the label column, or the labels whose own columns contain 1."""
    if labels[0].name == "label":
        return fields["label"]
    present = []
    for column in labels:
        name, value = column.name.removeprefix("label "), str(fields[column.name]).strip()
        found = _PRESENT.get(label_of(value).casefold())
        if found is None:
            raise DataError(
                f"{place}: {name!r} is {value[:40]!r}; expected 1 or 0: several columns of {column.flag} say which "
                "labels a text has"
            )
        if found:
            present.append(name)
    return present


def _file_rows(
    name: str, columns: Sequence[Column], options: FileOptions, split: str, trees: TreeReading, counts: ReadCounts
) -> Iterator[tuple[str, Row]]:
    """The rows of all files, each behind the name of its file."""
    if not Path(name).exists() and not _is_pattern(name) and zip_of(name) is None:
        raise DataError(f"{name} does not exist (--{split})")
    folders = class_folders(name)
    for folder in folders:
        files = _visible(folder)
        if not files:
            raise DataError(f"{folder} contains no texts; expected some of the class {folder.name!r} (--{split})")
        for path in files:
            text = "".join(Source(path, columns, options, counts.files).lines())
            yield f"{path} line", Row(text.strip(), folder.name, 1)
    if split in splits_of(Path(name)):
        name = str(Path(name) / split)
    for path in expand_paths(name) if not folders else ():
        reader_of(path)  # refuses what cannot be read
        if format_of(path) is PLAIN:
            source = Source(path, columns, options, counts.files)
            yield from ((f"{path} line", row) for row in _line_rows(source, split, trees, counts))
        elif not format_of(path).has_labels:
            expected = ", ".join(endings_of("has_labels"))
            raise DataError(f"{path} contains sentences without labels; expected {expected} (--{split})")
        else:
            for record in read_records(path, columns=[*columns, _ID], options=options, stats=counts.files):
                if record.fields:
                    id_ = str(record.fields.get("id", "")).strip()
                    where = f"{path} {record.unit}"
                    cell = _cell(record.fields, columns[1:], f"{where} {record.line}")
                    yield where, Row(record.text.strip(), cell, record.line, id_)


def label_of(label: str) -> str:
    """A label as it is compared: without space around it, and a whole number as `1`, were it written as `1.0`."""
    label = label.strip()
    whole = _WHOLE.fullmatch(label)
    return whole[1] if whole else label


def _line_rows(source: Source, split: str, trees: TreeReading, counts: ReadCounts) -> Iterator[Row]:
    """The rows of a text file: lines of fastText, `__label__NAME` before a text, also several times; or trees.

    These give sentences, and their other phrases once each: `the` stands in most sentences and always has one label.
    """
    begin = source.lines(stats=SourceStats(), max_bytes=1 << 16)
    marked = _MARKED.search(next((line for line in begin if line.strip()), "")) is not None
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(source.lines(), 1):
        if not line.strip():
            continue
        if marked:
            yield Row(_MARKED.sub("", line).strip(), _MARKED.findall(line), number)
            continue
        place = f"{source.path}, line {number}"
        if not is_tree(line):
            tables = ", ".join(endings_of("has_labels"))
            raise DataError(
                f"{place}: expected rows with a label ({tables}), lines with __label__NAME, or sentiment trees such as "
                f"(3 (2 It) (4 (2 's) (4 good))); got {line[:40]!r} (--{split})"
            )
        try:
            phrases = parse_tree(line)
        except ValueError as error:
            raise DataError(f"{place}: {error} (--{split})") from error
        counts.trees += 1
        for phrase, (label, words) in enumerate(phrases if trees.phrases else phrases[:1]):
            if trees.polarity and label not in _POLARITY:
                raise DataError(f"{place}: the label {label!r} is not one of 0 to 4, which polarity needs (--set)")
            row = " ".join(words), _POLARITY[label] if trees.polarity else label
            if not row[1]:
                counts.neutral += 1
            elif phrase and row in seen:
                counts.repeated += 1
            else:
                yield Row(*row, number)
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
    feature = table.features[chosen[columns[1].name][0]]
    classes = getattr(getattr(feature, "feature", feature), "names", None) if len(columns) == 2 else None

    def named(label: str) -> str:
        label = label_of(label)
        if classes and label.isdigit():
            return str(classes[int(label)])
        return "" if classes and label == "-1" else label

    for number, record in enumerate(table, 1):
        place = f"{name} row {number}"
        fields = {column.name: field_of(place, record, chosen[column.name], column, counts.files) for column in columns}
        value = _cell(fields, columns[1:], place)
        labels = named(value) if isinstance(value, str) else [named(each) for each in value]
        yield Row(str(fields["text"]).strip(), labels, number)
