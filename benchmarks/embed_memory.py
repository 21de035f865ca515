"""Memory and pace of `elmo embed` on a long text: resident megabytes as the run continues.

    python benchmarks/embed_memory.py [--words 1000000] [--preset mini] [--output DIR]

Embeds made-up text with an untrained model of the preset, one layer in float16, and reads the memory of the process
once a second.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import elmokit  # noqa: F401 (before torch: sets how OpenMP waits)

# isort: split
import psutil
import torch

from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer


def write_text(path: Path, words: int) -> None:
    """Sentences of 5 to 45 words out of 50,000, the frequent ones frequent."""
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        written = 0
        while written < words:
            length = draw.randint(5, 45)
            file.write(" ".join(f"w{int(draw.paretovariate(0.6)) % 50_000}" for _ in range(length)) + "\n")
            written += length


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.output) as scratch:
        folder = Path(scratch)
        torch.manual_seed(0)
        ElmoModel(ElmoConfig.preset(arguments.preset)).save_pretrained(folder / "model")
        ElmoTokenizer().save_pretrained(folder / "model")
        write_text(folder / "text.txt", arguments.words)
        command = [sys.executable, "-m", "elmokit", "embed", folder / "model", folder / "text.txt", folder / "out.hdf5"]
        command += ["--layers", "top", "--dtype", "float16", "--pre-split", "--quiet"]
        process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
        watched, memory, began = psutil.Process(process.pid), [], time.monotonic()
        while process.poll() is None:
            try:
                memory.append((time.monotonic() - began, watched.memory_info().rss / 1e6))
            except psutil.NoSuchProcess:
                break
            time.sleep(1)
        stderr = process.communicate()[1]
        if process.returncode:
            sys.exit(stderr)
        print(stderr.strip().splitlines()[-1])
        for share in (0.1, 0.25, 0.5, 0.75, 0.95, 1.0):
            at, size = memory[min(int(share * len(memory)), len(memory) - 1)]
            print(f"  after {at:6,.0f} s  {size:7,.0f} MB")
        print(f"  highest         {max(size for _, size in memory):7,.0f} MB")


if __name__ == "__main__":
    main()
