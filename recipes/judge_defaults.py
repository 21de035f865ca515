"""What the defaults of `elmo train classify` give with few and with many rows, compared with TF-IDF and a linear SVM.

    python recipes/judge_defaults.py elmo-mini $ELMOKIT_DATA runs/defaults [--sizes 300 1000] [--draws 5] [--sets CR]

For each set and size the mean over several draws of training rows: the accuracy of the network that no setting was
given for, that of TF-IDF on the same rows, and in how many runs that were behind by more than a point the report says
so. Both are measured on 2,000 rows of the training files that no draw of training rows contains (a fifth of the rows of
CR): test files are not read. Runs that are finished are not made again.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from elmokit.errors import ElmokitError
from elmokit.tasks import TASKS
from elmokit.tasks.notes import baseline_name
from elmokit.tasks.report import RunMetrics
from elmokit.tasks.run import run_task
from elmokit.whole_files import replacing
from english_text.data_folder import DataFolder
from judging.sentence_sets import opinions

Row = tuple[str, str]  # text, label

SIZES = (300, 1_000, 3_000, 30_000)
_JUDGED = 2_000
_POINT = 0.01


@dataclass(frozen=True)
class Outcome:
    """One run: accuracy of the network and of TF-IDF, and whether the report names TF-IDF as ahead."""

    network: float
    baseline: float
    told: bool


def main(arguments: list[str] | None = None) -> int:
    """Run, print the table row by row; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("output", type=Path, help="gets the rows and the runs")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args(arguments)
    print("| set | rows | network | TF-IDF + SVM | network − TF-IDF | behind by a point, and told |")
    print("|---|---|---|---|---|---|")
    try:
        for name in given.sets:
            rows = SETS[name](DataFolder(given.data))
            random.Random(0).shuffle(rows)
            judged = rows[: min(_JUDGED, len(rows) // 5)]
            for size in (size for size in given.sizes if size <= len(rows) - len(judged)):
                found = [
                    outcome(given.model, rows[len(judged) :], judged, size, draw, given.output / name)
                    for draw in range(given.draws)
                ]
                print(table_row(name, size, found), flush=True)
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def outcome(model: str, rows: Sequence[Row], judged: Sequence[Row], size: int, draw: int, folder: Path) -> Outcome:
    """Train on a draw of rows with no other settings than files."""
    run = folder / f"{size}-{draw}"
    if not run.is_dir():
        train, test = folder / f"{size}-{draw}.csv", folder / "judged.csv"
        write_rows(train, random.Random(draw).sample(rows, size))
        write_rows(test, judged)
        task = TASKS["classify"]
        given = {"model": model, "train": [str(train)], "test": [str(test)], "output": str(run), "progress": False}
        run_task(task.load(), task.settings()(**given, cache=str(folder / "cache")))
    metrics = RunMetrics.load(run)
    assert metrics.baseline is not None
    return Outcome(
        metrics.scores["test"].figure("accuracy"),
        float(metrics.baseline["test"]["accuracy"]),
        any(note.startswith(baseline_name(metrics)) for note in metrics.notes),
    )


def table_row(name: str, size: int, found: Sequence[Outcome]) -> str:
    """The means of a set and size."""
    network, baseline = (np.mean([getattr(one, part) for one in found]) for part in ("network", "baseline"))
    behind = [one for one in found if one.network < one.baseline - _POINT]
    told = f"{len(behind)} of {len(found)}, {sum(one.told for one in behind)} told" if behind else "none"
    return f"| {name} | {size:,} | {network:.3f} | {baseline:.3f} | {network - baseline:+.3f} | {told} |"


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """A CSV file with a header."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial, partial.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([("text", "label"), *rows])


def _ag_news(data: DataFolder) -> list[Row]:
    return [(f"{title}. {text}", label) for label, title, text in csv.reader(data.lines("ag_news/train.csv.gz"))]


def _sst2(data: DataFolder) -> list[Row]:
    lines: Iterator[str] = data.lines("sst/sst2_phrases/train.tsv.gz")
    next(lines)
    return [(text, label) for text, _, label in (line.rpartition("\t") for line in lines)]


def _cr(data: DataFolder) -> list[Row]:
    found = opinions(data, "CR")
    return [(text, str(label)) for text, label in zip(found.texts, found.labels, strict=True)]


SETS = {"AG News": _ag_news, "SST-2": _sst2, "CR": _cr}

if __name__ == "__main__":
    sys.exit(main())
