"""The folder of a preparation: what it may hold, which input files it began with, which results are there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, DataError
from elmokit.whole_files import write_text
from english_text.data_folder import DataFolder

FILES = ("train.txt", "valid.txt", "sources.json", "run.json")
FOLDERS = ("cleaned", "elmo_mini", "valid")
PARTIAL = ".partial"
_OVERWRITE = "--overwrite starts anew"


def open_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, or empty it of an earlier preparation.

    Raises:
        ConfigError: It is a file, or contains what no preparation wrote.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; expected a folder for the text")
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in (*FILES, *FOLDERS, PARTIAL) and not path.name.endswith(".partial"):
            raise ConfigError(f"{folder} holds {path.name}, which no preparation wrote: name another folder")
        if overwrite:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def checked_sums(folder: Path, data: DataFolder, names: Iterable[str]) -> dict[str, str]:
    """The sums of input files, the same as when the run in the folder began; files new to it are noted.

    Raises:
        DataError: A file is missing, or not what it was.
    """
    found = {name: data.sha256(name) for name in names}
    path = folder / "run.json"
    before: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name, sum_ in found.items():
        if before.get(name, sum_) != sum_:
            raise DataError(
                f"{data.root / name} changed since the run in {folder} began (sha256 {before[name][:12]}… then, "
                f"{sum_[:12]}… now): bring it back, or {_OVERWRITE}"
            )
    write_text(path, json.dumps(before | found, indent=1) + "\n")
    return found


def check_unchanged(data: DataFolder, sums: Mapping[str, str], names: Iterable[str]) -> None:
    """Files that were read are still what they were.

    Raises:
        DataError: One is not.
    """
    for name in names:
        if data.sha256(name) != sums[name]:
            raise DataError(f"{data.root / name} changed while it was read: {_OVERWRITE}")


def digest(*facts: object) -> str:
    """What tells a result made of these facts from another."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def finished(record: Path, made_of: str) -> dict[str, Any] | None:
    """The record of a result, when it is there and made of the same."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet
        return None
    return content if isinstance(content, dict) and content.get("made_of") == made_of else None


def write_record(record: Path, made_of: str, content: Mapping[str, Any]) -> None:
    """Note that a result is complete."""
    write_text(record, json.dumps({"made_of": made_of, **content}, indent=2, ensure_ascii=False) + "\n")
