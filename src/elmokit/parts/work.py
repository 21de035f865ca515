"""What an engine runs: `Work`, which is sent to the workers, and the counts that come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from elmokit.errors import ElmokitError
from elmokit.text.ranges import Range


class Part(NamedTuple):
    """One piece of the work: its number in the manifest, and the input that belongs to it."""

    number: int
    range: Range


class Counts(NamedTuple):
    """What a finished part holds. Vectors and text never travel to the driver."""

    sentences: int
    words: int
    skipped: int = 0


class Result(NamedTuple):
    """A part that a worker is done with; `error` says why it has no counts."""

    number: int
    counts: Counts = Counts(0, 0)
    error: str = ""


class Work(Protocol):
    """Can be pickled; what is costly (a model) is loaded by `open`, once in every worker."""

    def open(self) -> Callable[[Part], Counts]:
        """What computes a part and writes its file, whole or not at all."""
        ...


@dataclass
class Worker:
    """Runs the parts that a worker gets. Errors that a user can mend come back as a result and stop the run."""

    work: Work
    compute: Callable[[Part], Counts] | None = None

    def __call__(self, part: Part) -> Result:
        try:
            if self.compute is None:
                self.compute = self.work.open()
            return Result(part.number, self.compute(part))
        except ElmokitError as error:
            return Result(part.number, error=str(error))
        except OSError as error:  # a full disk, a store that cannot be reached
            return Result(part.number, error=f"part {part.number} ({part.range.file}): {error.strerror or error}")
