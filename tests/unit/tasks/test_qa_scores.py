"""Exact match and F1 of SQuAD 1.1: by hand, and those that published predictions are known to have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from elmokit.tasks.question_answering.scores import answer_scores, exact_match, f1, normalized, question_scores
from elmokit.tasks.question_answering.squad import gold_answers, read_questions


@pytest.mark.parametrize(
    ("answer", "compared"),
    [
        ("The  Broncos!", "broncos"),
        ("an Apple a day", "apple day"),
        ("Theatre", "theatre"),  # an article only as a whole word
        ("U.S.", "us"),  # punctuation goes first, and "a.m." leaves no article
        ("a.m.", "am"),
        ("“quoted”", "“quoted”"),  # only ASCII punctuation
        ("the", ""),
    ],
)
def test_answers_as_they_are_compared(answer: str, compared: str) -> None:
    assert normalized(answer) == compared


def test_scores_of_one_answer() -> None:
    assert exact_match("The Denver Broncos.", "denver broncos") == 1.0
    assert f1("Denver", "Denver Broncos") == pytest.approx(2 / 3)
    assert f1("to be or not to be", "to to to") == pytest.approx(2 * 2 / (6 + 3))  # bags: two of each shared
    assert f1("Rome", "Paris") == 0.0
    assert (exact_match("the", "a"), f1("the", "a")) == (1.0, 0.0)  # nothing is left to share


def test_the_best_answer_counts_and_a_missing_prediction_is_0() -> None:
    gold = {"q1": ["Rome", "the city of Rome"], "q2": ["Ulm"], "q3": ["Bonn"]}
    scores = answer_scores(gold, {"q1": "city of Rome", "q3": "Berlin", "other": "Ulm"}, draws=50)
    assert (scores["questions"], scores["missing"]) == (3, 1)
    assert scores["exact_match"] == pytest.approx(100 / 3)
    assert scores["f1"] == pytest.approx(100 / 3)
    assert question_scores(gold, {}).tolist() == [[0.0, 0.0]] * 3
    assert answer_scores({}, {})["f1"] == 0.0


@pytest.mark.parametrize("name", ["logistic_regression_baseline", "bert_ensemble"])
def test_published_predictions_have_their_published_scores(elmokit_data: Path, name: str) -> None:
    squad = elmokit_data / "squad"
    if not (squad / "predictions").is_dir():
        pytest.skip(f"{squad} has no predictions/: put the published prediction files of SQuAD 1.1 there")
    expected = json.loads((squad / "predictions" / "expected_scores.json").read_text())[name]
    with gzip.open(squad / "predictions" / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        predicted = json.load(file)
    gold = gold_answers(read_questions([squad / "dev-v1.1-rebuilt.json.gz"], flag="test"))
    scores = answer_scores(gold, predicted, draws=100)
    assert len(gold) == 10_570
    assert scores["exact_match"] == pytest.approx(expected["exact_match"], abs=5e-5)
    assert scores["f1"] == pytest.approx(expected["f1"], abs=5e-5)
    assert scores["missing"] == expected["missing"]
    low, high = scores["f1_interval"]
    assert low < scores["f1"] < high
