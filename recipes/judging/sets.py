"""The evaluation sets that trials are judged on, read from the data folder.

All of them are for choosing between models. What is reported once, at the end, is not read here: STS 2015 and 2016,
MPQA, the test part of MRPC, `eng.testb` of CoNLL-2003.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from elmokit.analysis.probes import Tagged
from elmokit.analysis.similarity import Pair, read_pairs
from elmokit.errors import DataError
from elmokit.text.conll import read_conll
from english_text.data_folder import DataFolder

StsYear = Literal["12", "13", "14"]
STS_YEARS: tuple[StsYear, ...] = get_args(StsYear)

_WORD_SETS = {"MEN": "wordsim/EN-MEN-TR-3k.txt", "SimLex": "wordsim/EN-SIMLEX-999.txt"}
_PROBE_SENTENCES, _PROBE_SEED = 4000, 13  # of the 14,041 of CoNLL-2003


class SentencePair(NamedTuple):
    """Two sentences and how similar people find them, 0 to 5."""

    one: str
    other: str
    score: float


class Review(NamedTuple):
    """A sentence of a customer review."""

    text: str
    positive: bool


@dataclass(frozen=True)
class JudgingSets:
    """What a model is judged on.

    Attributes:
        words: Word pairs with their similarity, by the name of the set.
        sts: Sentence pairs, by year and file.
        reviews: CR, the negative ones first.
        entities_train: CoNLL-2003: some training sentences with their IOB1 tags, always the same ones.
        entities_test: CoNLL-2003: `eng.testa`.
    """

    words: dict[str, list[Pair]]
    sts: dict[StsYear, dict[str, list[SentencePair]]]
    reviews: list[Review]
    entities_train: Sequence[Tagged]
    entities_test: Sequence[Tagged]

    @classmethod
    def read(cls, folder: Path, *, sts_years: Sequence[StsYear] = ("12",)) -> JudgingSets:
        """All of them.

        Raises:
            DataError: A file is missing, damaged, or has another format.
        """
        data = DataFolder(folder)
        train = list(_tagged(folder / "conll2003" / "eng.train.gz"))
        return cls(
            words={name: read_pairs(folder / file) for name, file in _WORD_SETS.items()},
            sts={
                year: {name: list(sentence_pairs(data, name)) for name in data.names(f"sts12_16/{year}.*.tsv.xz")}
                for year in sts_years
            },
            reviews=list(_reviews(data)),
            entities_train=random.Random(_PROBE_SEED).sample(train, min(_PROBE_SENTENCES, len(train))),
            entities_test=list(_tagged(folder / "conll2003" / "eng.testa.gz")),
        )


def sentence_pairs(data: DataFolder, name: str) -> Iterator[SentencePair]:
    """The pairs of a file of STS."""
    for number, line in enumerate(data.lines(name), 1):
        try:
            score, one, other = line.split("\t")
            yield SentencePair(one, other, float(score))
        except ValueError as error:
            expected = "a score and two sentences, separated by tabs"
            raise DataError(f"{data.root / name} line {number}: expected {expected}, got {line[:60]!r}") from error


def _reviews(data: DataFolder) -> Iterator[Review]:
    for kind, positive in (("neg", False), ("pos", True)):
        yield from (Review(line, positive) for line in data.lines(f"senteval/CR/custrev.{kind}.txt.xz"))


def _tagged(path: Path) -> Iterator[Tagged]:
    return ([(row[0], row[-1]) for row in rows] for rows in read_conll(path))
