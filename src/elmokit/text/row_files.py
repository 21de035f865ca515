"""Rows of named values to a file: TSV, CSV, JSON lines or Parquet, by the ending of its name."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from elmokit.errors import ConfigError, DataError
from elmokit.whole_files import json_text, replacing

Kind = Literal["text", "whole", "number", "truth", "any"]
"""Of a column; any cell may be None. Of "any" the type in Parquet is that of its first values."""

Write = Callable[[Sequence[Any]], None]

_ROWS_A_GROUP = 1 << 14


def check_row_file(output: Path, *, overwrite: bool, flag: str = "--output", more: Sequence[str] = ()) -> None:
    """
    Raises:
        ConfigError: No format is known by the ending of `output` (`more` are endings that somebody else writes), it
            exists, or its folder does not.
    """
    endings = (*_WRITERS, *more)
    if output.suffix not in endings:
        raise ConfigError(f"{flag} {output}: expected a name that ends in {', '.join(endings)}")
    if output.is_dir():
        raise ConfigError(f"{flag} {output} is a folder; expected the name of a file")
    if output.exists() and not overwrite:
        raise ConfigError(f"{flag} {output} exists: --overwrite replaces it")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {flag}, {output.absolute().parent}, does not exist")


@contextmanager
def writing_rows(output: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
    """What writes a row of `output`, its values in the order of `columns`; the file is there when the block ends well.

    In TSV and CSV the first row has the names, a cell is quoted with `"` where it needs it, and None and numbers that
    are not finite are empty; elsewhere these are null.
    """
    with replacing(output) as partial, _WRITERS[output.suffix](partial, columns) as write:
        yield write


class _Lines:
    r"""A file for `csv.writer` that ends lines with `\n`: only a writer of `\r\n` quotes a lone `\r`."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")


def _separated(delimiter: str) -> Callable[[Path, Mapping[str, Kind]], AbstractContextManager[Write]]:
    @contextmanager
    def writing(path: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(_Lines(file), delimiter=delimiter)
            rows.writerow(columns)
            yield lambda row: rows.writerow([_cell(value) for value in row])

    return writing


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def _json_lines(path: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(row: Sequence[Any]) -> None:
            file.write(json_text(dict(zip(columns, row, strict=True))) + "\n")

        yield write


@contextmanager
def _parquet(path: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
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
            raise DataError(f"column {name!r} has {wanted} first and something else later: write .jsonl") from error
        return pa.array([None if value is None else str(value) for value in values], type=pa.string())
    return found.cast(pa.string()) if pa.types.is_null(found.type) else found


_WRITERS: dict[str, Callable[[Path, Mapping[str, Kind]], AbstractContextManager[Write]]] = {
    ".tsv": _separated("\t"),
    ".csv": _separated(","),
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
