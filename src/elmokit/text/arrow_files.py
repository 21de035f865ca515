"""Parquet and Arrow files, also those of data sets that Hugging Face's `datasets` saved: a record for each row.

pyarrow is imported when such a file is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from elmokit.errors import DataError
from elmokit.text.columns import chosen_names
from elmokit.text.json_records import Objects, records_of
from elmokit.text.records import Record, Source
from elmokit.whole_files import JsonObject

_ROWS_AT_ONCE = 4096
_FILE_MAGIC = b"ARROW1"


def read_parquet(source: Source) -> Iterator[Record]:
    """A record for each row; only the columns that are needed are read."""
    import pyarrow.parquet as pq

    with _told(source.path, "Parquet"), pq.ParquetFile(source.path) as file:
        names = _needed(source, file.schema_arrow.names)
        batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=names)
        yield from records_of(source, _rows(batches, named_classes(file.schema_arrow)), unit="row")


def read_arrow(source: Source) -> Iterator[Record]:
    """A record for each row of an Arrow file or stream."""
    import pyarrow as pa

    with _told(source.path, "Arrow"), pa.memory_map(str(source.path)) as file:
        if file.read(len(_FILE_MAGIC)) == _FILE_MAGIC:
            reader = pa.ipc.open_file(file)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            file.seek(0)
            reader = pa.ipc.open_stream(file)
            batches = iter(reader)
        names = _needed(source, reader.schema.names)
        chosen = (batch.select(names) for batch in batches)
        yield from records_of(source, _rows(chosen, named_classes(reader.schema)), unit="row")


def named_classes(schema: Any) -> Callable[[JsonObject], JsonObject]:
    """A function that puts names in place of the class numbers of a row, where the file says what these are called.

    `datasets` writes the names of its `ClassLabel` columns, and of lists of these, into the metadata of the schema. A
    class of -1 is none.
    """
    about = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(about).get("info", {}).get("features", {}) if about else {}
    classes = {name: names for name, feature in features.items() if (names := _class_names(feature))}

    def named(row: JsonObject) -> JsonObject:
        return row | {name: _named(row[name], names) for name, names in classes.items() if name in row}

    return named if classes else lambda row: row


def _class_names(feature: Any) -> list[str]:
    if isinstance(feature, list):  # a list of what is in it
        return _class_names(feature[0]) if feature else []
    if not isinstance(feature, dict):
        return []
    return _class_names(feature["feature"]) if "feature" in feature else list(feature.get("names") or [])


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def _needed(source: Source, names: Sequence[str]) -> list[str]:
    """The columns that are read, in the order of the file."""
    chosen = {name for group in chosen_names(source.path, names, source.columns).values() for name in group}
    return [name for name in names if source.whole_rows or name in chosen]


def _rows(batches: Iterator[Any], named: Callable[[JsonObject], JsonObject]) -> Objects:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield number, named(row)


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    """What pyarrow finds wrong with a file, as an error that names it."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{path} is damaged or no {kind} file (unpacked, if it is packed): {reason}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or str(error).splitlines()[0][:120]}") from error
