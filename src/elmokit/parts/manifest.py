"""The list of parts, as a Parquet file that is written and read a few thousand rows at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError, DataError
from elmokit.parts.work import Part
from elmokit.places import Place
from elmokit.text.ranges import Range

ROWS = 10_000
"""Parts that the driver has in memory at once."""


@dataclass(frozen=True)
class Share:
    """The parts of one of several jobs: every `of`-th, from the `number`-th on; both count from 1."""

    number: int = 1
    of: int = 1


WHOLE = Share()


def parse_share(given: str) -> Share:
    """`3/8` as a share.

    Raises:
        ConfigError: It is nothing of the kind.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", given.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ConfigError(
            f"--parts is {given!r}; expected i/n with i from 1 to n, e.g. 3/8 for the third of eight jobs"
        )
    return Share(int(match[1]), int(match[2]))


def write_manifest(place: Place, ranges: Iterable[Range]) -> int:
    """Write the parts, numbered from 0; returns how many there are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(_fields(pa))
    rows = enumerate(ranges)
    count = 0
    with place.written() as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        while block := list(islice(rows, ROWS)):
            parts = [(number, *_values(each)) for number, each in block]
            writer.write_table(pa.table(list(map(list, zip(*parts, strict=True))), schema=schema))
            count += len(parts)
    return count


def manifest_length(place: Place) -> int:
    """How many parts a manifest has.

    Raises:
        DataError: It cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with place.open() as file:
            return int(pq.read_metadata(file).num_rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{place} is no manifest of parts ({error}): --overwrite starts anew") from error


def read_manifest(place: Place, wanted: NDArray[np.bool_] | None = None) -> Iterator[list[Part]]:
    """The parts in lists of up to `ROWS`; only those that are `wanted` (n_parts,)."""
    import pyarrow.parquet as pq

    first = 0
    with place.open() as file:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=ROWS):
            chosen = np.arange(batch.num_rows)
            if wanted is not None:
                chosen = np.flatnonzero(wanted[first : first + batch.num_rows])
            first += batch.num_rows
            if len(chosen):
                columns = batch.take(chosen).to_pydict()
                yield [
                    Part(number, Range(*values))
                    for number, *values in zip(
                        columns["part"], columns["file"], columns["unit"], columns["start"], columns["end"], strict=True
                    )
                ]


def complete_manifest(source: Place, target: Place, counts: NDArray[np.int64]) -> None:
    """The manifest with the counts (n_parts, 3) of sentences, words and skipped lines next to each part.

    `first_sentence` is the number that the first sentence of a part has in the whole input.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            *_fields(pa),
            ("sentences", pa.int64()),
            ("words", pa.int64()),
            ("skipped", pa.int64()),
            ("first_sentence", pa.int64()),
        ]
    )
    starts = np.cumsum(counts[:, 0]) - counts[:, 0]
    with target.written() as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for parts in read_manifest(source):
            numbers = [part.number for part in parts]
            columns: list[Any] = list(map(list, zip(*((p.number, *_values(p.range)) for p in parts), strict=True)))
            columns += [pa.array(counts[numbers, column]) for column in range(3)] + [pa.array(starts[numbers])]
            writer.write_table(pa.table(columns, schema=schema))


def _fields(pa: Any) -> list[tuple[str, Any]]:
    text = pa.dictionary(pa.int32(), pa.string())
    return [("part", pa.int64()), ("file", text), ("unit", text), ("start", pa.int64()), ("end", pa.int64())]


def _values(each: Range) -> tuple[str, str, int, int]:
    return each.file, each.unit, each.start, each.end
