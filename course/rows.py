"""The rows of the notebooks: AG News where `get_data.py` has put it, else synthetic sentences of four topics."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from elmokit.demo.synthetic import generate

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "runs" / "course"
SYNTHETIC = ROOT / "runs" / "course_synthetic"
HOW = """\
AG News is not here. In the folder of the repository,

    python course/get_data.py

downloads it (31 MB), compares its checksum and draws the rows of the course; then run this notebook again.
Until then it works on synthetic sentences: everything runs, but figures say nothing about real text."""


@dataclass(frozen=True)
class Rows:
    """Files with labelled rows, the names of the labels, and the training text alone, a text per line."""

    train: Path
    test: Path
    labels: Path
    text: Path
    real: bool

    @property
    def runs(self) -> Path:
        """Where notebooks keep what they train."""
        return self.text.parent / "notebooks"

    def texts(self) -> list[str]:
        """The training text."""
        return self.text.read_text(encoding="utf-8").splitlines()


def course_rows(*, train: int = 400, test: int = 200) -> Rows:
    """The rows of the course; `train` and `test` say how many synthetic ones to make where it is not there."""
    real = (REAL / "train.csv").is_file()
    if not real:
        print(HOW)
        _write_synthetic(train, test)
    folder = REAL if real else SYNTHETIC
    return Rows(folder / "train.csv", folder / "test.csv", folder / "classes.txt", folder / "text.txt", real)


def _write_synthetic(train: int, test: int) -> None:
    SYNTHETIC.mkdir(parents=True, exist_ok=True)
    examples = generate(train + test, seed=1)
    topics = sorted({example.topic for example in examples})
    for name, part in (("train.csv", examples[:train]), ("test.csv", examples[train:])):
        with (SYNTHETIC / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([topics.index(each.topic) + 1, "", each.text] for each in part)
    (SYNTHETIC / "classes.txt").write_text("\n".join(topics) + "\n", encoding="utf-8")
    (SYNTHETIC / "text.txt").write_text("".join(f"{each.text}\n" for each in examples[:train]), encoding="utf-8")
