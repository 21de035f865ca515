"""Make what the explorer shows on a first visit: `study.json` and `skipgram.bin.gz` in src/elmokit/web/bundled.

    python recipes/first_visit.py runs/elmo_mini/skipgram80.txt

The vectors are those that `recipes/ship_models.py elmo-mini` trains on the text of the model (`elmo train vectors
--method skipgram --dim 80 --window 5 --epochs 1 --set max_vocab=30000`): the most frequent words, their numbers
rounded to 32nds so that the file is small.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from elmokit.static.vectors import WordVectors
from elmokit.web.bundled import STUDY, VECTORS
from elmokit.web.study_file import read_study
from elmokit.whole_files import replacing

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "ag_news" / "results.json"
WORDS = 12_000
STEPS = 32


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("vectors", type=Path, help="skip-gram vectors of the text of elmo-mini")
    given = parser.parse_args()
    write_study(RESULTS, STUDY)
    write_vectors(given.vectors, VECTORS)
    for file in (STUDY, VECTORS):
        print(f"{file}: {file.stat().st_size / 1e6:.2f} MB")


def write_study(results: Path, output: Path) -> None:
    """The part of a study that the page shows."""
    with replacing(output) as partial:
        partial.write_text(read_study(results).model_dump_json(exclude_defaults=True) + "\n", encoding="utf-8")


def write_vectors(source: Path, output: Path) -> None:
    """The first `WORDS` vectors, rounded."""
    found = WordVectors.load(source)
    rounded = np.round(found.matrix[:WORDS] * STEPS) / STEPS
    WordVectors(found.words[:WORDS], rounded.astype(np.float32)).save(output)


if __name__ == "__main__":
    main()
