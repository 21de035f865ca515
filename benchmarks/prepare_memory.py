"""Peak memory and time of `elmo prepare` on real text and on 16 times as much, killed runs, and what is pruned.

    python benchmarks/prepare_memory.py [--every 40] [--factor 16] [--max-types 150000] [--actors 1]

Every 40th line of `lm_open` and `lm_langs` in $ELMOKIT_DATA, eight languages, is the base. The longer text is that base
again and again with new words in it, at the rate at which real text goes on having them: Heaps' law, V = K · N^β, by
the types of the half and of the whole of the base. A new word comes back as often as another new one comes. Both texts
have more types than --max-types, so both are pruned. The base is also prepared by a run that is killed (SIGKILL) while
it counts and again while it numbers, and resumed: its files are to be the same. Peak memory is that of the largest
process, and of the whole tree, sampled.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import lzma
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from elmokit.machine import processor_name


@dataclass(frozen=True)
class Growth:
    """How many types a text has: `types` after `words` words, and `beta`, the exponent of Heaps' law there."""

    words: int
    types: int
    beta: float

    def new_types(self, words: float) -> float:
        """New types per word after `words` words."""
        return float(self.beta * self.types / self.words * (words / self.words) ** (self.beta - 1))


def base_lines(data: Path, every: int) -> Iterator[str]:
    """The lines of the base, file by file."""
    files = sorted([*data.glob("lm_open/*.txt.xz"), *data.glob("lm_langs/*/*.txt.xz")])
    for file in files:
        with lzma.open(file, "rt", encoding="utf-8") as lines:
            yield from (line for number, line in enumerate(lines) if number % every == 0 and line.strip())


def write_base(data: Path, every: int, file: Path) -> Growth:
    """The base in random order, so that its second half is text like its first, and its growth."""
    lines = list(base_lines(data, every))
    random.Random(1).shuffle(lines)
    file.write_text("".join(lines), encoding="utf-8")
    total = sum(len(line.split()) for line in lines)
    seen: set[str] = set()
    words = half = 0
    for line in lines:
        seen.update(line.split())
        words += len(line.split())
        if not half and words >= total / 2:
            half = len(seen)
    return Growth(words, len(seen), math.log2(len(seen) / half))


def write_longer(base: Path, growth: Growth, factor: int, file: Path) -> int:
    """`factor` times the base with new words; returns how many of them there are."""
    drawn = random.Random(2)
    new = words = 0
    with file.open("w", encoding="utf-8") as out:
        for copy in range(factor):
            with base.open(encoding="utf-8") as lines:
                for line in lines:
                    row = line.split()
                    words += len(row)
                    rate = growth.new_types(words) if copy else 0.0
                    for place in range(len(row)):
                        chance = drawn.random()
                        if chance < rate:
                            row[place] = spelled(new)
                            new += 1
                        elif chance < 2 * rate and new:
                            row[place] = spelled(drawn.randrange(new))
                    out.write(" ".join(row) + "\n")
    return new


def spelled(number: int) -> str:
    """A word of its own for every number, of at least four syllables."""
    word = ""
    while number or len(word) < 8:
        number, place = divmod(number, 60)
        word += "bcdfghjklmnprstvwxyz"[place % 20] + "aeo"[place // 20]
    return word


def command(file: Path, output: Path, given: argparse.Namespace) -> list[str]:
    """`elmo prepare`."""
    return [
        sys.executable, "-m", "elmokit", "prepare", str(file), "--output", str(output), "--max-types",
        str(given.max_types), "--part-words", str(given.part_words), "--actors", str(given.actors), "--quiet",
    ]  # fmt: skip


@dataclass
class Figures:
    """Of one run: CPU-seconds, megabytes of the largest process and of the tree at its largest."""

    cpu_seconds: float
    largest: float
    tree: float


def measured(arguments: list[str]) -> Figures:
    """Run to the end.

    Raises:
        RuntimeError: It failed.
    """
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    tree = 0
    watched = psutil.Process(process.pid)
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ended meanwhile
            tree = max(tree, sum(each.memory_info().rss for each in [watched, *watched.children(recursive=True)]))
        time.sleep(0.05)
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(told[-2000:])
    return Figures(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, tree / 2**20)


def killed_when(arguments: list[str], folder: Path) -> bool:
    """Kill the run once a second part is in `folder`; False where it ended before."""
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        if folder.is_dir() and sum(path.name.startswith("part-") for path in folder.iterdir()) >= 2:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def digest(folder: Path) -> str:
    """Of every file of a corpus but the lock."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "_lock"):
        found.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def row(name: str, output: Path, figures: Figures) -> str:
    """A line of the table."""
    about: dict[str, Any] = json.loads((output / "corpus.json").read_text(encoding="utf-8"))
    pruned, train = about["pruned"], about["train"]
    types = about["n_types"] + pruned["types"]
    return (
        f"| {name} | {train['n_tokens'] / 1e6:.1f} M | {len(train['shards'])} | {types:,} | "
        f"{pruned['types']:,} ({pruned['words'] / pruned['of']:.2%} of the words) | {figures.largest:,.0f} | "
        f"{figures.tree:,.0f} | {figures.cpu_seconds:,.0f} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=40, help="one line of so many is in the base")
    parser.add_argument("--factor", type=int, default=16)
    parser.add_argument("--max-types", type=int, default=150_000)
    parser.add_argument("--part-words", type=int, default=500_000)
    parser.add_argument("--actors", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ELMOKIT_DATA", "")))
    parser.add_argument("--scratch", type=Path, help="where the texts and corpora lie meanwhile")
    given = parser.parse_args()
    if not (given.data / "lm_open").is_dir():
        parser.error(f"{given.data} has no lm_open: set ELMOKIT_DATA, or give --data")
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        scratch = Path(folder)
        base, longer = scratch / "base.txt", scratch / "longer.txt"
        growth = write_base(given.data, given.every, base)
        new = write_longer(base, growth, given.factor, longer)
        settings = f"--max-types {given.max_types:,}, --part-words {given.part_words:,}, --actors {given.actors}"
        print(f"{processor_name()}; {settings}")
        print(f"base: {growth.words:,} words (at spaces), {growth.types:,} types, β = {growth.beta:.3f}; {new:,} new\n")
        print("| text | words | shards | types | pruned | largest process, MB | all processes, MB | CPU-seconds |")
        print("|---|---|---|---|---|---|---|---|")
        runs = {}
        for name, file in (("base", base), (f"{given.factor} × the base", longer)):
            output = scratch / f"{file.stem}-corpus"
            runs[name] = measured(command(file, output, given))
            print(row(name, output, runs[name]), flush=True)
        once, more = runs.values()
        print(
            f"\npeak of the longer text / of the base: {more.largest / once.largest:.3f}, {more.tree / once.tree:.3f}"
        )
        resumed = scratch / "resumed"
        kills = [
            killed_when(command(base, resumed, given), resumed / place) for place in ("work/train-counts", "train")
        ]
        measured(command(base, resumed, given))
        same = "equal" if digest(resumed) == digest(scratch / "base-corpus") else "DIFFERENT"
        print(f"killed while counting, while numbering: {kills}; the resumed corpus is {same}")


if __name__ == "__main__":
    main()
