"""JSON: an object per line, or an array of objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from elmokit.errors import DataError
from elmokit.text.char_ids import replace_surrogates
from elmokit.text.columns import Column, chosen_names
from elmokit.text.files import SourceStats
from elmokit.text.records import Cell, Record, Source
from elmokit.whole_files import JsonObject


def read_json_lines(source: Source) -> Iterator[Record]:
    """A record for each line."""
    return records_of(source, _by_line(source, source.lines()), unit="line")


def read_json(source: Source) -> Iterator[Record]:
    """A record for each object of an array, or for each line where every line is an object."""
    text = "".join(source.lines())
    if text.lstrip()[:1] == "[":
        yield from records_of(source, _by_item(source.path, text), unit="item")
        return
    try:
        content = json.loads(text) if text.strip() else {}
    except (json.JSONDecodeError, RecursionError):  # an object per line, or no JSON: then the error names its line
        yield from records_of(source, _by_line(source, text.splitlines(keepends=True)), unit="line")
        return
    if isinstance(content, dict) and content and not any(isinstance(value, list | dict) for value in content.values()):
        yield from records_of(source, iter([(1, content)]), unit="line")
    elif content:
        shown = _shown(content)
        raise DataError(
            f"{source.path} is one JSON object ({shown}); expected an array of objects, or an object per line"
        )


def json_record(path: Path, number: int, line: str) -> JsonObject:
    """The object on one line of a JSONL file; `DataError` names the file and the line when there is none."""
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} line {number} is no JSON: {line[:60]!r}") from error
    if not isinstance(record, dict):
        raise DataError(f"{path} line {number}: expected a JSON object, got {line[:60]!r}")
    return record


Objects = Iterator[tuple[int, JsonObject | None]]  # each behind its number; None for a blank line


def _by_line(source: Source, lines: Iterable[str]) -> Objects:
    for number, line in enumerate(lines, 1):
        yield number, json_record(source.path, number, line) if line.strip() else None


def _by_item(path: Path, text: str) -> Objects:
    try:
        items = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {str(error)[:100]}") from error
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise DataError(f"{path} item {number}: expected a JSON object, got {json.dumps(item)[:60]}")
        yield number, item


def records_of(source: Source, objects: Objects, *, unit: str) -> Iterator[Record]:
    """A record for each object behind its number, which counts `unit`s; None is a blank line."""
    chosen: dict[str, list[str]] | None = None
    columns = {column.name: column for column in source.columns}
    for number, content in objects:
        if content is None:
            source.stats.blank += 1
            yield source.record(number, {}, unit=unit)
            continue
        chosen = chosen or chosen_names(source.path, list(content), source.columns)
        if any(key not in content for keys in chosen.values() for key in keys):
            source.stats.short_rows += 1
            yield source.record(number, {}, unit=unit, row=content.copy)
            continue
        place = f"{source.path} {unit} {number}"
        fields = {name: field_of(place, content, keys, columns[name], source.stats) for name, keys in chosen.items()}
        yield source.record(number, fields, unit=unit, row=content.copy)


def field_of(place: str, content: Mapping[str, Any], keys: Sequence[str], column: Column, stats: SourceStats) -> Cell:
    """What an object has under some keys: texts are joined by a space, lists of words by nothing.

    Raises:
        DataError: Something else is there, or a list where none is expected.
    """
    values = [_value(place, key, content[key], column, stats) for key in keys]
    lists = [value for value in values if isinstance(value, list)]
    if not lists:
        return " ".join(value for value in values if isinstance(value, str) and (value or len(values) == 1))
    if len(lists) < len(values):
        raise DataError(f"{place}: of {', '.join(keys)} some are text and some are lists of words ({column.flag})")
    return [word for words in lists for word in words]


def _value(place: str, key: str, value: Any, column: Column, stats: SourceStats) -> Cell:
    if isinstance(value, dict):
        raise DataError(f"{place}: {key!r} is an object, {_shown(value)}; expected text ({column.flag})")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, list):
        return _clean(value, stats) if isinstance(value, str) else str(value)
    if not column.holds_words:
        raise DataError(
            f"{place}: {key!r} is a list, {_shown(value)}; expected one {column.name} ({column.flag}){column.instead}"
        )
    words = value
    if column.kind == "label":
        words = [str(word) if isinstance(word, int) else word for word in words]
    odd = next((word for word in words if not isinstance(word, str)), None)
    if odd is not None or None in words:
        raise DataError(
            f"{place}: {key!r} is a list with {_shown(odd)}; expected text, or a list of words ({column.flag})"
        )
    kept = [clean for word in words if (clean := _clean(word, stats).strip())]
    stats.empty_words += len(words) - len(kept)
    return kept


def _clean(text: str, stats: SourceStats) -> str:
    clean = replace_surrogates(text).replace("\0", "")
    stats.invalid_utf8 += clean != text
    return clean


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]
