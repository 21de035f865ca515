"""Questions in splits and in numbers: every label points at its answer, in every window that holds it."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import DataError
from elmokit.models import ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.tasks.question_answering import QuestionAnsweringConfig
from elmokit.tasks.question_answering.answers import best_answers
from elmokit.tasks.question_answering.data import (
    Examples,
    Preparation,
    all_examples,
    answered_examples,
    load_splits,
    prepare,
)
from elmokit.tasks.question_answering.datasets import text_pairs
from elmokit.tasks.question_answering.squad import Answer, Question, Questions, read_questions

PASSAGE = "Ada met Bo Olsen in Rome, in 1973-74. It was late."


def asked(*answers: str, passage: str = PASSAGE) -> Questions:
    return Questions(
        [passage], [Question(f"q{n}", "Who?", 0, [Answer(text, passage.index(text))]) for n, text in enumerate(answers)]
    )


@given(max_words=st.integers(1, 14), data=st.data())
def test_every_label_points_at_its_answer(max_words: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, max_words))
    split = asked("Bo Olsen", "Ada", "late.", "in Rome")
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=max_words, stride=stride))
    examples = answered_examples(split, prepared, name="train")
    held: set[tuple[int, int]] = set()
    for question, window, start, end in zip(
        examples.questions, examples.windows, examples.starts, examples.ends, strict=True
    ):
        words = prepared.texts.words(int(window))
        assert len(words) <= max_words
        assert (start == -100) == (end == -100)
        if start != -100:
            answer = split.questions[question].answers[0].text
            assert "".join(words[start : end + 1]) == answer.replace(" ", "")
            held.add((int(question), int(window)))
    for question, entry in enumerate(split.questions):  # a window that has the answer's words has the label
        begin = entry.answers[0].start
        for window, (_, first, stop) in enumerate(prepared.windows):
            offsets = prepared.offsets[0][first:stop]
            inside = bool((offsets[:, 0] <= begin).any()) and offsets[-1, 1] >= begin + len(entry.answers[0].text)
            assert ((question, window) in held) == inside
    assert len(examples) == 4 * len(prepared.windows)


def test_answers_inside_words_and_in_no_window_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    split = asked("1973", "Ada met Bo Olsen", "Ada")
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=3, stride=3))
    with caplog.at_level(logging.INFO, logger="elmokit"):
        examples = answered_examples(split, prepared, name="train")
    assert "train: 1 of 3 answers begin or end inside a word" in caplog.text
    assert "train: 1 of 3 answers are in no window as a whole" in caplog.text
    assert len(np.unique(examples.questions[examples.starts != -100])) == 2
    assert (all_examples(split, prepared).starts == -100).all()


def test_clean_up_keeps_the_offsets_and_long_questions_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    split = Questions([PASSAGE], [Question("q", "WHO WAS IT?", 0, [Answer("Rome", PASSAGE.index("Rome"))])])
    prepared = prepare(split, Preparation(ElmoTokenizer(), ["lower_case"], max_question_words=2))
    assert prepared.texts.words(0)[:3] == ["ada", "met", "bo"]
    assert prepared.questions.words(0) == ["who", "was"]
    assert "1 questions are longer than 2 words and were cut" in caplog.text
    start, end = prepared.offsets[0][answered_examples(split, prepared, name="x").starts[0]]
    assert PASSAGE[start:end] == "Rome"


def test_a_batch_pairs_each_question_with_its_passage() -> None:
    passages = ["Ada is ill.", "Rome", "It was late in Ulm."]
    texts = [("Who is ill?", 0), ("What?", 2), ("Where was it late, then?", 2), ("Which city?", 1)]
    split = Questions(passages, [Question(str(n), text, passage) for n, (text, passage) in enumerate(texts)])
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=4, stride=2))
    data = text_pairs(prepared, all_examples(split, prepared))
    assert data.lengths.tolist() == [4, 4, 4, 4, 4, 1]  # "Ada is ill ." has one window, the last passage two
    batch = data.__getitems__([5, 2, 0])
    assert batch["attention_mask"].sum(dim=1).tolist() == [1, 4, 4]
    assert batch["question_attention_mask"].sum(dim=1).tolist() == [3, 2, 4]
    tokenizer = ElmoTokenizer()
    shown = [tokenizer.decode(rows[:length]) for rows, length in zip(batch["char_ids"], (1, 4, 4), strict=True)]
    assert shown == [["Rome"], ["late", "in", "Ulm", "."], ["Ada", "is", "ill", "."]]
    assert tokenizer.decode(batch["question_char_ids"][1][:2]) == ["What", "?"]


def test_the_best_window_wins_and_the_score_is_over_all() -> None:
    split = asked("Ada")
    prepared = prepare(split, Preparation(ElmoTokenizer(), max_words=8, stride=4))
    examples = all_examples(split, prepared)
    assert prepared.windows[:, 1].tolist() == [0, 4, 6]
    found = np.array([[0, 1, 3.0, 4.0, 0.0], [2, 2, 3.5, 5.0, 0.0], [0, 0, 1.0, 2.0, 0.0]])
    ((answer, none),) = best_answers(split, prepared, examples, found).values()
    assert none is None
    assert answer.text == PASSAGE[answer.start : answer.end] == ","
    assert answer.score == pytest.approx(math.exp(3.5) / (math.exp(4) + math.exp(5) + math.exp(2)))
    only = Examples(*(part[:1] for part in (examples.questions, examples.windows, examples.starts, examples.ends)))
    assert best_answers(split, prepared, only, found[:1])["q0"].answer.text == "Ada met"


def write(path: Path, passages: int) -> Path:
    paragraphs = [
        {"context": f"Ada {n}", "qas": [{"id": f"{n}-{k}", "question": f"Who {k}?", "answers": answer} for k in "ab"]}
        for n in range(passages)
        for answer in [[{"text": "Ada", "answer_start": 0}, {"text": str(n), "answer_start": 4}]]
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return path


def test_passages_are_split_with_all_their_questions(tmp_path: Path) -> None:
    values: dict[str, Any] = {"model": "m", "output": "o", "train": [str(write(tmp_path / "train.json", 40))]}
    values["test"] = [str(write(tmp_path / "test.json", 3))]

    def splits(**more: Any) -> dict[str, Questions]:
        return load_splits(load_settings(QuestionAnsweringConfig, **values, **more))

    whole = splits(valid_fraction=0.25)
    assert {name: (len(split.passages), len(split)) for name, split in whole.items()} == {
        "train": (30, 60), "validation": (10, 20), "test": (3, 6),
    }  # fmt: skip
    assert not set(whole["train"].passages) & set(whole["validation"].passages)
    for split in whole.values():
        assert all(split.passages[each.passage].endswith(each.id.split("-")[0]) for each in split.questions)
    part = splits(valid_fraction=0.25, train_fraction=0.1)
    assert part["validation"] == whole["validation"]
    assert len(part["train"].passages) == 3
    assert set(part["train"].passages) < set(whole["train"].passages)
    assert splits(valid_fraction=0.25) == whole
    assert splits(valid_fraction=0.25, seed=2) != whole


def test_a_passage_is_stored_once_and_an_id_may_not_come_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", 2)
    both = read_questions([path], flag="train")
    assert both.passages == ["Ada 0", "Ada 1"]
    assert [each.passage for each in both.questions] == [0, 0, 1, 1]
    assert both.questions[3].answers == [Answer("Ada", 0), Answer("1", 4)]
    (tmp_path / "b.json").write_text(path.read_text())
    with pytest.raises(DataError, match=r"b\.json \(--train\), question 0-a: duplicate id"):
        read_questions([path, tmp_path / "b.json"], flag="train")


@pytest.mark.parametrize("ids", [("2", None), (None, "1")])
def test_a_number_that_is_an_id_already_says_so(ids: tuple[str | None, str | None], tmp_path: Path) -> None:
    rows = [{"passage": PASSAGE, "question": "Who?"} | ({} if name is None else {"id": name}) for name in ids]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match=r"duplicate id.*those without one are numbered"):
        read_questions([tmp_path / "pairs.jsonl"], flag="file", answered=False)


def test_damaged_text_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [b'{"passage": "M\xe4nner singen.", "question": "Wer?"}', b'{"passage": "Ja.", "question": "So?"}']
    (tmp_path / "q.jsonl").write_bytes(b"\n".join(rows))
    assert read_questions([tmp_path / "q.jsonl"], flag="file", answered=False).passages[0] == "M\ufffdnner singen."
    assert "file: 1 lines with bytes that are not UTF-8, read as U+FFFD" in caplog.text
