"""What a row of a task's table gains over another, with a 95 % interval; for `task_table.py`.

Over seeds the runs are paired seed by seed (Student's t). A single run of each is paired over the test rows: the same
draws of test rows, with replacement, for both (Koehn 2004), of SQuAD's F1 a question or of corpus BLEU.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

from elmokit.experiments.statistics import interval
from elmokit.tasks.question_answering.scores import bootstrap_interval, question_scores
from elmokit.tasks.question_answering.squad import gold_answers, read_questions
from elmokit.tasks.translation.data import read_pairs

DRAWS = 2000
SEED = 1


@dataclass(frozen=True)
class Gain:
    """A mean difference, its interval where there is one, and the differences of the seeds."""

    mean: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...] = ()

    def __str__(self) -> str:
        between = "" if self.low is None else f" ({self.low:+.2f} to {self.high:+.2f})"
        single = f": {', '.join(f'{value:+.2f}' for value in self.seeds)}" if len(self.seeds) > 1 else ""
        return f"{self.mean:+.2f}{between}{single}"


def over_seeds(first: Sequence[float], second: Sequence[float]) -> Gain:
    """Of the second over the first, which have the same seeds in the same order."""
    found = interval([after - before for before, after in zip(first, second, strict=True)])
    return Gain(found["mean"], found["low"], found["high"], tuple(found["seeds"]))


def over_rows(task: str, settings: dict[str, Any], first: Path, second: Path) -> Gain:
    """Of the run in folder `second` over that in `first`, by what both wrote about the test files of `settings`.

    Raises:
        ValueError: A task without such files.
    """
    if task == "qa":
        return _answers(settings["test"], first / "test_predictions.json", second / "test_predictions.json")
    if task == "translate":
        names = "test_translations.txt"
        flags = ("test_source", "test_target")
        pairs = read_pairs(settings[flags[0]], settings[flags[1]], flags=flags, skip_empty=settings.get("skip_empty"))
        return bleu_gain(pairs.target, _lines(first / names), _lines(second / names))
    raise ValueError(f"Of one seed, gains are had for qa and translate, not {task}.")


def _answers(test: Sequence[str], first: Path, second: Path) -> Gain:
    gold = gold_answers(read_questions(test, flag="test"))
    before, after = (question_scores(gold, json.loads(path.read_text(encoding="utf-8"))) for path in (first, second))
    gained = (after - before)[:, 1:]
    low, high = bootstrap_interval(gained)
    return Gain(float(gained.mean()), float(low[0]), float(high[0]))


def bleu_gain(references: Sequence[str], first: Sequence[str], second: Sequence[str]) -> Gain:
    """Of corpus BLEU (sacrebleu's defaults), in percent."""
    counts = [_counts(references, translations) for translations in (first, second)]
    random = np.random.default_rng(SEED)
    drawn = [random.integers(len(references), size=len(references)) for _ in range(DRAWS)]
    differences = [_bleu(counts[1][rows]) - _bleu(counts[0][rows]) for rows in drawn]
    low, high = np.percentile(differences, [2.5, 97.5])
    return Gain(_bleu(counts[1]) - _bleu(counts[0]), float(low), float(high))


def _counts(references: Sequence[str], translations: Sequence[str]) -> NDArray[np.int64]:
    """(sentences, 10): right and all 1- to 4-grams, words of the translation and of the reference."""
    metric = BLEU(effective_order=True)  # the counts are those of the corpus score
    scored = [
        metric.sentence_score(translation, [reference])
        for reference, translation in zip(references, translations, strict=True)
    ]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scored])


def _bleu(counts: NDArray[np.int64]) -> float:
    summed: list[int] = counts.sum(axis=0).tolist()
    return float(BLEU.compute_bleu(summed[:4], summed[4:8], summed[8], summed[9], smooth_method="exp").score)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]
