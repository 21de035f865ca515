"""A manifest of many parts through the driver of `elmo embed`, with a worker that does nothing.

Prints the driver's memory and the seconds per part in each tenth of the run, for docs/scale.md: both should be flat.

    python scripts/simulate_driver.py --parts 1000000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.folder import PartFiles, PartFolder
from elmokit.parts.run import run_parts
from elmokit.parts.work import Counts, Part, Result, Work
from elmokit.places import Place
from elmokit.text.ranges import Range

TENTHS = 10


@dataclass(frozen=True)
class Nothing:
    """A work that writes no file."""

    def open(self) -> Callable[[Part], Counts]:
        """Nothing has to be loaded."""
        return lambda part: Counts(5_000, 100_000)


class Watched:
    """The engine of one process, which writes down the time and memory of the driver at every tenth."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.rows: list[tuple[int, float, float]] = []

    def results(self, work: Work, windows: Iterator[list[Part]]) -> Iterator[Result]:
        """See `Engine`."""
        began, step = time.perf_counter(), max(1, self.parts // TENTHS)
        for done, result in enumerate(LocalEngine().results(work, windows), 1):
            yield result
            if done % step == 0:
                now = time.perf_counter()
                self.rows.append((done, (now - began) / step, _megabytes()))
                began = now


def _megabytes() -> float:
    """Of memory this process has now; where that is not told, of the most it had."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def simulate(parts: int, folder: Path) -> list[tuple[int, float, float]]:
    """Parts done, seconds per part and megabytes, at each tenth."""
    files = PartFiles(".parquet", _never)
    output = PartFolder(Place(str(folder / "out")), files)
    began = time.perf_counter()
    output.open({}, lambda: _ranges(parts), notes={}, overwrite=False)
    size = (folder / "out" / "_manifest.parquet").stat().st_size
    print(
        f"manifest of {parts:,} parts: {time.perf_counter() - began:.1f} s, {size / parts:.1f} bytes a part, "
        f"{_megabytes():.0f} MB"
    )
    engine = Watched(parts)
    run_parts(output, engine, Nothing(), what="simulating", progress=False)
    began = time.perf_counter()
    output.finish()
    print(f"final manifest: {time.perf_counter() - began:.1f} s")
    return engine.rows


def _ranges(parts: int) -> Iterator[Range]:
    for number in range(parts):
        file, place = divmod(number, 1000)
        yield Range(f"s3://corpus/file-{file:06d}.jsonl", "bytes", 600_000 * place, 600_000 * (place + 1))


def _never(place: Place) -> tuple[Counts, list[dict[str, Any]]] | None:
    raise AssertionError(place)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = simulate(arguments.parts, Path(folder))
    print(f"{'parts':>10} {'µs a part':>10} {'MB':>8}")
    for done, seconds, megabytes in rows:
        print(f"{done:>10,} {1e6 * seconds:>10.1f} {megabytes:>8.0f}")


if __name__ == "__main__":
    main()
