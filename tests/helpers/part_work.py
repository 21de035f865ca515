"""A work without a model, for the tests of folders, drivers and engines: it counts words and can be made to fail."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from elmokit.errors import DataError
from elmokit.parts.folder import PartFiles
from elmokit.parts.work import Counts, Part
from elmokit.places import Place
from elmokit.text.ranges import as_file


def inspect(place: Place) -> tuple[Counts, list[dict[str, Any]]] | None:
    try:
        about = json.loads(place.read_bytes())
    except ValueError:
        return None
    return Counts(*about["counts"]), about["errors"]


FILES = PartFiles(".json", inspect)


@dataclass(frozen=True)
class CountWords:
    """Attributes:
    output: Folder of the parts.
    dies: Parts that kill their process once, marked by a file in `marks`.
    always_dies: A part that kills it each time.
    fails: A part that raises.
    """

    output: str
    marks: str = ""
    dies: tuple[int, ...] = ()
    always_dies: int = -1
    fails: int = -1
    seconds: float = 0.0

    def open(self) -> Callable[[Part], Counts]:
        return self.compute

    def compute(self, part: Part) -> Counts:
        time.sleep(self.seconds)
        if part.number == self.fails:
            raise DataError("a bad line")
        mark = f"{self.marks}/{part.number}"
        if part.number == self.always_dies or (part.number in self.dies and not os.path.exists(mark)):
            if self.marks:
                open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        with as_file(part.range) as local:
            lines = local.read_text().splitlines()
        counts = Counts(len(lines), sum(len(line.split()) for line in lines))
        content = {"counts": counts, "errors": [], "lines": lines}
        (Place(self.output) / FILES.name(part.number)).write_bytes(json.dumps(content).encode())
        return counts
