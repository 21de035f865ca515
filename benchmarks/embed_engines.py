"""Words per second of `elmo embed MODEL TEXT OUT/` by engine and number of actors, and whether the bytes are equal.

The rate is that of the parts after the first of each actor, by the times of their files: without loading the model
and starting Ray, with scheduling.

    python benchmarks/embed_engines.py elmo-mini text.txt --part-words 20000 --run local:1 local:2 ray:1 ray:2
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq


def run(model: str, text: str, output: Path, engine: str, actors: int, part_words: int, layers: str) -> float:
    """Seconds of the whole command."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "elmokit", "embed", model, text, f"{output}/", "--engine", engine, "--actors",
         str(actors), "--part-words", str(part_words), "--layers", layers, "--quiet"], check=True,
    )  # fmt: skip
    return time.perf_counter() - began


def rate(output: Path, actors: int) -> float:
    """Words per second between the first part of every actor and the last part."""
    words = {row["part"]: row["words"] for row in pq.read_table(output / "_manifest.parquet").to_pylist()}
    files = sorted(output.glob("part-*"), key=lambda path: path.stat().st_mtime_ns)
    counted = sum(words[int(path.stem.removeprefix("part-"))] for path in files[actors:])
    return float(counted / max(files[-1].stat().st_mtime - files[actors - 1].stat().st_mtime, 1e-9))


def digest(output: Path) -> str:
    """Of the bytes of all parts."""
    found = hashlib.sha256()
    for path in sorted(output.glob("part-*")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--part-words", type=int, default=20_000)
    parser.add_argument("--layers", default="top")
    parser.add_argument("--run", nargs="+", default=["local:1", "ray:1"], metavar="ENGINE:ACTORS")
    arguments = parser.parse_args()
    print(f"{'engine':>8} {'actors':>6} {'words/s':>9} {'seconds':>8}  bytes")
    for name in arguments.run:
        engine, _, actors = name.partition(":")
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out"
            seconds = run(
                arguments.model, arguments.text, output, engine, int(actors), arguments.part_words, arguments.layers
            )
            print(
                f"{engine:>8} {actors:>6} {rate(output, int(actors)):>9,.0f} {seconds:>8.1f}  {digest(output)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
