"""Words per CPU-second and per second of `Encoder`, one sentence at a time, with the compiled kernels and without.

    python benchmarks/single_sentence.py [--model elmo-mini] [--sentences 200] [--threads 1 2] [--before SRC]

The first sentences of the Brown corpus in $ELMOKIT_DATA. Each row is a process of its own; the rounds of all rows are
interleaved and the best of each counts. --before names the `src` folder of another version of elmokit, for a row:
`git archive COMMIT src | tar x -C FOLDER` makes one, and 57c746f6~1 is the last version without the kernels.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from brown import brown

from elmokit import Encoder


@dataclass
class Row:
    """One version and number of threads."""

    name: str
    environment: dict[str, str]
    threads: int
    per_cpu_second: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    def measure(self, arguments: argparse.Namespace) -> None:
        command = [sys.executable, __file__, "--worker", "--model", arguments.model]
        command += ["--sentences", str(arguments.sentences), "--threads", str(self.threads)]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{self.name} failed:\n{done.stderr[-2000:]}")
        cpu, wall = map(float, done.stdout.split())
        self.per_cpu_second.append(cpu)
        self.per_second.append(wall)


def work(arguments: argparse.Namespace) -> None:
    """In a process of its own: the best of three passes, after one that does not count."""
    import torch

    torch.set_num_threads(arguments.threads[0])
    sentences = brown(arguments.sentences)
    encoder = Encoder.from_pretrained(arguments.model)
    words = sum(map(len, sentences))
    best = [0.0, 0.0]
    for number in range(4):
        cpu, wall = cpu_seconds(), time.perf_counter()
        for sentence in sentences:
            encoder.encode([sentence], is_split_into_words=True)
        rates = words / (cpu_seconds() - cpu), words / (time.perf_counter() - wall)
        if number:
            best = [max(pair) for pair in zip(best, rates, strict=True)]
    print(*best)


def cpu_seconds() -> float:
    """Of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="elmo-mini")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="the src folder of another version")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    from elmokit.machine import processor_name  # not at the top: older versions, run as workers, have no such function

    rows = []
    for threads in arguments.threads:
        rows += [Row("compiled kernels", {}, threads), Row("PyTorch", {"ELMOKIT_KERNELS": "off"}, threads)]
        if arguments.before is not None:
            rows.append(Row("before", {"PYTHONPATH": str(arguments.before)}, threads))
    for _ in range(arguments.rounds):
        for row in rows:
            row.measure(arguments)
    print(f"{arguments.model}, {arguments.sentences} sentences one at a time; {processor_name()}")
    print(f"{'':<20}{'threads':>8}{'words/CPU-s':>13}{'words/s':>10}{'× last, CPU':>13}")
    for threads in arguments.threads:
        group = [row for row in rows if row.threads == threads]
        for row in group:
            cpu, wall = max(row.per_cpu_second), max(row.per_second)
            ratio = cpu / max(group[-1].per_cpu_second)
            print(f"{row.name:<20}{threads:>8}{cpu:>13,.0f}{wall:>10,.0f}{ratio:>13.2f}")


if __name__ == "__main__":
    main()
