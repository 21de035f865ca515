"""Peak memory of pretraining on N words and on 10 N words; it should not grow with the text.

    python benchmarks/pretrain_memory.py [--words 200000] [--factor 10] [--steps 15]

Each run is a process of its own: it prepares the corpus (tokenising all of it), trains some steps and says what its
resident memory was at its highest, up to the first update and in all. Sentences are drawn from a fixed list of words,
and 5,000 of them are predicted, so that both models are of one size (a longer text has more words that occur three
times); batches have one size, too, where the default grows with the text.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def write_text(file: Path, words: int) -> None:
    """`words` words in lines of 5 to 45, with Zipf's law over 30,000 types."""
    import numpy as np

    generator = np.random.default_rng(7)
    types = np.array([f"word{number}" for number in range(30_000)])
    odds = 1 / np.arange(1, len(types) + 1)
    with file.open("w", encoding="utf-8") as out:
        written = 0
        while written < words:
            drawn = generator.choice(types, size=50_000, p=odds / odds.sum())
            lengths = generator.integers(5, 46, size=2_000)
            ends = [end for end in lengths.cumsum().tolist() if end <= len(drawn)]
            for start, end in zip([0, *ends], ends, strict=False):
                out.write(" ".join(drawn[start:end]) + "\n")
                written += end - start
                if written >= words:
                    return


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2


def child(file: Path, output: Path, steps: int, preset: str) -> None:
    """One run; prints its figures as JSON."""
    from elmokit.pretrain.config import PretrainConfig
    from elmokit.pretrain.loop import TrainingStep, pretrain

    peaks: dict[str, float] = {"loaded": peak_megabytes()}

    class Enough(Exception):
        pass

    def watch(done: TrainingStep) -> None:
        peaks.setdefault("first update", peak_megabytes())
        if done.step >= steps:
            raise Enough

    config = PretrainConfig(
        train=[str(file)],
        output=output,
        preset=preset,
        epochs=1,
        precision="float32",
        max_vocab=5_000,
        batch_tokens=2_048,
    )
    with contextlib.suppress(Enough):
        pretrain(config, show_progress=False, on_step=watch)
    print(json.dumps({**peaks, "trained": peak_megabytes()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--child", nargs=2, type=Path, default=(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        file, output = options.child
        child(file, output, options.steps, options.preset)
        return
    print(f"{'words':>12}{'loaded':>10}{'first update':>14}{'trained':>10}   peak resident memory in MB")
    trained = []
    for words in (options.words, options.words * options.factor):
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "text.txt"
            write_text(file, words)
            command = [sys.executable, __file__, "--child", str(file), str(Path(scratch) / "run")]
            command += ["--steps", str(options.steps), "--preset", options.preset]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        peaks = json.loads(done.stdout.splitlines()[-1])
        trained.append(peaks["trained"])
        print(f"{words:>12,}{peaks['loaded']:>10,.0f}{peaks['first update']:>14,.0f}{peaks['trained']:>10,.0f}")
    print(f"difference: {trained[1] - trained[0]:,.0f} MB (expected: below 100)")


if __name__ == "__main__":
    main()
