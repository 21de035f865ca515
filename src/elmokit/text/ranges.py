"""Stretches of files that can be read apart from the rest: lines by bytes, Parquet by rows, all other files whole.

A stretch of lines is named by two byte positions that need not be line borders: the lines that *begin* in it belong to
it (as in Hadoop's input splits). So cutting a file needs its size only, and every line is in exactly one stretch. In
tables a quoted field may hold line ends: these files are read once to find where rows begin. How a table is written is
decided for all its stretches by the begin of the file, as for a file that is read whole.
"""

from __future__ import annotations

import codecs
import csv
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Literal

from elmokit.errors import DataError
from elmokit.places import Place, is_address
from elmokit.text.arrow_files import named_classes
from elmokit.text.columns import Column, are_numbers, chosen_names
from elmokit.text.files import expand_paths
from elmokit.text.formats import JSON_LINES, format_of
from elmokit.text.readers import read_records
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.text.tables import Dialect, dialect_of_file
from elmokit.text.tokenized_text import warned_of_tokens
from elmokit.whole_files import JsonObject

Unit = Literal["file", "bytes", "rows"]

BYTES_PER_WORD = 6
"""What a word of text takes, its space included: part sizes in words are about."""
_BLOCK = 1 << 22
_WORDS_TO_SEE = 20_000
_TABLE_BEGIN = 1 << 25  # bytes of a table at an address that show how it is written; the reader looks at fewer
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # UTF-16 and UTF-32: a byte is no character border


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of a file.

    Attributes:
        file: A path or an address.
        unit: What `start` and `end` count; a whole "file" has 0 and its size.
        start, end: The first, and the one behind the last.
    """

    file: str
    unit: Unit
    start: int
    end: int


def places_of(sources: str | Iterable[str]) -> list[Place]:
    """The files for paths, addresses and globs of both, in the order given.

    Raises:
        DataError: One of them names no file.
    """
    found: list[Place] = []
    for source in [sources] if isinstance(sources, str) else sources:
        if not is_address(source):
            found += [Place(str(path)) for path in expand_paths(source)]
            continue
        try:
            matches = Place(source).matches()
            missing = not matches or (len(matches) == 1 and not matches[0].exists())
        except OSError as error:
            raise DataError(f"cannot read {source}: {error}") from error
        if missing:
            raise DataError(f"{source} matches no file: check the address, and the credentials in the environment")
        found += matches
    return list(dict.fromkeys(found))


def cut(place: Place, *, words: int, options: FileOptions = AS_FOUND) -> Iterator[Range]:
    """The stretches of one file, of about this many words each; `options` say how it is to be read.

    Raises:
        ConfigError: An option is not what it can be.
        DataError: The file cannot be read.
    """
    parts = format_of(place.name).parts
    try:
        size, head = place.size(), place.read_range(0, 8)
    except OSError as error:
        raise DataError(f"cannot read {place}: {error.strerror or error}") from error
    file = place.address
    whole = parts == "none" and not _is_parquet(place, head, size)
    if whole or head.startswith(_PACKED + _WIDE) or not _is_line_end(options.encoding):
        yield Range(file, "file", 0, size)
    elif parts == "rows" or _is_parquet(place, head, size):
        yield from _row_ranges(place, words)
    else:
        dialect = _dialect_of(place, options) if parts == "table rows" and size else None
        borders: Iterable[int] = range(0, size, words * BYTES_PER_WORD)
        if dialect is not None and dialect.quoting != "none":
            borders = _row_borders(place, words, dialect, options.encoding or "utf-8")
        starts = list(borders) or [0]
        yield from (Range(file, "bytes", start, end) for start, end in zip(starts, [*starts[1:], size], strict=True))


def _is_parquet(place: Place, head: bytes, size: int) -> bool:
    """Whether it begins and ends as Parquet does; a text may begin with those letters."""
    mark = b"PAR1"
    return head[:4] == mark and size >= 3 * len(mark) and place.read_range(size - len(mark), size) == mark


def _is_line_end(encoding: str | None) -> bool:
    r"""Whether the byte `\n` ends a line in this encoding, and nothing else does: not in UTF-16. An unknown one is
    reported when the file is read.
    """
    try:
        return encoding is None or "\n".encode(encoding).removeprefix(codecs.BOM_UTF8) == b"\n"
    except LookupError:
        return False


def _dialect_of(place: Place, options: FileOptions) -> Dialect:
    """How a table that is not packed is written."""
    return _cached_dialect(place.address, place.version(), options)


@lru_cache(maxsize=64)
def _cached_dialect(address: str, version: str, options: FileOptions) -> Dialect:
    place = Place(address)
    begin = Range(address, "bytes", 0, _TABLE_BEGIN)
    with nullcontext(place.path) if place.is_local else as_file(begin) as local:
        return dialect_of_file(local, usual=format_of(place.name).delimiter, options=options)


def _row_borders(place: Place, words: int, dialect: Dialect, encoding: str) -> Iterator[int]:
    """Where rows of a table begin, about every so many words, as the reader finds them.

    Behind a row that cannot be read there are no more: its stretch says what is wrong.
    """
    yield 0
    step, position, border = words * BYTES_PER_WORD, 0, 0
    wanted = step

    def lines(file: BinaryIO) -> Iterator[str]:
        nonlocal position
        for line in chain.from_iterable(iter(lambda: file.readlines(_BLOCK), [])):
            position += len(line)
            text = line if position > len(line) else line.removeprefix(codecs.BOM_UTF8)
            yield text.replace(b"\0", b"").decode(encoding, errors="replace")

    with place.open() as file, suppress(csv.Error):
        for _ in dialect.reader(lines(file)):
            if border:  # another row begins there
                yield border
                border = 0
            if position >= wanted:
                border, wanted = position, position + step


def _row_ranges(place: Place, words: int) -> Iterator[Range]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with place.open() as file:
        try:
            about = pq.ParquetFile(file).metadata
        except pa.ArrowInvalid as error:
            raise DataError(f"{place} is no Parquet file, or damaged: {error}") from error
        row = 0
        for number in range(about.num_row_groups):
            group = about.row_group(number)
            pieces = max(1, -(-group.total_byte_size // (words * BYTES_PER_WORD)))
            pieces = min(pieces, max(1, group.num_rows))
            borders = [row + group.num_rows * piece // pieces for piece in range(pieces + 1)]
            yield from (Range(place.address, "rows", a, b) for a, b in pairwise(borders))
            row += group.num_rows


@contextmanager
def as_file(stretch: Range, *, column: str | None = None) -> Iterator[Path]:
    """A local file with the lines or rows of a stretch and the ending of the whole one: any reader reads it.

    Tables whose columns are named get the header in front; rows of Parquet become JSON lines with the columns asked
    for. A local file that is read whole is not copied.

    Raises:
        DataError: The file cannot be read, or lacks the column.
    """
    place = Place(stretch.file)
    if stretch.unit == "file" and place.is_local:
        yield place.path
        return
    with tempfile.TemporaryDirectory(prefix="elmokit-part-") as folder:
        local = Path(folder) / place.name
        try:
            if stretch.unit == "file":
                place.get(local)
            elif stretch.unit == "rows":
                local = local.with_suffix(JSON_LINES.endings[0])
                _write_rows(place, stretch, local, column)
            else:
                with local.open("wb") as file:
                    if stretch.start and format_of(local).has_header and not are_numbers(column or "text"):
                        file.write(_first_line(place))
                    for line in lines_of(stretch):
                        file.write(line)
        except OSError as error:
            raise DataError(f"cannot read {place}: {error.strerror or error}") from error
        yield local


def options_of(stretch: Range, options: FileOptions, *, column: str | None) -> FileOptions:
    """How the file of `as_file` is to be read: as the begin of the whole table shows.

    Of a later stretch it is also known whether it has a header.
    """
    form = format_of(stretch.file)
    if stretch.unit != "bytes" or form.parts != "table rows" or stretch.end == 0:
        return options
    options = _dialect_of(Place(stretch.file), options).options(options)
    return options if not stretch.start else replace(options, header=not are_numbers(column or "text"))


def warn_of_tokens(place: Place, *, column: str | None, options: FileOptions) -> None:
    """One warning where the begin of a file shows that its words are split already, and are about to be split again.

    Of a packed file at an address nothing is read: all of it would have to be fetched. What is wrong with a file is
    told when its part is read, with the number of that part.
    """
    with suppress(DataError):
        stretch = next(cut(place, words=_WORDS_TO_SEE, options=options), None)
        if stretch is None or (stretch.unit == "file" and not place.is_local):
            return
        with as_file(stretch, column=column) as local:
            if local.stat().st_size:
                seen = options_of(stretch, options, column=column)
                records = read_records(local, columns=[Column(asked=column)], options=seen)
                next(warned_of_tokens(records, where=place.address), None)


def lines_of(stretch: Range) -> Iterator[bytes]:
    """The raw lines that begin in a stretch of bytes."""
    position = stretch.start
    with Place(stretch.file).open() as file:
        if position:
            file.seek(position - 1)
            position += len(file.readline()) - 1
        while position < stretch.end:
            line = file.readline()
            if not line:
                return
            yield line
            position += len(line)


def offset_of_line(stretch: Range, number: int) -> int:
    """Where the `number`-th line of a stretch begins, from 0: its byte position in the file."""
    position = stretch.start
    with Place(stretch.file).open() as file:
        if position:
            file.seek(position - 1)
            position += len(file.readline()) - 1
        for _ in range(number):
            position += len(file.readline())
    return position


def _first_line(place: Place) -> bytes:
    with place.open() as file:
        line = file.readline()
    return line if line.endswith(b"\n") else line + b"\n"


def _write_rows(place: Place, stretch: Range, local: Path, column: str | None) -> None:
    """Rows of a Parquet file as JSON lines, with the columns that are needed."""
    import json

    import pyarrow.parquet as pq

    with place.open() as source, local.open("w", encoding="utf-8") as target:
        file = pq.ParquetFile(source)
        (names,) = chosen_names(place, file.schema_arrow.names, [Column(asked=column)]).values()
        named = named_classes(file.schema_arrow)
        for row in _rows(file, names, stretch):
            target.write(json.dumps(named(row), default=str) + "\n")


def _rows(file: Any, names: list[str], stretch: Range) -> Iterator[JsonObject]:
    first = 0
    for number in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(number).num_rows
        if first < stretch.end and first + count > stretch.start:
            position = first
            for batch in file.iter_batches(row_groups=[number], columns=names, batch_size=1 << 14):
                low, high = max(stretch.start - position, 0), min(stretch.end - position, batch.num_rows)
                if low < high:
                    yield from batch.slice(low, high - low).to_pylist()
                position += batch.num_rows
        first += count
