"""Join the AG News files of a data folder into text for pretraining, with 1,000 rows held out for perplexity.

    python recipes/prepare_ag_news.py $ELMOKIT_DATA/ag_news runs/ag_news/data

Reads ``train.csv.gz`` (class, title, description) and the ``train_extra_*.csv.gz`` files (class, text), and leaves the
test file alone. Writes ``lm_train.txt`` and ``lm_valid.txt``, one row per line, labels dropped.
"""

from __future__ import annotations

import csv
import gzip
import random
import sys
from collections.abc import Iterator
from pathlib import Path

HELD_OUT = 1_000
SEED = 13
FILES = ("train", "train_extra_text", "train_extra_desc", "train_extra_lower")


def rows(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            yield " ".join(" ".join(row[1:]).split())


def main(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    texts = {name: list(rows(source / f"{name}.csv.gz")) for name in FILES}
    held_out = set(random.Random(SEED).sample(range(len(texts["train"])), HELD_OUT))
    with (target / "lm_train.txt").open("w", encoding="utf-8") as train, \
            (target / "lm_valid.txt").open("w", encoding="utf-8") as valid:  # fmt: skip
        for name, lines in texts.items():
            for number, line in enumerate(lines):
                chosen = valid if name == "train" and number in held_out else train
                chosen.write(line + "\n")
    print(f"{sum(map(len, texts.values())) - HELD_OUT:,} rows to pretrain on, {HELD_OUT:,} held out, in {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
