"""A run folder on an object store: the run works in a local folder, which is copied out at every checkpoint.

The copy is whole at any time: a checkpoint's files come first, then the list of what belongs to the run, then what is
not on the list goes. A run that resumes on another machine fetches what the list names.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from elmokit.cache import cache_folder
from elmokit.errors import DataError
from elmokit.places import Place

log = logging.getLogger(__name__)

_LIST = "_files.json"
_LOCAL_ONLY = ("corpus", "corpus.partial", "corpus.old", "tensorboard")  # made anew from the text, or of use here only


def local_run_folder(address: str) -> Path:
    """Where a run whose folder is at an address works."""
    return cache_folder("runs") / hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:24]


class Mirror:
    """The copy of a run folder at an address.

    Args:
        folder: The local folder.
        address: Of the copy.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.place = folder, Place(address.rstrip("/"))
        self._sent: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Make the local folder what the copy is. Files that are equal by name and size stay.

        Raises:
            DataError: The store cannot be read.
        """
        try:
            listed = self._listed()
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read the run at {self.place}: {error}") from error
        if listed is None:
            return
        for name, size in listed.items():
            local = self.folder / name
            if not local.is_file() or local.stat().st_size != size or not name.startswith("checkpoints/"):
                local.parent.mkdir(parents=True, exist_ok=True)
                (self.place / name).get(local)
        for name in self._local_files():
            if name not in listed:
                (self.folder / name).unlink()

    def send(self) -> None:
        """Make the copy what the local folder is.

        Raises:
            DataError: The store refuses; the copy is still that of the checkpoint before.
        """
        try:
            files = self._local_files()
            for name, state in sorted(files.items(), key=lambda item: not item[0].startswith("checkpoints/")):
                if self._sent.get(name) != state:
                    (self.place / name).put(self.folder / name)
                    self._sent[name] = state
            before = set(self._listed() or ())
            (self.place / _LIST).write_bytes(json.dumps({name: size for name, (size, _) in files.items()}).encode())
            for name in before - set(files):
                (self.place / name).remove()
                self._sent.pop(name, None)
        except OSError as error:
            raise DataError(
                f"cannot copy the run to {self.place}: {error}; --resume continues from {self.folder}"
            ) from error

    def exists(self) -> bool:
        """Whether a run is there."""
        return (self.place / _LIST).exists()

    def _listed(self) -> dict[str, int] | None:
        """The files that belong to the run at the address, and their sizes; None where there is no run."""
        try:
            return dict(json.loads((self.place / _LIST).read_bytes()))
        except FileNotFoundError:
            return None

    def _local_files(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of what belongs to the copy, by name below the folder."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if (
                path.is_file()
                and name.parts[0] not in _LOCAL_ONLY
                and not any(part.endswith(".partial") or part.startswith(".") for part in name.parts)
            ):
                found[name.as_posix()] = (path.stat().st_size, path.stat().st_mtime_ns)
        return found
