"""Where computed and downloaded files are kept, what is there, and how it is kept small."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

KINDS = ("layers", "downloads", "models", "remote", "corpora", "unpacked", "runs")
"""Folders of the cache: biLM layers of training texts, downloaded models, copies from object stores (corpora have a
folder of their own), files of zip archives, runs on their way to an object store."""

LIMIT = "ELMOKIT_CACHE_LIMIT"
"""The environment variable with the size that cached layers may have, as "20GB"."""

_LEFT_BEHIND = 24 * 3600  # seconds after which a hidden, half-written entry is that of a process that was killed


def cache_folder(kind: str) -> Path:
    """`$ELMOKIT_CACHE/kind`, or `~/.cache/elmokit/kind`."""
    return Path(os.environ.get("ELMOKIT_CACHE") or Path.home() / ".cache" / "elmokit") / kind


@dataclass(frozen=True)
class Entry:
    """A file or folder of a cache.

    Attributes:
        path: Where it is.
        bytes: What it takes.
        used: When it was last used, in seconds of the epoch.
    """

    path: Path
    bytes: int
    used: float


def entries(folder: Path) -> list[Entry]:
    """What a cache holds, the least recently used first. Half-written entries count once nobody can be writing them."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        used = path.stat().st_mtime
        if not path.name.startswith(".") or time.time() - used > _LEFT_BEHIND:
            files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            found.append(Entry(path, sum(each.stat().st_size for each in files), used))
    return sorted(found, key=lambda entry: (entry.used, entry.path))


def mark_used(path: Path) -> None:
    """Say that an entry was used now."""
    os.utime(path)


def shrink(folder: Path, *, limit: int, keep: Path | None = None) -> list[Entry]:
    """Remove the least recently used entries until the others take `limit` bytes at most; `keep` stays in any case.

    A process that has an entry open continues to read it on systems where an open file can be removed.

    Returns:
        What was removed.

    Raises:
        OSError: An entry cannot be removed.
    """
    held = entries(folder)
    total = sum(entry.bytes for entry in held)
    removed = []
    for entry in held:
        if total <= limit:
            break
        if entry.path == keep:
            continue
        gone = entry.path.with_name(f".{entry.path.name.lstrip('.')}.gone")
        entry.path.replace(gone)  # at once: nobody shall find half of it
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        total -= entry.bytes
        removed.append(entry)
    return removed
