"""Vectors in files: HDF5 as AllenNLP's `elmo` command wrote it, Parquet, and NumPy's npz.

A writer takes sentences in order and makes one file, under a name of its own until it is whole.
"""

from __future__ import annotations

import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.results import Item
from elmokit.errors import ConfigError

ENDINGS = (".hdf5", ".h5", ".parquet", ".npz")
_BYTES_AROUND = {".hdf5": 400, ".h5": 400, ".parquet": 40, ".npz": 700}  # a sentence: names, heads, tables
_ROWS_A_GROUP = 4096

Array = NDArray[Any]


@dataclass(frozen=True)
class OutputShape:
    """What each sentence brings.

    Attributes:
        layers: Their numbers, where several stay apart; None for one vector per word or sentence.
        dim: Size of a vector.
        level: "token" or "sentence".
        dtype: Of the vectors.
        ids: Sentences may have an id.
    """

    layers: Sequence[int] | None
    dim: int
    level: str
    dtype: str
    ids: bool = False


class Writer(ABC):
    """Sentences in, one file out. As a context manager: the file is there when the block ends without an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.writing")

    @abstractmethod
    def add(self, number: int, text: str, item: Item, vectors: Array) -> None:
        """Sentence `number`, its text and words: `vectors` are (layers, words, D), (words, D), or of a whole sentence
        (layers, D), (D,). Where only some positions are written, `words` counts these.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left and close the file."""

    @abstractmethod
    def drop(self) -> None:
        """Close the file as it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close() if kind is None else self.drop()
            if kind is None:
                self.partial.replace(self.path)
        finally:
            self.partial.unlink(missing_ok=True)


class Hdf5Writer(Writer):
    """One data set a sentence, named by its number from "0"; `sentence_to_index` maps the texts to the names.

    The layout of AllenNLP's `elmo` command. With whole sentences a data set is (layers, D) or (D,). Where only some
    words are written, the attribute `positions` of each data set has their numbers; the attribute `id` has its id.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        super().__init__(path)
        self._file = h5py.File(self.partial, "w")
        self._index: dict[str, str] = {}

    def add(self, number: int, text: str, item: Item, vectors: Array) -> None:
        data = self._file.create_dataset(str(number), data=vectors, track_times=False)
        if item.positions is not None:
            data.attrs["positions"] = np.asarray(item.positions, dtype=np.int64)
        if item.id is not None:
            data.attrs["id"] = item.id
        self._index[text] = str(number)

    def describe(self, about: dict[str, str]) -> None:
        """Attributes of the file."""
        self._file.attrs.update(about)

    def close(self) -> None:
        import h5py

        index = self._file.create_dataset("sentence_to_index", (1,), dtype=h5py.string_dtype(), track_times=False)
        index[0] = json.dumps(self._index)
        self._file.close()

    def drop(self) -> None:
        self._file.close()


class ParquetWriter(Writer):
    """A row a word: `sentence`, `position`, `word` and its vectors; or a row a sentence: `sentence`, `text`, vectors.

    Of several layers each has a column of lists, `layer_0` …; a single vector is in the column `vector`. With `fixed`
    the lists are of a type that says their length. Where sentences have ids, the last column is `id`.
    """

    def __init__(self, path: Path, shape: OutputShape, *, fixed: bool = False) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        super().__init__(path)
        self._fixed = fixed
        self._layers, self._level = shape.layers, shape.level
        token = [("sentence", pa.int64()), ("position", pa.int32()), ("word", pa.string())]
        fields = token if shape.level == "token" else [("sentence", pa.int64()), ("text", pa.string())]
        names = self._columns()
        item = pa.field("item", pa.float16() if shape.dtype == "float16" else pa.float32())
        values = pa.list_(item, shape.dim if fixed else -1)
        ids = [("id", pa.string())] if shape.ids else []
        self._schema = pa.schema([*fields, *((name, values) for name in names), *ids])
        self._writer = pq.ParquetWriter(self.partial, self._schema, compression="zstd")
        self._rows: dict[str, list[Any]] = {}
        self._count = 0

    def add(self, number: int, text: str, item: Item, vectors: Array) -> None:
        if self._level == "token":
            count = len(item.chosen)
            columns: dict[str, Any] = {
                "sentence": np.full(count, number, dtype=np.int64),
                "position": np.array(item.chosen, dtype=np.int32),
                "word": [item.words[position] for position in item.chosen],
            }
        else:
            count = 1
            columns = {"sentence": np.array([number], dtype=np.int64), "text": [text]}
            vectors = vectors[:, None] if self._layers is not None else vectors[None]
        names = self._columns()
        columns |= zip(names, [vectors] if self._layers is None else vectors, strict=True)
        if "id" in self._schema.names:
            columns["id"] = [item.id] * count
        for name, values in columns.items():
            self._rows.setdefault(name, []).append(values)
        self._count += count
        if self._count >= _ROWS_A_GROUP:
            self._flush()

    def _columns(self) -> list[str]:
        return ["vector"] if self._layers is None else [f"layer_{layer}" for layer in self._layers]

    def _flush(self) -> None:
        import pyarrow as pa

        arrays = {}
        for name, parts in self._rows.items():
            if name in ("word", "text", "id"):
                arrays[name] = pa.array([value for part in parts for value in part], type=pa.string())
            elif name in ("sentence", "position"):
                arrays[name] = pa.array(np.concatenate(parts))
            else:
                joined = np.concatenate(parts)  # (rows, D)
                if self._fixed:
                    arrays[name] = pa.FixedSizeListArray.from_arrays(pa.array(joined.ravel()), joined.shape[1])
                    continue
                offsets = np.arange(0, joined.size + 1, joined.shape[1], dtype=np.int32)
                arrays[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(joined.ravel()))
        if arrays:
            self._writer.write_table(pa.table(arrays, schema=self._schema))
        self._rows, self._count = {}, 0

    def describe(self, about: dict[str, str]) -> None:
        """Metadata of the file."""
        self._writer.add_key_value_metadata(about)

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def drop(self) -> None:
        self._writer.close()


class NpzWriter(Writer):
    """Arrays as `numpy.load` reads them: of the n-th sentence `vectors_n` and `words_n`; of whole sentences `vectors`.

    Where only some words are written, `positions_n` has their numbers. Whole sentences are kept until the end: they are
    one array. Where sentences have ids, the array `ids` has them, an empty one where there is none.
    """

    def __init__(self, path: Path, shape: OutputShape) -> None:
        super().__init__(path)
        self._shape = shape
        self._archive = zipfile.ZipFile(self.partial, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._sentences: list[Array] = []
        self._ids: list[str] = []

    def add(self, number: int, text: str, item: Item, vectors: Array) -> None:
        self._ids.append(item.id or "")
        if self._shape.level == "token":
            self._write(f"vectors_{number}", vectors)
            self._write(f"words_{number}", np.array([item.words[place] for place in item.chosen], dtype=np.str_))
            if item.positions is not None:
                self._write(f"positions_{number}", np.array(item.positions, dtype=np.int64))
        else:
            self._sentences.append(vectors)

    def _write(self, name: str, array: Array) -> None:
        from numpy.lib.format import write_array

        entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))  # no clock: equal runs, equal files
        with self._archive.open(entry, "w", force_zip64=True) as member:
            write_array(member, array, allow_pickle=False)

    def close(self) -> None:
        if self._shape.level != "token":
            size = (self._shape.dim,) if self._shape.layers is None else (len(self._shape.layers), self._shape.dim)
            empty = np.zeros((0, *size), dtype=self._shape.dtype)
            self._write("vectors", np.stack(self._sentences) if self._sentences else empty)
        if self._shape.ids:
            self._write("ids", np.array(self._ids, dtype=np.str_))
        self._archive.close()

    def drop(self) -> None:
        self._archive.close()


def check_ending(path: Path) -> None:
    """
    Raises:
        ConfigError: No format is known by the ending of `path`.
    """
    if path.suffix not in ENDINGS:
        raise ConfigError(f"OUTPUT is {path}, expected a name that ends in {', '.join(ENDINGS)}")


def writer_for(path: Path, shape: OutputShape) -> Writer:
    """The writer that the ending of `path` asks for.

    Raises:
        ConfigError: No format is known by it.
    """
    check_ending(path)
    if path.suffix == ".parquet":
        return ParquetWriter(path, shape)
    return NpzWriter(path, shape) if path.suffix == ".npz" else Hdf5Writer(path)


def forecast(path: Path, *, sentences: int, words: int, numbers: int, itemsize: int, level: str) -> int:
    """Bytes that the file will take, about. `numbers` are those of one word: layers × D."""
    vectors = words if level == "token" else sentences
    return vectors * numbers * itemsize + words * 12 + sentences * _BYTES_AROUND.get(path.suffix, 0)
