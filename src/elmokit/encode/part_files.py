"""One part's file of vectors, and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from elmokit.encode.skipping import SkippedLine
from elmokit.encode.writers import Hdf5Writer, OutputShape, ParquetWriter
from elmokit.parts.folder import PartFiles
from elmokit.parts.work import Counts
from elmokit.places import Place

PartFormat = Literal["parquet", "hdf5"]
_KEY = "elmokit"  # of the metadata: counts and skipped lines as JSON


def part_files(kind: PartFormat) -> PartFiles:
    """How files of vectors are named and looked at."""
    if kind == "parquet":
        return PartFiles(".parquet", _inspect_parquet)
    return PartFiles(".hdf5", _inspect_hdf5)


def part_writer(path: Path, kind: PartFormat, shape: OutputShape) -> ParquetWriter | Hdf5Writer:
    """A writer of one part."""
    return ParquetWriter(path, shape, fixed=True) if kind == "parquet" else Hdf5Writer(path)


def describe(writer: ParquetWriter | Hdf5Writer, counts: Counts, errors: list[SkippedLine]) -> None:
    """Write down in the file what is in it."""
    writer.describe({_KEY: json.dumps({"counts": counts, "errors": errors})})


def _inspect_parquet(place: Place) -> tuple[Counts, list[SkippedLine]] | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with place.open() as file:
            found = pq.read_metadata(file).metadata[_KEY.encode()]
    except (OSError, pa.ArrowInvalid, KeyError, TypeError):  # cut off, or of another program
        return None
    return _told(found)


def _inspect_hdf5(place: Place) -> tuple[Counts, list[SkippedLine]] | None:
    import h5py

    try:
        with place.open() as file, h5py.File(file, "r") as opened:
            found = opened.attrs[_KEY]
    except (OSError, KeyError):
        return None
    return _told(found)


def _told(found: str | bytes) -> tuple[Counts, list[SkippedLine]]:
    about = json.loads(found)
    return Counts(*about["counts"]), list(about["errors"])
