"""First pass: the words of each part are counted and written by hash bucket; then each bucket is merged by itself.

A word is in the bucket that its hash names, in every part. So merging a bucket needs the memory of that bucket alone,
whatever the number of types in all.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.parts.folder import PartFiles
from elmokit.parts.work import Counts, Part
from elmokit.places import Place
from elmokit.pretrain.prepare.text import TextSettings, part_sentences
from elmokit.whole_files import JsonObject

BUCKETS = 64
_ROWS_AT_ONCE = 1 << 20  # of a bucket, before equal words are added up


def word_hash(word: str) -> int:
    """64 bits, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _inspect(place: Place) -> tuple[Counts, list[JsonObject]] | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with place.open() as file:
            found = pq.read_metadata(file).metadata[b"elmokit"]
    except (OSError, pa.ArrowInvalid, KeyError, TypeError):  # cut off
        return None
    return Counts(*map(int, found.split())), []


COUNT_FILES = PartFiles(".parquet", _inspect)


@dataclass(frozen=True)
class CountWords:
    """The work of the first pass on a part: a Parquet file of words and counts with a row group for each bucket."""

    settings: TextSettings
    output: str

    def open(self) -> Callable[[Part], Counts]:
        """Nothing has to be loaded."""
        return self._count

    def _count(self, part: Part) -> Counts:
        import pyarrow as pa
        import pyarrow.parquet as pq

        counter: Counter[str] = Counter()
        sentences = 0
        for words in part_sentences(part, self.settings):
            counter.update(words)
            sentences += 1
        buckets: list[list[tuple[str, int]]] = [[] for _ in range(BUCKETS)]
        for word, count in counter.items():
            buckets[word_hash(word) % BUCKETS].append((word, count))
        counts = Counts(sentences, counter.total())
        schema = pa.schema([("word", pa.string()), ("count", pa.int64())])
        place = Place(self.output) / COUNT_FILES.name(part.number)
        with place.written() as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for bucket in buckets:
                each = zip(*bucket, strict=True) if bucket else ((), ())  # words, counts
                columns = [pa.array(values, kind) for values, kind in zip(each, schema.types, strict=True)]
                writer.write_table(pa.table(columns, schema=schema))
            writer.add_key_value_metadata({"elmokit": " ".join(map(str, counts))})
        return counts


@dataclass(frozen=True)
class MergeBucket:
    """The work of merging: part `n` is the bucket `n` of all files in `source`; counts are types and words."""

    source: str
    output: str

    def open(self) -> Callable[[Part], Counts]:
        """Nothing has to be loaded."""
        return self._merge

    def _merge(self, part: Part) -> Counts:
        import pyarrow as pa
        import pyarrow.parquet as pq

        merged: list[Any] = []
        rows = 0
        folder = Place(self.source)
        for name in folder.names():
            if COUNT_FILES.number(name) is None:
                continue
            with (folder / name).open() as file:
                merged.append(pq.ParquetFile(file).read_row_group(part.number))
            rows += merged[-1].num_rows
            if rows > _ROWS_AT_ONCE:
                merged = [_summed(pa.concat_tables(merged))]
                rows = merged[0].num_rows
        table = _summed(pa.concat_tables(merged)).sort_by("word")
        counts = Counts(table.num_rows, int(np.asarray(table["count"]).sum()))
        with (Place(self.output) / COUNT_FILES.name(part.number)).written() as partial:
            about = {b"elmokit": " ".join(map(str, counts)).encode()}
            pq.write_table(table.replace_schema_metadata(about), partial, compression="zstd")
        return counts


def count_histogram(folder: Place) -> dict[int, int]:
    """How many types occur how often, over all merged buckets."""
    found: Counter[int] = Counter()
    for table in _tables(folder, ["count"]):
        values, numbers = np.unique(np.asarray(table["count"]), return_counts=True)
        found.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
    return dict(found)


def bucket_words(folder: Place) -> Iterator[list[str]]:
    """The words of each merged bucket; equal words are in buckets of equal numbers."""
    for table in _tables(folder, ["word"]):
        yield table["word"].to_pylist()


def types_above(folder: Place, least: int) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Words that occur `least` times or more, with their counts, bucket by bucket."""
    for table in _tables(folder, ["word", "count"]):
        counts = np.asarray(table["count"])
        chosen = np.flatnonzero(counts >= least)
        yield table["word"].take(chosen).to_pylist(), counts[chosen]


def _tables(folder: Place, columns: list[str]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    for name in folder.names():
        if COUNT_FILES.number(name) is not None:
            with (folder / name).open() as file:
                yield pq.ParquetFile(file).read(columns=columns)


def _summed(table: Any) -> Any:
    """Equal words as one row."""
    return table.group_by("word").aggregate([("count", "sum")]).rename_columns(["word", "count"])
