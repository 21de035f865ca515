"""Pairs of texts as callers have them, for the two predictors that read pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from elmokit.errors import DataError
from elmokit.tasks.pairs import PairClassifier
from elmokit.tasks.question_answering import QuestionAnswerer
from helpers.web_models import save_pair_classifier, save_question_answerer

PAIRS = [("The dog runs.", "Animals move."), ("A sun.", "What is it?")]


@pytest.fixture(scope="module", params=["pairs", "questions"])
def predictor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "pairs":
        return PairClassifier.from_pretrained(save_pair_classifier(folder))
    return QuestionAnswerer.from_pretrained(save_question_answerer(folder))


@pytest.mark.parametrize("one", [PAIRS[0], list(PAIRS[0]), (*PAIRS[0], "id 7")])
def test_one_pair_is_a_list_of_one(predictor: Any, one: Any) -> None:
    assert predictor.predict(one) == predictor.predict(PAIRS[:1])
    assert [result for _, result in predictor.stream(one)] == predictor.predict(PAIRS[:1])


def test_tables_of_two_columns_are_lists_of_pairs(predictor: Any) -> None:
    expected = predictor.predict(PAIRS)
    assert predictor.predict(pd.DataFrame(PAIRS, columns=["one", "two"])) == expected
    assert predictor.predict(np.array(PAIRS)) == expected
    assert predictor.predict(pair for pair in PAIRS) == expected
    named = pd.DataFrame(PAIRS, columns=list(predictor.parts)).assign(source="x")
    assert predictor.predict(named.iloc[:, ::-1]) == expected  # by their names, in whatever order
    assert predictor.predict([]) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("ab", r"^Expected pairs of texts, .*; got the text 'ab'"),
        (["ab"], r"^pair 1 is 'ab' \(str\); expected two texts, \("),
        ([PAIRS[0], ("a",)], r"^pair 2 is .*; expected two texts"),
        ([PAIRS[0], None], r"^pair 2 is missing \(None\)"),
        ([PAIRS[0], ("a", None)], r"^the \w+ text of pair 2 is missing \(None\): fill or drop it first"),
        ([("a", 3)], r"^the \w+ text of pair 1 is '3' \(int\); expected a text"),
        ({"a": "b"}, "got a mapping"),
        (pd.DataFrame([("a", "b", "c")], columns=["x", "y", "z"]), r"table of shape \(1, 3\), columns 'x', 'y', 'z',"),
        (5, r"^Expected a list of pairs of texts, got '5' \(int\)"),
    ],
)
def test_what_is_no_pair_is_told_with_its_number(predictor: Any, wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        predictor.predict(wrong)


def test_numbers_count_over_all_chunks_of_a_stream(predictor: Any) -> None:
    with pytest.raises(DataError, match=r"text of pair 3 is empty; expected text \(--\w+\)"):
        list(predictor.stream([*PAIRS, ("a", " ")], chunk=1))
