"""Scores and their intervals over test rows, against NumPy, seqeval's F1 and sacrebleu's BLEU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from elmokit.settings import load_settings
from elmokit.tasks import TASKS
from elmokit.tasks.row_scores import RowScored, RowScores, difference_interval, mean_interval
from elmokit.tasks.tagging.scores import f1_of_counts, span_counts, span_scores
from elmokit.tasks.translation.scores import bleu, bleu_of_counts, ngram_counts

RANDOM = np.random.default_rng(0)


def scored(name: str) -> RowScored:
    task = TASKS[name].load()
    assert isinstance(task, RowScored)
    return task


def test_the_interval_of_a_mean() -> None:
    values = RANDOM.binomial(1, 0.4, size=2000).astype(np.float64) * 100.0
    low, high = mean_interval(values, draws=2000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.3)
    assert high == pytest.approx(values.mean() + half, abs=0.3)
    assert mean_interval(values, draws=2000) == (low, high)
    assert mean_interval(values[:0]) == (0.0, 0.0)
    assert mean_interval(np.array([3.0])) == (3.0, 3.0)


def test_a_difference_is_that_of_the_same_draws_for_both() -> None:
    first = [RANDOM.random(300) < 0.8 for _ in range(2)]
    second = [RANDOM.random(300) < 0.7]
    gain = np.mean(first, axis=0) - second[0]
    draws = np.random.default_rng(4)
    means = [gain[draws.integers(0, 300, 300)].mean() for _ in range(500)]
    expected = np.quantile(means, [0.025, 0.975])
    sides = [[RowScores.of_right(right) for right in side] for side in (first, second)]
    assert difference_interval(*sides, draws=500, seed=4) == pytest.approx(tuple(expected), abs=1e-12)
    alone = difference_interval(sides[0], draws=500)
    assert alone[0] < np.mean(first) < alone[1]
    with pytest.raises(ValueError, match="different rows"):
        difference_interval(sides[0], [RowScores.of_right(second[0][:5])])


def test_bleu_from_counts_is_bleu() -> None:
    references = [f"a man number {n} rides a red bicycle down the street" for n in range(30)]
    worse = [line.replace("red", "blue") if n % 2 else line for n, line in enumerate(references)]
    better = [line.replace("red", "blue") if n % 5 == 0 else line for n, line in enumerate(references)]
    one, other = (RowScores(ngram_counts(references, lines), bleu_of_counts) for lines in (better, worse))
    assert one.score(one.statistics.sum(axis=0)) == pytest.approx(bleu(references, better))
    low, high = difference_interval([one], [other], draws=200)
    assert 0 < low < bleu(references, better) - bleu(references, worse) < high
    assert difference_interval([one], [one], draws=50) == (0.0, 0.0)


def test_f1_from_counts_is_that_of_spans() -> None:
    gold = [["B-A", "I-A", "O"], ["O", "B-B"], ["O"]]
    found = [["B-A", "I-A", "B-B"], ["B-B", "I-B"], ["O"]]
    counts = np.array([span_counts(*tags) for tags in zip(gold, found, strict=True)], dtype=np.float64)
    assert f1_of_counts(counts.sum(axis=0)) == pytest.approx(span_scores(gold, found)["f1"])
    assert f1_of_counts(np.zeros(3)) == 0.0


def test_answers_are_scored_by_the_file_of_a_run(tmp_path: Path) -> None:
    questions = [
        {"id": str(n), "question": "Who?", "answers": [{"text": "Mary Ann", "answer_start": 0}]} for n in range(20)
    ]
    data = {"data": [{"paragraphs": [{"context": "Mary Ann sang.", "qas": questions}]}]}
    (tmp_path / "test.json").write_text(json.dumps(data), encoding="utf-8")
    names = [str(tmp_path / "test.json")]
    config = load_settings(TASKS["qa"].settings(), model="m", output="o", train=names, test=names)
    sides = []
    for name, answer in (("first", "sang"), ("second", "Mary")):
        answers = {str(n): answer if n < 15 else "Mary Ann" for n in range(20)}
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_predictions.json").write_text(json.dumps(answers), encoding="utf-8")
        sides.append(scored("qa").row_scores(config, tmp_path / name))
    gain = [side.score(side.statistics.sum(axis=0)) for side in sides]
    assert gain[1] - gain[0] == pytest.approx(15 / 20 * 100 * 2 / 3)  # F1 of one of two words
    low, high = difference_interval(sides[1:], sides[:1])
    assert 0 < low < gain[1] - gain[0] < high


def test_tags_are_scored_by_the_file_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "test_predictions.conll").write_text("a B-A B-A\nb O O\n\nc B-A O\n", encoding="utf-8")
    config = load_settings(TASKS["tag"].settings(), model="m", output="o", train=["t"], test=["t"])
    found = scored("tag").row_scores(config, tmp_path)
    assert found.statistics.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert found.score(found.statistics.sum(axis=0)) == pytest.approx(2 / 3)
