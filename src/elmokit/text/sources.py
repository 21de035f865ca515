"""Texts from files as people have them: plain text, CSV, TSV and JSON lines, each optionally compressed with gzip.

Small damage (invalid UTF-8, NUL bytes, blank lines, short rows) is repaired or skipped and counted in `SourceStats`; a file that is no
text at all, or lacks the column asked for, is a `DataError`.
"""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from elmokit.errors import DataError
from elmokit.text.char_ids import replace_surrogates

_HEAD = 1 << 16  # bytes looked at to tell text from junk
_LONGEST_FIELD = 1 << 26  # characters of a CSV field; an unclosed quote would otherwise swallow the file
_BINARY = {
    b"\x89PNG": "a PNG picture", b"PK\x03\x04": "a zip archive", b"%PDF": "a PDF document", b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture", b"BZh": "bzip2-compressed", b"\xfd7zXZ": "xz-compressed", b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"\x89HDF": "an HDF5 file", b"\x7fELF": "a program", b"SQLite format 3": "an SQLite database", b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text",
}  # fmt: skip
_CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_NUMBERS = re.compile(r"(\d+)(?:(-)(\d*))?")


@dataclass
class SourceStats:
    """What reading met: for the log of a run."""

    files: int = 0
    lines: int = 0  # lines or rows read
    texts: int = 0  # texts handed on
    blank: int = 0  # lines without text, skipped
    short_rows: int = 0  # rows without the column, skipped
    invalid_utf8: int = 0  # lines with bytes that are no UTF-8 (or lone surrogates), read as U+FFFD
    nul: int = 0  # lines with NUL bytes, dropped from the text


def expand_paths(patterns: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files for paths and globs (`**` too), each file once, in the order given and by name within a glob.

    Raises `DataError` for what matches nothing or is a folder.
    """
    patterns = [patterns] if isinstance(patterns, str | Path) else patterns
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [Path(pattern)] if Path(pattern).exists() else [Path(p) for p in glob.glob(str(pattern), recursive=True)]
        files = sorted(path for path in matches if not path.is_dir())
        if not files:
            trouble = "is a folder: name the files in it, e.g. with /*" if matches else "does not exist or matches no file"
            raise DataError(f"{pattern} {trouble}")
        found.update(dict.fromkeys(files))
    return list(found)


def read_texts(
    paths: str | Path | Iterable[str | Path], *, column: str | None = None, stats: SourceStats | None = None, max_chars: int | None = None
) -> Iterator[str]:
    """The texts of `paths` one by one: a line of .txt, a row of .csv or .tsv, an object of .jsonl; `.gz` is unpacked on the way.

    `column` says where the text stands: names (the file has a header, or JSON keys) or numbers from 1 (the file has no header); several
    are joined by a blank: "title,description", "2,3", "2-" (from the second to the last). Without it a column called `text` is taken.
    With `max_chars` longer lines of plain text come in pieces, cut at blanks, so that a book on one line does not fill the memory.
    """
    stats = stats if stats is not None else SourceStats()
    for path in expand_paths(paths):
        before = stats.texts
        stats.files += 1
        with _opened(path) as file:
            for text in _texts(path, file, column, stats, max_chars):
                text = text.strip()
                if text:
                    stats.texts += 1
                    yield text
                else:
                    stats.blank += 1
        if stats.texts == before:
            raise DataError(f"{path} holds no text: it is empty or has only blank lines")


def file_kind(path: str | Path) -> str:
    """The kind of a file by its name: "csv", "tsv", "jsonl", or "txt" for all else."""
    name = Path(path).name.lower().removesuffix(".gz")
    return {"csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "ndjson": "jsonl"}.get(name.rpartition(".")[2], "txt")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked when gzip; trouble while reading becomes a `DataError` that names the file."""
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(BinaryIO, io.BufferedReader(gzip.GzipFile(fileobj=raw))) if packed else raw
            head = file.read(_HEAD)
            _refuse_binary(path, head)
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            yield cast(BinaryIO, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged or cut off gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _refuse_binary(path: Path, head: bytes) -> None:
    expected = "expected UTF-8 text, CSV, TSV or JSON lines, plain or .gz"
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {kind}; {expected}")
    bad = len(_CONTROL.findall(head)) + head.decode("utf-8", "replace").count("\ufffd")
    if bad >= 16 and bad > 0.3 * len(head.replace(b"\0", b"")):
        raise DataError(f"{path} looks like binary data or another encoding; {expected} (iconv -t utf-8 converts)")


def _texts(path: Path, file: BinaryIO, column: str | None, stats: SourceStats, max_chars: int | None) -> Iterator[str]:
    kind = file_kind(path)
    if kind == "txt":
        return _lines(file, stats, max_chars)
    if kind == "jsonl":
        return _json_texts(path, _lines(file, stats, None), column, stats)
    return _table_texts(path, _lines(file, stats, None, keep_ends=True), "," if kind == "csv" else "\t", column, stats)


def _lines(file: BinaryIO, stats: SourceStats, max_chars: int | None, keep_ends: bool = False) -> Iterator[str]:
    """Decoded lines without NUL; only "\\n" ends a line, as in `wc -l`."""
    limit = -1 if max_chars is None else max_chars
    rest = b""
    first = True
    while raw := file.readline(limit):
        if not raw.endswith(b"\n") and len(raw) == limit:  # a piece of a long line: keep what follows its last blank for the next
            raw = rest + raw
            cut = max(raw.rfind(b" "), raw.rfind(b"\t")) + 1
            raw, rest = (raw[:cut], raw[cut:]) if cut and len(raw) - cut < limit else (raw, b"")
        else:
            raw, rest = rest + raw, b""
            stats.lines += 1
        yield _decoded(raw.removeprefix(b"\xef\xbb\xbf") if first else raw, stats, keep_ends)
        first = False
    if rest:
        stats.lines += 1
        yield _decoded(rest, stats, keep_ends)


def _decoded(raw: bytes, stats: SourceStats, keep_ends: bool) -> str:
    if b"\0" in raw:
        stats.nul += 1
        raw = raw.replace(b"\0", b"")
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError:
        stats.invalid_utf8 += 1
        line = raw.decode("utf-8", "replace")
    return line if keep_ends else line.rstrip("\r\n")


def _json_texts(path: Path, lines: Iterable[str], column: str | None, stats: SourceStats) -> Iterator[str]:
    names = [name.strip() for name in (column or "text").split(",")]
    seen = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            stats.blank += 1
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{path} line {number} is no JSON: {line[:60]!r}") from error
        if isinstance(record, str) and column is None:
            record = {"text": record}
        if not isinstance(record, dict):
            raise DataError(f"{path} line {number}: expected a JSON object, got {line[:60]!r}")
        missing = [name for name in names if name not in record]
        if missing and not seen:
            raise DataError(f"{path} has no key {missing[0]!r}; it has {', '.join(record) or 'none'}: name one with --column")
        seen = True
        if missing:
            stats.short_rows += 1
            continue
        text = " ".join(str(record[name]) for name in names if record[name] is not None)
        clean = replace_surrogates(text).replace("\0", "")
        stats.invalid_utf8 += clean != text
        yield clean


def _table_texts(path: Path, lines: Iterable[str], delimiter: str, column: str | None, stats: SourceStats) -> Iterator[str]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    # Tab-separated files of research rarely quote: a lone " is a character there.
    rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE)
    pick: Callable[[Sequence[str]], list[str]] | None = None
    try:
        for row in rows:
            if not row:
                stats.blank += 1
                continue
            if pick is None:
                pick, header = _column_picker(path, row, column)
                if header:
                    continue
            try:
                yield " ".join(pick(row))
            except IndexError:
                stats.short_rows += 1
    except csv.Error as error:
        raise DataError(f"{path} line {rows.line_num}: {error}; is a quote left open?") from error


def _column_picker(path: Path, first: list[str], column: str | None) -> tuple[Callable[[Sequence[str]], list[str]], bool]:
    """How to take the text from a row, and whether the first row is a header."""
    shown = ", ".join(f"{i}: {value[:30]!r}" for i, value in enumerate(first, 1))
    parts = [part.strip() for part in (column or "text").split(",")]
    numbers = [_NUMBERS.fullmatch(part) for part in parts]
    if column is not None and all(numbers):
        ranges = [_range(match) for match in numbers if match]
        needed = max(max(start, stop or 0) for start, stop in ranges)
        if needed > len(first) or min(start for start, _ in ranges) < 1:
            raise DataError(f"{path} has no column {column}; its first row has {len(first)} ({shown}): choose with --column")

        def by_number(row: Sequence[str]) -> list[str]:
            if len(row) < needed:
                raise IndexError
            return [value for start, stop in ranges for value in row[start - 1 : stop]]

        return by_number, False
    missing = [part for part in parts if part not in first]
    if missing:
        hint = "name a column with --column, or give its number when there is no header"
        raise DataError(f"{path} has no column {missing[0]!r}; its first row is {shown}: {hint}")
    places = [first.index(part) for part in parts]
    return (lambda row: [row[place] for place in places]), True


def _range(match: re.Match[str]) -> tuple[int, int | None]:
    """First and last column of "3", "2-4" or "2-" (None: to the end)."""
    first = int(match[1])
    if match[2] is None:
        return first, first
    return first, int(match[3]) if match[3] else None
