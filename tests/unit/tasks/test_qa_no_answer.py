"""Questions without an answer: files, labels of windows, the threshold, and the figures of SQuAD 2.0's script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import DataError
from elmokit.models import ElmoTokenizer
from elmokit.nn.heads.question_answering import IGNORED, NO_ANSWER
from elmokit.tasks.question_answering import QuestionAnsweringConfig
from elmokit.tasks.question_answering.answers import BestSpan, FoundAnswer, best_answers
from elmokit.tasks.question_answering.data import Preparation, all_examples, answered_examples, load_splits, prepare
from elmokit.tasks.question_answering.no_answer import answer_texts, chosen_threshold
from elmokit.tasks.question_answering.scores import answer_scores, question_scores
from elmokit.tasks.question_answering.squad import Answer, Question, Questions, gold_answers, read_questions

PASSAGE = "Ada met Bo Olsen in Rome, in 1973-74. It was late."


def squad(*asked: dict[str, Any]) -> str:
    qas = [{"id": f"q{number}", "question": "Who?", **each} for number, each in enumerate(asked)]
    return json.dumps({"version": "v2.0", "data": [{"paragraphs": [{"context": PASSAGE, "qas": qas}]}]})


ADA = {"text": "Ada", "answer_start": 0}
SOME, NONE = {"answers": [ADA], "is_impossible": False}, {"answers": [], "is_impossible": True}


def test_the_figures_of_the_official_script() -> None:
    gold = {"a": ["Ada"], "b": ["Bo Olsen", "Olsen"], "c": [], "d": [], "e": []}
    found = {"a": "Ada", "b": "Bo", "c": "", "d": "Rome", "e": "the"}
    assert question_scores(gold, found).tolist() == [
        [100.0, 100.0], [0.0, pytest.approx(200 / 3)], [100.0, 100.0], [0.0, 0.0], [100.0, 100.0]
    ]  # fmt: skip
    scores = answer_scores(gold, found, draws=10)
    assert (scores["has_answer_questions"], scores["no_answer_questions"]) == (2, 3)
    assert scores["has_answer_exact_match"] == 50.0
    assert scores["has_answer_f1"] == pytest.approx((100 + 200 / 3) / 2)
    assert scores["no_answer_exact_match"] == scores["no_answer_f1"] == pytest.approx(200 / 3)
    assert scores["f1"] == pytest.approx((2 * scores["has_answer_f1"] + 3 * scores["no_answer_f1"]) / 5)
    assert question_scores({"a": ["Ada"]}, {"a": ""}).tolist() == [[0.0, 0.0]]
    assert "no_answer_f1" not in answer_scores({"a": ["Ada"]}, {"a": "Ada"}, draws=10)


@given(
    st.lists(
        st.tuples(st.sampled_from([["Ada"], ["Ada Bo"], []]), st.sampled_from(["Ada", "Cy"]), st.integers(1, 5)),
        min_size=1, max_size=7,
    )
)  # fmt: skip
def test_no_other_threshold_has_a_better_f1(rows: list[tuple[list[str], str, int]]) -> None:
    gold = {str(number): answers for number, (answers, _, _) in enumerate(rows)}
    found = {str(n): BestSpan(FoundAnswer(text, 0, 3, 0.5), score / 6) for n, (_, text, score) in enumerate(rows)}

    def reached(threshold: float) -> float:
        return float(question_scores(gold, answer_texts(found, threshold))[:, 1].mean())

    threshold = chosen_threshold(gold, found)
    assert 0 < threshold <= 1
    assert reached(threshold) == pytest.approx(max(map(reached, np.linspace(0.05, 1, 20))))


def test_a_wanted_share_of_refusals_sets_the_highest_threshold() -> None:
    gold: dict[str, list[str]] = {"a": ["Ada"], "b": ["Bo"], "c": [], "d": [], "e": []}
    scores = {"a": 0.1, "b": 0.7, "c": 0.5, "d": 0.7, "e": 0.9}
    found = {name: BestSpan(FoundAnswer("x", 0, 1, 0.5), score) for name, score in scores.items()}
    assert chosen_threshold(gold, found, recall=0.3) == pytest.approx(0.8)
    assert chosen_threshold(gold, found, recall=0.6) == pytest.approx(0.6)  # b has the score of d: refused with it
    assert chosen_threshold(gold, found, recall=0.9) == pytest.approx(0.3)
    assert 0 < chosen_threshold({"c": []}, {"c": found["c"]}, recall=0.9) < 0.5


def test_a_wanted_share_is_reached_exactly() -> None:
    gold: dict[str, list[str]] = {str(number): [] for number in range(100)}
    found = {name: BestSpan(FoundAnswer("x", 0, 1, 0.5), (int(name) + 1) / 101) for name in gold}
    for share in (0.07, 0.29, 0.55, 0.57):
        threshold = chosen_threshold(gold, found, recall=share)
        assert sum(not text for text in answer_texts(found, threshold).values()) == round(100 * share)


def test_above_the_threshold_there_is_no_answer() -> None:
    answer = FoundAnswer("Ada", 0, 3, 0.6)
    found = BestSpan(answer, 0.7)
    assert found.given(0.7) is found.given(None) is answer
    assert found.given(0.69) == ("", 0, 0, 0.7)
    assert BestSpan(answer, None).given(0.1) is answer


def test_windows_without_a_word_of_the_answer_say_so() -> None:
    asked = [Question("a", "Who?", 0, [Answer("Bo Olsen", 8)]), Question("b", "Who?", 0)]
    split = Questions([PASSAGE], asked)
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=3, stride=2))
    examples = answered_examples(split, prepared, name="train", knows_none=True)
    words = [prepared.texts.words(int(window)) for window in examples.windows]
    for question, own, start in zip(examples.questions, words, examples.starts, strict=True):
        shared = {"Bo", "Olsen"} & set(own)
        if question == 1 or not shared:
            assert start == NO_ANSWER
        else:
            assert start == (own.index("Bo") if len(shared) == 2 else IGNORED)
    assert {IGNORED, NO_ANSWER} <= set(examples.starts.tolist())
    plain = answered_examples(split, prepared, name="train")
    assert not (plain.starts == NO_ANSWER).any()


def test_every_window_must_say_that_there_is_none() -> None:
    split = Questions([PASSAGE], [Question("a", "Who?", 0)])
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=6, stride=6))
    examples = all_examples(split, prepared)
    found = np.array([[0, 1, 2.0, 9.0, 5.0], [1, 1, 3.0, 9.0, 4.0], [0, 0, 1.0, 9.0, 8.0]][: len(examples)])
    (answer,) = best_answers(split, prepared, examples, found, knows_none=True).values()
    assert answer.no_answer == pytest.approx(1 / (1 + np.exp(3.0 - 4.0)))
    (plain,) = best_answers(split, prepared, examples, found).values()
    assert plain.no_answer is None


def test_layouts(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(
        squad({"answers": [ADA], "is_impossible": False}, {"answers": [], "is_impossible": True})
    )
    wanted = {"q0": ["Ada"], "q1": []}
    assert gold_answers(read_questions([tmp_path / "s.json"], flag="train")) == wanted
    rows = [
        {
            "id": "q0",
            "title": "t",
            "context": PASSAGE,
            "question": "Who?",
            "answers": {"text": ["Ada"], "answer_start": [0]},
        },
        {
            "id": "q1",
            "title": "t",
            "context": PASSAGE,
            "question": "Where?",
            "answers": {"text": [], "answer_start": []},
        },
    ]
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "h.json").write_text(json.dumps({"data": rows}))
    (tmp_path / "l.json").write_text(json.dumps(rows))
    for name in ("h.jsonl", "h.json", "l.json"):
        found = read_questions([tmp_path / name], flag="train")
        assert gold_answers(found) == wanted
        assert found.passages == [PASSAGE]
    (tmp_path / "p.jsonl").write_text(json.dumps({"passage": PASSAGE, "question": "Who?"}))
    assert len(read_questions([tmp_path / "p.jsonl"], flag="file", answered=False)) == 1


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (
            {"answers": [ADA], "is_impossible": True},
            "q0: is_impossible is true, and it has the answer 'Ada'; these contradict",
        ),
        ({"answers": [], "is_impossible": False}, "q0 has no answer; expected one or more, or is_impossible: true"),
        ({"answers": []}, "q0 has no answer; expected one or more, or is_impossible: true"),
        ({"answers": {"text": ["Ada"], "answer_start": [0, 4]}}, "q0 has 1 texts of answers and 2 answer_start"),
        ({"answers": {"text": ["Ada"]}}, "has no list 'answer_start'"),
        ({"answers": {"text": ["Ada"], "answer_start": [4]}}, "the answer 'Ada' is not at character 4"),
    ],
)
def test_contradictions_are_told(tmp_path: Path, asked: dict[str, Any], problem: str) -> None:
    (tmp_path / "s.json").write_text(squad(asked))
    with pytest.raises(DataError, match=problem):
        read_questions([tmp_path / "s.json"], flag="train")


def test_rows_that_say_nothing_of_answers_or_contradict_are_refused(tmp_path: Path) -> None:
    row = {"context": PASSAGE, "question": "Who?"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(DataError, match="question 1 has no answers; expected a list of them, empty where"):
        read_questions([tmp_path / "a.jsonl"], flag="train")
    (tmp_path / "a.jsonl").write_text(json.dumps({**row, "answers": [], "is_impossible": False}))
    with pytest.raises(DataError, match="has no answer; expected one or more, or is_impossible: true"):
        read_questions([tmp_path / "a.jsonl"], flag="train")


def test_a_threshold_needs_validation_questions_of_both_kinds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, asked in {"both": [SOME, NONE], "answered": [SOME], "silent": [NONE]}.items():
        (tmp_path / f"{name}.json").write_text(squad(*asked))
    files = {name: [str(tmp_path / f"{name}.json")] for name in ("both", "answered", "silent")}
    settings: dict[str, Any] = {"model": "", "output": tmp_path / "out", "train": files["both"], "test": files["both"]}
    with pytest.raises(DataError, match=r"no validation question is without an answer, .*--no-answer-threshold 0.5"):
        load_splits(QuestionAnsweringConfig(**settings, valid=files["answered"]))
    with pytest.raises(DataError, match="every validation question is without an answer"):
        load_splits(QuestionAnsweringConfig(**settings, valid=files["silent"]))
    load_splits(QuestionAnsweringConfig(**settings, valid=files["answered"], no_answer_threshold=0.5))
    load_splits(QuestionAnsweringConfig(**{**settings, "train": files["answered"]}, valid=files["answered"]))
    assert "no training question is without an answer: the model will answer every question" in caplog.text


def test_the_threshold_has_one_source(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": "", "output": tmp_path, "train": ["a.json"], "test": ["a.json"]}
    with pytest.raises(ValueError, match="no_answer_recall chooses the threshold and no_answer_threshold gives it"):
        QuestionAnsweringConfig(**settings, no_answer_threshold=0.5, no_answer_recall=0.8)
