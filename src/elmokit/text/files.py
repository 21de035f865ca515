"""Files as people have them: found by path or glob, unpacked, refused when they are not text, read as clean lines."""

from __future__ import annotations

import bz2
import codecs
import glob
import gzip
import io
import logging
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from elmokit.errors import ConfigError, DataError
from elmokit.places import copies_of, is_address
from elmokit.text.containers import members, saved_files, zip_of
from elmokit.text.formats import FORMATS, titles

log = logging.getLogger(__name__)

_HEAD = 1 << 16  # bytes looked at to tell text from junk
_BINARY = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive (give it the ending .zip) or an Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
    b"{\\rtf": "an RTF document",
}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_OPEN_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]{0,2}\Z")  # bytes of a character at the end that may miss some
_EXPECTED = f"expected {titles()}, plain or packed with gzip, bzip2, xz, zstd or zip"
_MANY = 8  # bytes in a row that are not UTF-8: more is another encoding, less is damage


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
    long_rows: int = 0  # rows with text beyond the last column of the first row
    repeated_headers: int = 0  # rows that repeat the header, skipped
    odd_quotes: int = 0  # rows whose quotation marks do not follow the way the others are quoted
    empty_words: int = 0  # words without a character in lists of words, left out

    def damage(self) -> dict[str, int]:
        """What was read otherwise than its writer meant: the reasons that occurred, in words."""
        words = {
            "lines with bytes that are not UTF-8, read as U+FFFD (another encoding? --encoding)": self.invalid_utf8,
            "lines with NUL bytes, which were dropped": self.nul,
            "rows with text beyond the last column, which was not read (a comma without quotes?)": self.long_rows,
            "rows that repeat the header, left out": self.repeated_headers,
            "rows with quotation marks that do not quote a whole field, read as they stand (--quote)": self.odd_quotes,
            "empty words in lists of words, left out": self.empty_words,
        }
        return {reason: count for reason, count in words.items() if count}

    def warn(self, of: str | None = None) -> None:
        """Log the damage that occurred; `of` says in front where, as the option that named the files."""
        for trouble, count in self.damage().items():
            log.warning("%s%d %s", f"{of}: " if of else "", count, trouble)


@contextmanager
def counted(stats: SourceStats | None) -> Iterator[SourceStats]:
    """The counts of whoever reads; where nobody counts, new ones, whose damage is logged when all is read."""
    own = stats or SourceStats()
    yield own
    if stats is None:
        own.warn()


def expand_paths(patterns: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files for paths and globs (`**` too), each file once, in the order given and by name within a glob.

    What an address (`s3://…`) names is copied to the cache, and so is a file in a zip archive (`a.zip`, `a.zip/b.csv`,
    `a.zip/*.csv`). A folder of `save_to_disk` is its files. Raises `DataError` for what matches nothing or is a folder.
    """
    patterns = [patterns] if isinstance(patterns, str | Path) else list(patterns)
    if not patterns:
        raise DataError("no input file was given")
    found: dict[Path, None] = {}
    for pattern in patterns:
        if is_address(pattern):
            found.update(dict.fromkeys(copies_of(str(pattern))))
            continue
        if (archive := zip_of(pattern)) is not None:
            found.update(dict.fromkeys(members(*archive)))
            continue
        exists = Path(pattern).exists()
        if exists and (saved := saved_files(Path(pattern))):
            found.update(dict.fromkeys(saved))
            continue
        matches = [Path(pattern)] if exists else [Path(match) for match in glob.glob(str(pattern), recursive=True)]
        files = sorted(path for path in matches if not path.is_dir())
        if not files:
            trouble = "is a folder: name the files in it, e.g. with /*" if matches else "matches no file"
            raise DataError(f"{pattern} {trouble}")
        found.update(dict.fromkeys(files))
    return list(found)


@contextmanager
def opened(path: Path, *, encoding: str | None = None) -> Iterator[BinaryIO]:
    r"""The bytes of a text file as UTF-8, unpacked when they are packed (known by content, not by name).

    Where lines end with `\r` alone, as in old files of the Macintosh, they end with `\n`: no `\n` is among the first
    characters, and a `\r` is.
    `encoding` names the one of the file; without it UTF-16 and UTF-32 are known by their byte order mark, and all else
    is UTF-8. Trouble while opening and reading is a `DataError` that names the file; so is binary data.
    """
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise ConfigError(
            f"--encoding {encoding}: unknown encoding; expected e.g. utf-8, utf-16, cp1252 or latin-1"
        ) from None
    packing = "file"
    try:
        with open(path, "rb") as file:
            head = file.read(8)
        packing, unpack = next((how for magic, how in _PACKED.items() if head.startswith(magic)), ("file", open))
        with unpack(path, "rb") as file:
            head = file.read(_HEAD)
            found = encoding or next((name for mark, name in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
            _refuse_binary(path, head, encoding=found)
            file.seek(0)
            lines: Any = file
            if found is not None:
                lines = io.BufferedReader(_Recoded(path, file, found), _HEAD)
                head = lines.peek(_HEAD)
            if b"\n" not in head and b"\r" in head[:-1]:
                lines = io.BufferedReader(_LinesOfReturns(lines))
            yield cast(BinaryIO, lines)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged or cut off {packing}: {error}") from error
    except OSError as error:
        if error.errno is None:  # bz2 says so of damage
            raise DataError(f"{path} is a damaged or cut off {packing}: {error}") from error
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _open_zstd(path: Path, mode: str) -> IO[bytes]:
    import zstandard

    # As a whole: the package's stream cannot go back to the start, and takes a cut off file for a whole one.
    packed, unpacked = path.read_bytes(), b""
    try:
        while packed:
            frame = zstandard.ZstdDecompressor().decompressobj()
            unpacked += frame.decompress(packed)
            if not frame.eof:
                raise EOFError("it ends before the end of its last part")
            packed = frame.unused_data
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    return io.BytesIO(unpacked)


_PACKED: dict[bytes, tuple[str, Callable[[Path, str], Any]]] = {
    b"\x1f\x8b": ("gzip file", gzip.open),
    b"BZh": ("bzip2 file", bz2.open),
    b"\xfd7zXZ": ("xz file", lzma.open),
    b"\x28\xb5\x2f\xfd": ("zstd file", _open_zstd),
}


class _Recoded(io.RawIOBase):
    """A file in another encoding as UTF-8."""

    def __init__(self, path: Path, file: BinaryIO, encoding: str) -> None:
        self._path, self._file, self._encoding = path, file, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            raw = self._file.read(_HEAD)
            try:
                self._ready = self._decoder.decode(raw, final=not raw).encode("utf-8", "replace")
            except UnicodeError as error:
                raise DataError(f"{self._path} is not {self._encoding} text: {error} (--encoding)") from error
            if not raw:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


class _LinesOfReturns(io.RawIOBase):
    r"""A file whose lines end with `\r` as one whose lines end with `\n`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raw = self._file.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(raw)] = raw
        return len(raw)


def _refuse_binary(path: Path, head: bytes, *, encoding: str | None) -> None:
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {kind}; {_EXPECTED}")
    for each in FORMATS:
        if each.magic and head.startswith(each.magic):
            raise DataError(f"{path} looks like {each.title}: give it the ending {each.endings[0]}; {_EXPECTED}")
    if head[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive: unpack it first; {_EXPECTED}")
    if encoding is not None:
        return
    controls = len(_CONTROL.findall(head))
    text = head.decode("utf-8", "replace")
    odd = text.count("\ufffd")
    if head.count(b"\0") > len(head) // 4 and not controls and not odd:
        raise DataError(f"{path} looks like UTF-16 without a byte order mark: --encoding utf-16-le or utf-16-be")
    visible = head.replace(b"\0", b"")
    if controls >= 16 and controls + odd > 0.3 * len(visible):
        raise DataError(f"{path} is binary; {_EXPECTED}")
    if odd >= _MANY and not any("\x80" <= letter != "\ufffd" for letter in text):
        place = text.index("\ufffd")
        start = max(head.rfind(b"\n", 0, place), place - 20) + 1  # all before it is ASCII: characters are bytes
        raise DataError(
            f"{path} is not UTF-8: line {text.count(chr(10), 0, place) + 1} has the byte 0x{head[place]:02X} in "
            f"{head[start : place + 20]!r}; --encoding names its encoding, e.g. cp1252 or latin-1 for western languages"
        )
    if odd >= 16 and odd > 0.3 * len(visible):
        raise DataError(f"{path} is binary or in another encoding than UTF-8: --encoding names it; {_EXPECTED}")


def read_lines(file: BinaryIO, stats: SourceStats, *, max_bytes: int | None = None) -> Iterator[str]:
    r"""Lines of `file` with their ends, without NUL, invalid UTF-8 as U+FFFD. Only `\n` ends a line, as for `wc -l`.

    With `max_bytes` a longer line comes in pieces of about that size, cut after a space where there is one.
    """
    first = True
    for raw in file if max_bytes is None else _pieces(file, max_bytes):
        stats.lines += raw.endswith(b"\n")
        line = raw.removeprefix(b"\xef\xbb\xbf") if first else raw
        first = False
        if b"\0" in line:
            stats.nul += 1
            line = line.replace(b"\0", b"")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            stats.invalid_utf8 += 1
            yield line.decode(errors="replace")
    if not first:
        stats.lines += not raw.endswith(b"\n")  # the last line may lack its end


def _pieces(file: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    rest = b""
    while raw := file.readline(max_bytes):
        raw, rest = rest + raw, b""
        if len(raw) >= max_bytes and not raw.endswith(b"\n"):
            cut = max(raw.rfind(b" "), raw.rfind(b"\t")) + 1
            if cut == 0 or len(raw) - cut > max_bytes:  # no space: cut between two characters
                open_character = _OPEN_CHARACTER.search(raw, len(raw) - 3)
                cut = open_character.start() if open_character else len(raw)
            raw, rest = raw[:cut], raw[cut:]
        yield raw
    if rest:
        yield rest
