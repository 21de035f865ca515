"""Sentences with people's judgements: STS, MRPC, CR, MPQA, CoLA, read from the data folder.

STS 2012 to 2014, CR and the training part of MRPC are for choosing; the rest is reported once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from elmokit.errors import DataError
from english_text.data_folder import DataFolder
from judging.sets import SentencePair, sentence_pairs

Part = Literal["train", "test"]


@dataclass(frozen=True)
class Labelled:
    """Sentences, or pairs of them, with one of two labels.

    Attributes:
        texts: The sentences; of pairs the first ones.
        others: Of pairs the second ones.
        labels: 0 or 1.
    """

    texts: Sequence[str]
    labels: Sequence[int]
    others: Sequence[str] | None = None

    def some(self, count: int | None) -> Labelled:
        """About `count` rows, evenly spaced."""
        step = 1 if count is None else max(1, len(self.texts) // count)
        others = None if self.others is None else self.others[::step]
        return Labelled(self.texts[::step], self.labels[::step], others)


def similarity(data: DataFolder, year: str) -> dict[str, list[SentencePair]]:
    """The files of a year of STS, by name."""
    return {name: list(sentence_pairs(data, name)) for name in data.names(f"sts12_16/{year}.*.tsv.xz")}


def opinions(data: DataFolder, name: Literal["CR", "MPQA"]) -> Labelled:
    """CR, sentences of reviews, or MPQA, phrases of news; 1 is positive."""
    stem = {"CR": "senteval/CR/custrev", "MPQA": "senteval/MPQA/mpqa"}[name]
    rows = [(line, label) for label, kind in enumerate(("neg", "pos")) for line in data.lines(f"{stem}.{kind}.txt.xz")]
    return Labelled([text for text, _ in rows], [label for _, label in rows])


def paraphrases(data: DataFolder, part: Part) -> Labelled:
    """MRPC; 1 is a paraphrase."""
    rows = list(_table(data, f"senteval/MRPC/msr_paraphrase_{part}.txt.xz", columns=5, header=True))
    return Labelled([row[3] for row in rows], [int(row[0] == "1") for row in rows], [row[4] for row in rows])


def acceptability(data: DataFolder, part: Literal["train", "dev"]) -> Labelled:
    """CoLA; 1 is an acceptable sentence."""
    rows = list(_table(data, f"cola/{part}.tsv.xz", columns=4, header=False))
    return Labelled([row[3] for row in rows], [int(row[1] == "1") for row in rows])


def _table(data: DataFolder, name: str, *, columns: int, header: bool) -> Iterator[list[str]]:
    for number, line in enumerate(data.lines(name), start=1):
        row = line.split("\t")
        if len(row) != columns:
            raise DataError(f"{data.root / name} line {number}: expected {columns} columns, got {len(row)}")
        if not (header and number == 1):
            yield row
