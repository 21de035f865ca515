"""Files inside others: members of zip archives, and folders that Hugging Face's `datasets` saved."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from elmokit.cache import cache_folder
from elmokit.errors import DataError
from elmokit.whole_files import replacing

_SHOWN = 6


def zip_of(pattern: str | Path) -> tuple[Path, str] | None:
    """The archive and the name or glob behind it, of `a.zip`, `a.zip/b.csv` or `a.zip/*.csv`; None of other paths."""
    path = Path(pattern)
    for archive in (path, *path.parents):
        if archive.suffix.lower() == ".zip" and archive.is_file():
            return archive, path.relative_to(archive).as_posix().removeprefix(".")
    return None


def members(archive: Path, pattern: str) -> list[Path]:
    """The files of a zip archive that a name or glob means, unpacked into the cache; without one the only file in it.

    Raises:
        DataError: It is damaged, encrypted, has several files and none is named, or no such file.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            paths = {info.filename: PurePosixPath(info.filename) for info in file.infolist() if not info.is_dir()}
            names = [
                name
                for name, path in paths.items()
                if not path.is_absolute() and not any(part.startswith((".", "__MACOSX")) for part in path.parts)
            ]
            wanted = names if not pattern else [name for name in names if fnmatch.fnmatchcase(name, pattern)]
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            if not names:
                raise DataError(f"{archive} is an archive without files")
            if not wanted:
                raise DataError(f"{archive} has no file {pattern}; it has {shown}")
            if not pattern and len(wanted) > 1:
                raise DataError(
                    f"{archive} has several files, {shown}: name one, as {archive}/{names[0]}, or {archive}/*"
                )
            return [_unpacked(archive, file, file.getinfo(name)) for name in wanted]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{archive} is damaged or no zip archive: {error}") from error
    except RuntimeError as error:  # zipfile says so of encrypted members
        raise DataError(f"{archive} cannot be unpacked: {error}") from error


def _unpacked(archive: Path, file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Path:
    """A member as a file of the cache, with its own time: the same archive gives the same file again."""
    about = archive.stat()
    key = f"{archive.resolve()} {about.st_size} {about.st_mtime_ns}"
    folder = cache_folder("unpacked") / hashlib.sha256(key.encode()).hexdigest()[:16]
    target = folder / archive.name / info.filename
    if not (target.is_file() and target.stat().st_size == info.file_size):
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as partial, file.open(info) as packed, partial.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
        seconds = time.mktime((*info.date_time, 0, 0, -1))
        os.utime(target, (seconds, seconds))
    return target


def saved_files(folder: Path) -> list[Path]:
    """The data files of a folder of `save_to_disk`, in order; none of another folder.

    Raises:
        DataError: It has several splits, or a file is missing.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = splits_of(folder) or ["train"]
        raise DataError(f"{folder} has the splits {', '.join(splits)}: name one, as {folder / splits[0]}")
    state = folder / "state.json"
    if not state.is_file():
        return []
    files = [folder / str(entry["filename"]) for entry in _read(state).get("_data_files", [])]
    if missing := [file for file in files if not file.is_file()]:
        raise DataError(f"{folder} lacks {missing[0].name}, which its state.json names")
    return files


def splits_of(folder: Path) -> Sequence[str]:
    """The splits of a folder of `save_to_disk`; none where it has no splits, or is no such folder."""
    about = folder / "dataset_dict.json"
    return list(map(str, _read(about).get("splits", []))) if about.is_file() else []


def _read(path: Path) -> dict[str, list[dict[str, str]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is damaged: expected an object")
    return content
