"""The folder that takes the results of the parts.

part-0000000.parquet …  one file for each part, whole or not there
_manifest.parquet       what each part reads, and at the end what it holds
_about.json             what makes this run what it is; a run that resumes must have the same
_errors.jsonl           lines that were skipped, with file and position
_SUCCESS                all of it is there
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError
from elmokit.parts.manifest import Share, complete_manifest, manifest_length, write_manifest
from elmokit.parts.work import Counts
from elmokit.places import Place
from elmokit.text.ranges import Range

MANIFEST, ABOUT, ERRORS, SUCCESS = "_manifest.parquet", "_about.json", "_errors.jsonl", "_SUCCESS"
_OWN = (MANIFEST, ABOUT, ERRORS, SUCCESS)
_READERS = 16  # parts of an earlier run that are checked together


@dataclass(frozen=True)
class PartFiles:
    """How the files of parts are named and looked at.

    Attributes:
        suffix: Their ending.
        inspect: The counts of a file, and what was skipped in it; None for a file that is not whole.
    """

    suffix: str
    inspect: Callable[[Place], tuple[Counts, list[dict[str, Any]]] | None]

    def name(self, number: int) -> str:
        """The name of a part's file."""
        return f"part-{number:07d}{self.suffix}"

    def number(self, name: str) -> int | None:
        """The part that a file belongs to."""
        digits = name.removeprefix("part-").removesuffix(self.suffix)
        return int(digits) if digits.isdecimal() and name == self.name(int(digits)) else None


class PartFolder:
    """An output folder, opened for the first time or again.

    Attributes:
        done: (n_parts,) whether a part's file is there.
        counts: (n_parts, 3) sentences, words and skipped lines of the parts that are done.
    """

    def __init__(self, place: Place, files: PartFiles) -> None:
        self.place, self.files = place, files
        self.done: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.counts: NDArray[np.int64] = np.zeros((0, len(Counts._fields)), dtype=np.int64)

    def open(
        self, identity: dict[str, Any], ranges: Callable[[], Iterable[Range]], *, notes: dict[str, Any], overwrite: bool
    ) -> None:
        """Cut the input into parts, or find out which parts of an earlier run are there.

        Args:
            identity: What a run that resumes must have in common with the one before.
            ranges: The stretches of the input, called if they are not written down yet.
            notes: What else `_about.json` says.
            overwrite: Drop what is there.

        Raises:
            ConfigError: The folder contains something else, or a run with other settings.
        """
        names = self.place.names()
        ours = [name for name in names if name in _OWN or self.files.number(name) is not None]
        if foreign := [name for name in names if name not in ours and not name.startswith((".", "_lock"))]:
            raise ConfigError(f"{self.place} holds {foreign[0]}, which no run of this kind wrote: name another folder")
        if overwrite:
            for name in sorted(ours, key=lambda name: name != SUCCESS):
                (self.place / name).remove()
            names = []
        elif ABOUT in names:
            try:
                before = json.loads((self.place / ABOUT).read_bytes())
            except ValueError as error:
                raise ConfigError(f"{self.place / ABOUT} is damaged: --overwrite starts anew") from error
            for key, value in json.loads(json.dumps(identity)).items():
                if before.get(key) != value:
                    raise ConfigError(
                        f"the run in {self.place} has {key} = {_short(before.get(key))}, this one {_short(value)}: "
                        "give the same settings, or --overwrite to start anew"
                    )
        elif any(self.files.number(name) is not None for name in ours):
            raise ConfigError(f"{self.place} holds parts but no {ABOUT}: --overwrite replaces them")
        if ABOUT not in names or MANIFEST not in names:
            write_manifest(self.place / MANIFEST, ranges())
            self.place_text(ABOUT, {**identity, **notes})
        length = manifest_length(self.place / MANIFEST)
        self.done = np.zeros(length, dtype=bool)
        self.counts = np.zeros((length, len(Counts._fields)), dtype=np.int64)
        self.look_again(names)

    def place_text(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file."""
        (self.place / name).write_bytes((json.dumps(content, indent=1) + "\n").encode())

    def look_again(self, names: Iterable[str] | None = None) -> None:
        """Find the parts that are there; those of other jobs, too."""
        numbers = [self.files.number(name) for name in (self.place.names() if names is None else names)]
        new = [n for n in numbers if n is not None and n < len(self.done) and not self.done[n]]
        for number, found in self._inspected(new):
            if found is not None:
                self.take(number, found[0])

    def _inspected(self, numbers: list[int]) -> Iterator[tuple[int, tuple[Counts, list[dict[str, Any]]] | None]]:
        def look(number: int) -> tuple[int, tuple[Counts, list[dict[str, Any]]] | None]:
            return number, self.files.inspect(self.place / self.files.name(number))

        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(look, numbers)

    def take(self, number: int, counts: Counts) -> None:
        """Note that a part is there."""
        self.done[number] = True
        self.counts[number] = counts

    def pending(self, share: Share) -> NDArray[np.bool_]:
        """(n_parts,): the parts of a share that are not there."""
        numbers = np.arange(len(self.done))
        mine: NDArray[np.bool_] = numbers % share.of == share.number - 1
        return mine & ~self.done

    def finish(self) -> bool:
        """Write the final files if all parts, those of other jobs too, are there."""
        if not self.done.all():
            self.look_again()
        if not self.done.all():
            return False
        errors = [
            error
            for _, found in self._inspected(np.flatnonzero(self.counts[:, 2]).tolist())
            if found is not None
            for error in found[1]
        ]
        if errors:
            (self.place / ERRORS).write_bytes("".join(json.dumps(error) + "\n" for error in errors).encode())
        complete_manifest(self.place / MANIFEST, self.place / MANIFEST, self.counts)
        for name in self.place.names():
            if name.startswith(".") and ".partial" in name:  # of a process that was killed while it wrote
                (self.place / name).remove()
        sentences, words, skipped = (int(count) for count in self.counts.sum(axis=0))
        self.place_text(SUCCESS, {"parts": len(self.done), "sentences": sentences, "words": words, "skipped": skipped})
        return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
