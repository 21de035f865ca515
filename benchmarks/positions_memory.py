"""Memory of the vectors of one word per sentence: `positions=` against all words, in processes of their own.

    python benchmarks/positions_memory.py [--model elmo-mini] [--sentences 4000] [--words 25]

Prints the peak of resident memory, less that of the process with the model loaded and a few sentences encoded.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys

from elmokit import Encoder

_VOCABULARY = 5000


def main() -> None:
    """Measure in child processes and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="elmo-mini")
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--words", type=int, default=25)
    parser.add_argument("--measure", choices=["all words", "positions"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        measure(given.model, given.sentences, given.words, positions=given.measure == "positions")
        return
    for what in ("all words", "positions"):
        subprocess.run([sys.executable, *sys.argv, "--measure", what], check=True)


def measure(model: str, sentences: int, words: int, *, positions: bool) -> None:
    """Encode all layers of made-up sentences and print the peak."""
    draw = random.Random(1)
    texts = [[f"word{draw.randrange(_VOCABULARY)}" for _ in range(words)] for _ in range(sentences)]
    wanted = [[draw.randrange(words)] for _ in texts] if positions else None
    encoder = Encoder.from_pretrained(model)
    encoder.encode(texts[:64], is_split_into_words=True)
    before = _peak()
    found = encoder.encode(texts, positions=wanted, is_split_into_words=True)
    held = sum(array.nbytes for array in found) / 1e6
    name = "positions" if positions else "all words"
    print(f"{name:>10}  peak + {_peak() - before:6.0f} MB, of which the result is {held:6.0f} MB", flush=True)


def _peak() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
