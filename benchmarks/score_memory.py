"""Memory and pace of `elmo score` on a long text, with oneDNN's caches of other sizes.

    python benchmarks/score_memory.py [TEXT] [--model elmo-mini] [--sentences 20000] [--caches default 16/16 128/16]

A cache is `ONEDNN_PRIMITIVE_CACHE_CAPACITY/LRU_CACHE_CAPACITY`, or `default` for what elmokit sets. One process each,
on one thread; without a text, made-up sentences. Reads the memory of the process four times a second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import psutil
from embed_memory import write_text

from elmokit.report.markdown import markdown_table

_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


def measure(model: str, text: Path, output: Path, cache: str) -> list[str]:
    """One row of the table: CPU seconds, and the resident memory in MB at parts of the time and at its highest."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if cache != "default":
        primitives, others = cache.split("/")
        environment |= {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": primitives, "LRU_CACHE_CAPACITY": others}
    command = [sys.executable, "-m", "elmokit", "score", model, str(text), "--output", str(output), "--overwrite"]
    process = psutil.Popen([*command, "--quiet"], env=environment, stderr=subprocess.PIPE, text=True)
    memory, seconds = [], 0.0
    while process.poll() is None:
        try:
            memory.append(process.memory_info().rss / 1e6)
            seconds = sum(process.cpu_times()[:2])
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            break
        time.sleep(0.25)
    stderr = process.communicate()[1]
    if process.returncode:
        sys.exit(stderr)
    at = [memory[min(int(share * len(memory)), len(memory) - 1)] for share in _SHARES]
    return [cache, f"{seconds:,.0f}", *(f"{size:,.0f}" for size in (*at, max(memory)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--model", default="elmo-mini")
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--caches", nargs="+", default=["default", "16/16", "1024/1024"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        text = folder / "text.txt"
        if given.text is None:
            write_text(text, given.sentences * 25)
        else:
            with given.text.open(encoding="utf-8") as lines:
                text.write_text("".join(islice(filter(str.strip, lines), given.sentences)), encoding="utf-8")
        rows = [measure(given.model, text, folder / "out.tsv", cache) for cache in given.caches]
    heads = [f"MB at {share:.0%}" for share in _SHARES]
    print(markdown_table(["caches", "CPU seconds", *heads, "MB, highest"], rows))


if __name__ == "__main__":
    main()
