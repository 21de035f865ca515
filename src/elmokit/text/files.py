"""Files as people have them: found by path or glob, unpacked, refused when they are no text, read as clean lines."""

from __future__ import annotations

import glob
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from elmokit.errors import DataError
from elmokit.places import copies_of, is_address

FileKind = Literal["txt", "csv", "tsv", "jsonl"]
BinaryFile = gzip.GzipFile | io.BufferedReader | BinaryIO

_HEAD = 1 << 16  # bytes looked at to tell text from junk
_BINARY = {
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive", b"BZh": "packed with bzip2", b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd", b"\x89HDF": "an HDF5 file", b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database", b"\x7fELF": "a program",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text",
}  # fmt: skip
_CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_OPEN_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]{0,2}\Z")  # bytes of a character at the end that may miss some


@dataclass
class SourceStats:
    """What reading met: for the log of a run."""

    files: int = 0
    lines: int = 0
    texts: int = 0  # texts handed on
    blank: int = 0  # lines or rows without text, skipped
    short_rows: int = 0  # rows without the column, skipped
    invalid_utf8: int = 0  # lines with bytes that are no UTF-8 (or lone surrogates), read as U+FFFD
    nul: int = 0  # lines with NUL bytes, dropped from the text
    long_rows: int = 0  # rows with text beyond the last column of the header

    def damage(self) -> dict[str, int]:
        """What was read otherwise than its writer meant: the reasons that occurred, in words."""
        words = {
            "lines with invalid UTF-8, read as U+FFFD": self.invalid_utf8,
            "lines with NUL bytes, which were dropped": self.nul,
            "rows with text beyond the last column, which was not read (a comma without quotes?)": self.long_rows,
        }
        return {reason: count for reason, count in words.items() if count}


def expand_paths(patterns: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files for paths and globs (`**` too), each file once, in the order given and by name within a glob.

    What an address (`s3://…`) names is copied to the cache. Raises `DataError` for what matches nothing or is a folder.
    """
    patterns = [patterns] if isinstance(patterns, str | Path) else list(patterns)
    if not patterns:
        raise DataError("no input file was given")
    found: dict[Path, None] = {}
    for pattern in patterns:
        if is_address(pattern):
            found.update(dict.fromkeys(copies_of(str(pattern))))
            continue
        exists = Path(pattern).exists()
        matches = [Path(pattern)] if exists else [Path(match) for match in glob.glob(str(pattern), recursive=True)]
        files = sorted(path for path in matches if not path.is_dir())
        if not files:
            trouble = "is a folder: name the files in it, e.g. with /*" if matches else "matches no file"
            raise DataError(f"{pattern} {trouble}")
        found.update(dict.fromkeys(files))
    return list(found)


def file_kind(path: str | Path) -> FileKind:
    """The kind of a file by its name, `.gz` aside; everything unknown is plain text."""
    kinds: dict[str, FileKind] = {"csv": "csv", "tsv": "tsv", "jsonl": "jsonl", "ndjson": "jsonl"}
    return kinds.get(Path(path).name.lower().removesuffix(".gz").rpartition(".")[2], "txt")


@contextmanager
def opened(path: Path) -> Iterator[BinaryFile]:
    """The bytes of a text file, unpacked when they are gzip (by content, not by name).

    Trouble while opening and reading is a `DataError` that names the file; so is binary data.
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            _refuse_binary(path, file.read(_HEAD))
            file.seek(0)
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged or cut off gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _refuse_binary(path: Path, head: bytes) -> None:
    expected = "expected UTF-8 text, CSV, TSV or JSON lines, plain or packed with gzip"
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {kind}; {expected}")
    bad = len(_CONTROL.findall(head)) + head.decode("utf-8", "replace").count("\ufffd")
    if bad >= 16 and bad > 0.3 * len(head.replace(b"\0", b"")):
        raise DataError(f"{path} is binary or in another encoding; {expected} (iconv -t utf-8 converts)")


def read_lines(file: BinaryFile, stats: SourceStats, *, max_bytes: int | None = None) -> Iterator[str]:
    r"""Lines of `file` with their ends, without NUL, invalid UTF-8 as U+FFFD. Only `\n` ends a line, as for `wc -l`.

    With `max_bytes` a longer line comes in pieces of about that size, cut after a blank where there is one.
    """
    first = True
    for raw in file if max_bytes is None else _pieces(file, max_bytes):
        stats.lines += raw.endswith(b"\n")
        yield _decoded(raw.removeprefix(b"\xef\xbb\xbf") if first else raw, stats)
        first = False
    if not first:
        stats.lines += not raw.endswith(b"\n")  # the last line may lack its end


def _pieces(file: BinaryFile, max_bytes: int) -> Iterator[bytes]:
    rest = b""
    while raw := file.readline(max_bytes):
        raw, rest = rest + raw, b""
        if len(raw) >= max_bytes and not raw.endswith(b"\n"):
            cut = max(raw.rfind(b" "), raw.rfind(b"\t")) + 1
            if cut == 0 or len(raw) - cut > max_bytes:  # no blank: cut between two characters
                open_character = _OPEN_CHARACTER.search(raw, len(raw) - 3)
                cut = open_character.start() if open_character else len(raw)
            raw, rest = raw[:cut], raw[cut:]
        yield raw
    if rest:
        yield rest


def _decoded(raw: bytes, stats: SourceStats) -> str:
    if b"\0" in raw:
        stats.nul += 1
        raw = raw.replace(b"\0", b"")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        stats.invalid_utf8 += 1
        return raw.decode(errors="replace")
