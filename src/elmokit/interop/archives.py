"""Untrusted zip files, unpacked safely."""

from __future__ import annotations

import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from elmokit.errors import ModelError

_MOST_FILES = 10_000
_BOMB_RATIO, _BOMB_BYTES = 100, 100 << 20  # trained weights hardly shrink; text files are small
_BLOCK = 1 << 20


# What zipfile and its decompressors raise on damaged files.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of a zip into `folder`.

    Raises:
        ModelError: The zip is damaged or encrypted, a name leads out of the folder or is a link, it would unpack to a
            hundred times its size, or the disk is too small. Nothing of it is kept then.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            _check(archive, entries, folder)
            for entry in entries:
                _write(opened, entry, folder / entry.filename, archive)
    except _UNREADABLE as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelError(f"{archive} cannot be unpacked: {error}") from error
    except ModelError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _check(archive: Path, entries: list[zipfile.ZipInfo], folder: Path) -> None:
    if len(entries) > _MOST_FILES:
        raise ModelError(f"{archive} holds {len(entries)} files; expected at most {_MOST_FILES}")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
            raise ModelError(f"{archive} contains the name {entry.filename!r}, which leads out of its folder")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ModelError(f"{archive} contains a link, {entry.filename!r}; expected files only")
    size = sum(entry.file_size for entry in entries)
    if size > _BOMB_BYTES and size > _BOMB_RATIO * archive.stat().st_size:
        raise ModelError(f"{archive} would unpack to {size} bytes, over {_BOMB_RATIO} times its size")
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ModelError(f"{archive} unpacks to {size} bytes; {folder} has {free} left (TMPDIR chooses another disk)")


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, archive: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, path.open("wb") as target:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > entry.file_size:
                raise ModelError(f"{archive}: {entry.filename!r} is larger than the archive declares")
            target.write(block)
