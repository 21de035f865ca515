"""`elmo evaluate` against another version of itself: seconds of whole processes, words a second within one.

    git worktree add ../before COMMIT
    python benchmarks/evaluate_speed.py --before ../before [--models elmo-mini] [--words 1000 10000 100000]
                                        [--threads 1 2] [--rounds 3] [--text F --split-words] [--python PYTHON]
                                        [--precision bfloat16]

The text is that of WikiText-2, test, in $ELMOKIT_DATA, cut to so many words. Each round runs every row in both
versions, one after the other: once as a process from its start to its end, and once in a process that is already
there. The least seconds of a row count; those of the processor say what was taken of a machine that has other work.
Both versions must print the same digits, except with --precision, which only the version now is given.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import elmokit
from elmokit.machine import processor_name

HERE = Path(__file__).parents[1]
SERVER = """
import json, sys, time
import elmokit, torch
from elmokit.pretrain.perplexity import evaluate_text
torch.set_num_threads(int(sys.argv[1]))
for line in sys.stdin:
    model, text, options = json.loads(line)
    began, used = time.perf_counter(), time.process_time()
    found = evaluate_text(model, text, **options)
    print(json.dumps([time.perf_counter() - began, time.process_time() - used]), flush=True)
"""


@dataclass(frozen=True)
class Row:
    """What is evaluated."""

    model: str
    words: int
    threads: int
    next_word: bool

    def __str__(self) -> str:
        what = ", next word" if self.next_word else ""
        return f"{Path(self.model).name}, {self.words:,} words, {self.threads} thread(s){what}"


@dataclass
class Times:
    """Least seconds of a row in one version: (by the clock, of the processor)."""

    process: tuple[float, float] = (float("inf"), float("inf"))
    within: tuple[float, float] = (float("inf"), float("inf"))
    printed: set[str] = field(default_factory=set)


def least(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), min(one[1], other[1])


class Version:
    """A checkout, called as a command and as a process that stays."""

    def __init__(self, checkout: Path, python: str, *, precision: str | None = None) -> None:
        self.checkout, self.python, self.precision = checkout, python, precision
        self.times: dict[Row, Times] = {}
        self._servers: dict[int, subprocess.Popen[str]] = {}

    def measure(self, row: Row, text: Path, *, pre_split: bool) -> None:
        """One process and one call."""
        times = self.times.setdefault(row, Times())
        seconds, printed = self._command(row, text, pre_split=pre_split)
        times.process = least(times.process, seconds)
        times.printed.add(printed)
        options: dict[str, bool | str] = {"pre_split": pre_split, "next_word": row.next_word}
        if self.precision is not None:
            options["precision"] = self.precision
        times.within = least(times.within, self._call(row, text, options))

    def close(self) -> None:
        for server in self._servers.values():
            server.communicate()

    def _command(self, row: Row, text: Path, *, pre_split: bool) -> tuple[tuple[float, float], str]:
        split = "--pre-split" if pre_split else "--split-words"
        command = [self.python, "-m", "elmokit", "evaluate", row.model, "--text", str(text), split]
        if self.precision is not None:
            command += ["--precision", self.precision]
        used, began = _children(), time.perf_counter()
        done = subprocess.run(
            [*command, *(["--next-word"] if row.next_word else [])], env=self._environment(row.threads),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{self.checkout}: {done.stderr[-2000:]}")
        return (time.perf_counter() - began, _children() - used), done.stdout

    def _call(self, row: Row, text: Path, options: dict[str, bool | str]) -> tuple[float, float]:
        if row.threads not in self._servers:
            self._servers[row.threads] = subprocess.Popen(
                [self.python, "-c", SERVER, str(row.threads)], env=self._environment(row.threads),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        server = self._servers[row.threads]
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps([row.model, str(text), options]) + "\n")
        server.stdin.flush()
        line = server.stdout.readline()
        if not line:
            sys.exit(f"{self.checkout}: no answer; see above")
        clock, processor_seconds = json.loads(line)
        return clock, processor_seconds

    def _environment(self, threads: int) -> dict[str, str]:
        """Python may keep what it compiles, as it does in an installation; not among the sources."""
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        cache = Path(tempfile.gettempdir()) / "elmokit-benchmark-bytecode"
        return given | {
            "PYTHONPATH": str(self.checkout / "src"),
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPYCACHEPREFIX": str(cache),
        }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wikitext() -> str:
    data = os.environ.get("ELMOKIT_DATA")
    if not data:
        sys.exit("set ELMOKIT_DATA to the folder of the data sets, or give --text")
    with gzip.open(Path(data) / "wikitext2" / "test.txt.gz", "rt", encoding="utf-8") as file:
        return file.read()


def cut(text: str, words: int) -> str:
    """Whole lines, up to so many words."""
    lines: list[str] = []
    count = 0
    for line in text.splitlines(keepends=True):
        count += len(line.split())
        if count > words and lines:
            break
        lines.append(line)
    return "".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--before", type=Path, help="checkout of the other version")
    parser.add_argument("--models", nargs="+", default=["elmo-mini"])
    parser.add_argument("--words", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", type=Path, help="plain text, not packed, in the place of WikiText-2")
    parser.add_argument("--split-words", action="store_true", help="the text is not split into words yet")
    parser.add_argument("--precision", help="of the version now")
    parser.add_argument("--python", default=sys.executable, help="with the libraries of both versions")
    arguments = parser.parse_args()
    whole = arguments.text.read_text(encoding="utf-8") if arguments.text else wikitext()
    checkouts = {"before": arguments.before, "now": HERE}
    versions = {
        name: Version(path, arguments.python, precision=arguments.precision if name == "now" else None)
        for name, path in checkouts.items()
        if path is not None
    }
    rows = [
        Row(model, words, threads, next_word)
        for model in arguments.models
        for threads in arguments.threads
        for words in arguments.words
        for next_word in (False, True)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        texts = {words: Path(scratch) / f"{words}.txt" for words in arguments.words}
        for words, path in texts.items():
            path.write_text(cut(whole, words), encoding="utf-8")
        for _ in range(arguments.rounds):
            for row in rows:
                for version in versions.values():
                    version.measure(row, texts[row.words], pre_split=not arguments.split_words)
    for version in versions.values():
        version.close()
    print(f"elmokit {elmokit.__version__} on {processor_name()}; least of {arguments.rounds} rounds")
    for row in rows:
        show(row, versions)


def show(row: Row, versions: dict[str, Version]) -> None:
    """A row of each version, and their ratios."""
    print(f"\n{row}")
    for name, version in versions.items():
        (clock, used), (clock_within, used_within) = version.times[row].process, version.times[row].within
        print(
            f"  {name:<7} process {clock:7.2f} s ({used:7.2f} s of processor); within "
            f"{row.words / clock_within:8,.0f} words/s ({row.words / used_within:8,.0f} per processor second)"
        )
    if len(versions) == 2:
        before, now = (version.times[row] for version in versions.values())
        clock, used = (old / new for old, new in zip(before.process, now.process, strict=True))
        clock_within, used_within = (old / new for old, new in zip(before.within, now.within, strict=True))
        same = before.printed == now.printed and len(now.printed) == 1
        print(
            f"  ratio   process {clock:7.2f} × ({used:.2f} ×); within {clock_within:.2f} × ({used_within:.2f} ×); "
            f"{'the same digits' if same else 'OTHER DIGITS'}"
        )


if __name__ == "__main__":
    main()
