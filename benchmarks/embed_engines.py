"""Words per CPU-second and per second of `elmo embed MODEL TEXT OUT/` by engine and number of actors, in one run.

    python benchmarks/embed_engines.py elmo-mini text.txt --part-words 20000 --run local:1 ray:1 local:2

Both rates are of the parts after the first of each actor: without loading the model and starting Ray, with scheduling.
CPU-seconds are those of all processes of the command, Ray's own as well, sampled; "fixed" are those of the whole run
less its words at that rate: what a run of any length takes once. "overhead" is what a row takes more CPU-seconds per
word than the first one. The rounds of all rows are interleaved and the median of each counts. The last column says
whether the bytes of all parts are equal.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from elmokit.machine import processor_name

SAMPLE_SECONDS = 0.05


@dataclass
class Tree:
    """The CPU-seconds of a process and everything it starts, those that ended meanwhile included.

    Attributes:
        root: The process.
        seconds: Of each process when it was last seen.
    """

    root: psutil.Process
    seconds: dict[tuple[int, float], float] = field(default_factory=dict)

    def total(self) -> float:
        """Up to now."""
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            for process in [self.root, *self.root.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    times = process.cpu_times()
                    self.seconds[process.pid, process.create_time()] = times.user + times.system
        return sum(self.seconds.values())


@dataclass
class Row:
    """An engine with a number of actors, and what its rounds gave."""

    engine: str
    actors: int
    per_cpu_second: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    bytes: set[str] = field(default_factory=set)

    def measure(self, given: argparse.Namespace) -> None:
        """A run of the command in a process of its own."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out"
            command = [
                sys.executable, "-m", "elmokit", "embed", given.model, given.text, f"{output}/",
                "--engine", self.engine, "--actors", str(self.actors), "--part-words", str(given.part_words),
                "--layers", given.layers, "--quiet",
            ]  # fmt: skip
            first, last, cpu = watched(command, output, self.actors)
            words = {row["part"]: row["words"] for row in pq.read_table(output / "_manifest.parquet").to_pylist()}
            counted = sum(words[int(Path(name).stem.removeprefix("part-"))] for name in last.parts - first.parts)
            self.per_cpu_second.append(counted / max(last.cpu - first.cpu, 1e-9))
            self.fixed.append(cpu - sum(words.values()) / self.per_cpu_second[-1])
            self.per_second.append(counted / max(last.time - first.time, 1e-9))
            self.bytes.add(digest(output))


@dataclass(frozen=True)
class Mark:
    """A moment of a run: the parts that were there, CPU-seconds so far, the clock."""

    parts: frozenset[str]
    cpu: float
    time: float


def watched(command: list[str], output: Path, actors: int) -> tuple[Mark, Mark, float]:
    """Run `command`; the moments when `actors` parts were there, and when the last one came; CPU-seconds of it all.

    Raises:
        RuntimeError: It failed, or there are too few parts to tell.
    """
    process = subprocess.Popen(command)
    tree = Tree(psutil.Process(process.pid))
    marks: list[Mark] = []
    while process.poll() is None:
        parts = frozenset(path.name for path in output.glob("part-*")) if output.is_dir() else frozenset()
        if len(parts) >= actors and (not marks or parts != marks[-1].parts):
            marks.append(Mark(parts, tree.total(), time.perf_counter()))
        else:
            tree.total()  # of processes that will have ended
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    if len(marks) < 2:
        raise RuntimeError(f"{output} got too few parts to tell a rate: a longer text, or smaller --part-words")
    return marks[0], marks[-1], tree.total()


def digest(output: Path) -> str:
    """Of the bytes of all parts."""
    found = hashlib.sha256()
    for path in sorted(output.glob("part-*")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--part-words", type=int, default=20_000)
    parser.add_argument("--layers", default="top")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs="+", default=["local:1", "ray:1"], metavar="ENGINE:ACTORS")
    given = parser.parse_args()
    rows = [Row(engine, int(actors)) for engine, _, actors in (name.partition(":") for name in given.run)]
    for number in range(given.rounds):
        for row in rows:
            row.measure(given)
            done = f"{row.engine}:{row.actors} {row.per_cpu_second[-1]:,.0f} words/CPU-s, {row.fixed[-1]:.1f} fixed"
            print(f"round {number + 1}: {done}", file=sys.stderr)
    print(f"{given.model}, parts of {given.part_words:,} words, median of {given.rounds}; {processor_name()}")
    print(f"{'engine':>8} {'actors':>6} {'words/CPU-s':>12} {'overhead':>9} {'fixed':>6} {'words/s':>9}  bytes")
    best = statistics.median(rows[0].per_cpu_second)
    for row in rows:
        rate, wall, fixed = (statistics.median(found) for found in (row.per_cpu_second, row.per_second, row.fixed))
        print(
            f"{row.engine:>8} {row.actors:>6} {rate:>12,.0f} {best / rate - 1:>9.1%} {fixed:>6.1f} {wall:>9,.0f}  "
            + " ".join(sorted(row.bytes))
        )


if __name__ == "__main__":
    main()
