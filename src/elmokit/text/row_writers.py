"""What writes rows of named values, a function for each format of `formats.py` that is written."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from elmokit.errors import DataError
from elmokit.text.formats import Kind, Write
from elmokit.whole_files import json_text

_ROWS_A_GROUP = 1 << 14


class _Lines:
    r"""A file for `csv.writer` that ends lines with `\n`: only a writer of `\r\n` quotes a lone `\r`."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")


@contextmanager
def csv_rows(path: Path, columns: Mapping[str, Kind], *, delimiter: str = ",") -> Iterator[Write]:
    """The first row has the names; a cell is quoted with `"` where it needs it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(_Lines(file), delimiter=delimiter)
        rows.writerow(columns)

        def write(row: Sequence[Any]) -> None:
            cells = [str(value).lower() if isinstance(value, bool) else value for value in row]
            rows.writerow([None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in cells])

        yield write


def tsv_rows(path: Path, columns: Mapping[str, Kind]) -> AbstractContextManager[Write]:
    """The same, with tabs."""
    return csv_rows(path, columns, delimiter="\t")


@contextmanager
def json_lines(path: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
    """An object per row."""
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(row: Sequence[Any]) -> None:
            file.write(json_text(dict(zip(columns, row, strict=True))) + "\n")

        yield write


@contextmanager
def parquet_rows(path: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
    """A row group for every so many rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "truth": pa.bool_(), "any": None}
    held: list[Sequence[Any]] = []
    with ExitStack() as stack:
        opened: list[Any] = []  # the writer, once the types of all columns are known

        def flush() -> None:
            values = list(zip(*held, strict=True)) if held else [() for _ in columns]
            wanted = opened[0].schema.types if opened else [types[kind] for kind in columns.values()]
            arrays = [_array(name, column, type_) for name, column, type_ in zip(columns, values, wanted, strict=True)]
            table = pa.Table.from_arrays(arrays, names=list(columns))
            if not opened:
                opened.append(stack.enter_context(pq.ParquetWriter(path, table.schema, compression="zstd")))
            opened[0].write_table(table)
            held.clear()

        def write(row: Sequence[Any]) -> None:
            held.append(row)
            if len(held) == _ROWS_A_GROUP:
                flush()

        yield write
        flush()


def _array(name: str, values: Sequence[Any], wanted: Any) -> Any:
    """A column of Parquet. Values of several types are text; where all are None, too.

    Raises:
        DataError: They are not of the type that the first values had.
    """
    import pyarrow as pa

    try:
        found = pa.array(values, type=wanted, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        if wanted is not None:
            raise DataError(f"column {name!r} has {wanted} first and something else later: write JSON lines") from error
        return pa.array([None if value is None else str(value) for value in values], type=pa.string())
    return found.cast(pa.string()) if pa.types.is_null(found.type) else found
