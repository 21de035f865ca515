"""Files of the data folder: lines of packed text, JSON, zip members; what is wrong with a file is said in one line."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from elmokit.errors import DataError

_LINES_AT_ONCE = 1000


class DataFolder:
    """Files below `root`, by their relative names.

    Args:
        root: The folder.
        advance: Called while a file is read, with the number of packed bytes read since the last call.
    """

    def __init__(self, root: Path, *, advance: Callable[[int], None] | None = None) -> None:
        self.root, self.advance = root, advance or (lambda count: None)

    def lines(self, name: str) -> Iterator[str]:
        """Lines of a text file (xz, gzip or plain, by its suffix) without their ends."""
        with self._told(name) as path, path.open("rb") as raw, _unpacked(raw, path.suffix) as file:
            reported = 0
            for number, line in enumerate(file, 1):
                yield line.decode("utf-8").rstrip("\r\n")
                if number % _LINES_AT_ONCE == 0:
                    self.advance(raw.tell() - reported)
                    reported = raw.tell()
            self.advance(raw.tell() - reported)

    def json(self, name: str) -> Any:
        """The content of a JSON file, gzip or plain."""
        try:
            return json.loads("\n".join(self.lines(name)))
        except ValueError as error:
            raise DataError(f"{self.root / name} is damaged, its contents are no JSON: {error}") from error

    def members(self, name: str) -> Iterator[tuple[str, str]]:
        """Names and texts of the `.txt` files in a zip archive, by name."""
        with self._told(name) as path, zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                if member.endswith(".txt"):
                    yield member, archive.read(member).decode("utf-8", errors="replace")
            self.advance(path.stat().st_size)

    def names(self, pattern: str) -> list[str]:
        """Names that match, sorted; at least one."""
        found = sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(pattern))
        if not found:
            raise DataError(f"{self.root / pattern} matches no file: is {self.root} the data folder, and complete?")
        return found

    def sha256(self, name: str) -> str:
        """The sum of a file as it is stored."""
        with self._told(name) as path, path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def size(self, name: str) -> int:
        """Bytes of a file as it is stored."""
        with self._told(name) as path:
            return path.stat().st_size

    @contextmanager
    def _told(self, name: str) -> Iterator[Path]:
        path = self.root / name
        try:
            yield path
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is cut off or damaged: {error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is damaged: it is not UTF-8 ({error.reason})") from error
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _unpacked(raw: BinaryIO, suffix: str) -> lzma.LZMAFile | gzip.GzipFile | BinaryIO:
    if suffix == ".xz":
        return lzma.LZMAFile(raw)
    return gzip.GzipFile(fileobj=raw) if suffix == ".gz" else raw
