"""Word similarity sets: the context-free layer of a model beside static vectors, on the pairs that both know.

    python scripts/word_similarity.py MODEL VECTORS [--sets DIR]

DIR defaults to $ELMOKIT_DATA/wordsim; VECTORS is a file of `elmo train vectors`, word2vec or GloVe.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from elmokit import Encoder
from elmokit.analysis.similarity import agreement, context_free, read_pairs, static
from elmokit.static.vectors import WordVectors


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--sets", type=Path)
    arguments = parser.parse_args()
    if arguments.sets is None and not os.environ.get("ELMOKIT_DATA"):
        sys.exit("set ELMOKIT_DATA to the folder of the data sets, or give --sets")
    folder = arguments.sets or Path(os.environ["ELMOKIT_DATA"]) / "wordsim"
    models = {
        "token layer": context_free(Encoder.from_pretrained(arguments.model)),
        "static": static(WordVectors.load(arguments.vectors)),
    }
    print("| set | pairs | known to both | " + " | ".join(models) + " |")
    print("|---" * (3 + len(models)) + "|")
    for path in sorted(folder.glob("EN-*.txt")):
        found = agreement(read_pairs(path), models)
        row = " | ".join(f"{rho:.3f}" for rho in found.rho.values())
        print(f"| {path.stem.removeprefix('EN-')} | {found.all_pairs:,} | {found.pairs:,} | {row} |")


if __name__ == "__main__":
    main()
