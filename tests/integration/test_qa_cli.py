"""`elmo train qa`, `elmo predict` and `elmo evaluate` from files to answers, on a tiny untrained biLM."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.interop.loading import save
from elmokit.interop.word_vectors import static_model
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.static.vectors import WordVectors
from elmokit.tasks.question_answering import QuestionAnswerer, QuestionAnsweringConfig, train_question_answerer
from elmokit.tasks.question_answering.scores import answer_scores
from elmokit.tasks.question_answering.spans import windows
from elmokit.tasks.question_answering.squad import gold_answers, read_questions
from elmokit.text.words import word_spans

PEOPLE, PLACES = ["Ada", "Bo Olsen", "Cy"], ["Rome", "New Kirk", "Ulm"]
SMALL = ["head_hidden_dim=32", "head_layers=1", "head_dropout=0.0", "batch_size=8", "learning_rate=0.01"]
SMALL += ["epochs=12", "patience=12", "best_by=loss"]


def write_questions(path: Path, passages: int, *, seed: int) -> None:
    draw = random.Random(seed)
    paragraphs = []
    for number in range(passages):
        person, place = draw.choice(PEOPLE), draw.choice(PLACES)
        context = draw.choice(["It is late. {} lives in {}.", "{} is ill, far from {}."]).format(person, place)
        asked = [("Who is it?", person), ("Where is it?", place)]
        qas = [
            {"id": f"{path.stem}-{number}-{kind}", "question": question, "answers": [answer_of(context, text)]}
            for kind, (question, text) in enumerate(asked)
        ]
        paragraphs.append({"context": f"Passage {number}. {context}", "qas": shifted(qas, f"Passage {number}. ")})
    path.write_text(json.dumps({"version": "1.1", "data": [{"title": "made up", "paragraphs": paragraphs}]}))


def answer_of(context: str, text: str) -> dict[str, Any]:
    return {"text": text, "answer_start": context.index(text)}


def shifted(qas: list[dict[str, Any]], before: str) -> list[dict[str, Any]]:
    for asked in qas:
        for answer in asked["answers"]:
            answer["answer_start"] += len(before)
    return qas


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and made-up questions."""
    folder = tmp_path_factory.mktemp("qa")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    write_questions(folder / "train.json", 60, seed=1)
    write_questions(folder / "valid.json", 6, seed=2)
    write_questions(folder / "test.json", 8, seed=3)
    return folder


def words_of(place: Path, output: Path, *more: str, **changes: Any) -> list[object]:
    given: dict[str, Any] = {
        "model": place / "model",
        "train": place / "train.json",
        "test": place / "test.json",
        "output": output,
    }
    given |= {"cache": place / "cache", "threads": 1, **changes}
    options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    return ["train", "qa", *options, *[part for setting in (*SMALL, *more) for part in ("--set", setting)]]


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A model trained from the command line."""
    result = elmo(*words_of(place, place / "trained", valid=place / "valid.json"))
    assert result.exit_code == 0, result.output
    assert " f1 " in result.output
    assert " exact match " in result.output
    return place / "trained"


def test_the_folder_is_whole_and_learnt_something(place: Path, trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= {
        "README.md", "config.json", "model.safetensors", "tokenizer_config.json", "metrics.json", "training.yaml",
        "curves.png", "layer_weights.png", "test_predictions.json",
    }  # fmt: skip
    assert not list(trained.parent.glob(".*partial"))
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["rows"] == {"train": 120, "validation": 12, "test": 16}
    assert metrics["passages"] == {"train": 60, "validation": 6, "test": 8}
    assert metrics["test"]["f1"] > 90
    assert "| test | 16 | " in (trained / "README.md").read_text()
    predictions = json.loads((trained / "test_predictions.json").read_text())
    gold = gold_answers(read_questions([place / "test.json"], flag="test"))
    assert answer_scores(gold, predictions) == metrics["test"]


def test_answers_have_offsets_and_every_way_agrees(place: Path, trained: Path, tmp_path: Path) -> None:
    passage, question = "Passage 3. It is late. Bo Olsen lives in New Kirk.", "Where is it?"
    answerer = QuestionAnswerer.from_pretrained(trained)
    found = answerer.answer(passage, question)
    assert found.text == passage[found.start : found.end] == "New Kirk"
    assert 0 < found.score <= 1
    shown = json.loads(elmo("predict", trained, "--passage", passage, "--question", question, "--json").stdout)
    assert shown == {"question": question, **found._asdict()}
    assert f"'New Kirk' 41-49 {found.score:.3f}" in elmo(
        "predict", trained, "--passage", passage, "--question", question
    ).stdout  # fmt: skip
    rows = [{"passage": passage, "question": "Who is it?", "id": "x"}, {"passage": "Ulm", "question": question}]
    (tmp_path / "pairs.jsonl").write_text("\n\n".join(map(json.dumps, rows)))
    lines = elmo("predict", trained, "--file", tmp_path / "pairs.jsonl", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["x", "2"]
    assert [json.loads(line)["text"] for line in lines] == ["Bo Olsen", "Ulm"]
    saved = json.loads((trained / "test_predictions.json").read_text())
    lines = elmo("predict", trained, "--file", place / "test.json", "--json").stdout.splitlines()
    assert {row["id"]: row["text"] for row in map(json.loads, lines)} == saved
    pairs = [(passage, question), ("Ulm", "Who is it?"), (passage, "Who is it?")]
    together = answerer.predict(pairs)
    assert [each.text for each in together] == ["New Kirk", "Ulm", "Bo Olsen"]
    for (text, asked), each in zip(pairs, together, strict=True):
        alone = answerer.answer(text, asked)
        assert alone[:3] == each[:3]
        assert alone.score == pytest.approx(each.score, abs=1e-5)


def test_a_long_passage_is_read_in_windows(trained: Path) -> None:
    answerer = QuestionAnswerer.from_pretrained(trained)
    filling = "It is late. " * 1300  # more than 5,000 words
    passage = f"{filling}Bo Olsen lives in New Kirk. {filling}"
    found = answerer.answer(passage, "Where is it?")
    assert passage[found.start : found.end] == found.text
    assert 0 <= found.score <= 1
    short = QuestionAnswerer(answerer.model, answerer.tokenizer, max_words=12, stride=6)
    passage = "Passage 3. It is late. Bo Olsen lives in New Kirk. It is late. It is late."
    found = short.answer(passage, "Where is it?")
    spans = word_spans(passage)
    alone = {}
    for start, stop in windows(len(spans), max_words=12, stride=6):
        begin = spans[start][0]
        text, first, last, _ = answerer.answer(passage[begin : spans[stop - 1][1]], "Where is it?")
        alone[begin + first, begin + last] = text
    assert len(spans) > 12
    assert alone[found.start, found.end] == found.text
    assert short.predict([]) == []


def test_evaluate_scores_as_the_training_did(place: Path, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    result = elmo("evaluate", trained, "--test", place / "test.json", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == metrics["test"]
    shown = elmo("evaluate", trained, "--test", place / "test.json").stdout
    assert f"F1 {metrics['test']['f1']:.2f} (95 %" in shown


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fine_tuning_goes_on_from_the_head(place: Path, trained: Path, precision: str) -> None:
    values = {"model": str(trained), "train": [str(place / "train.json")], "test": [str(place / "test.json")]}
    overrides = [
        *SMALL,
        "epochs=1",
        "learning_rate=1e-6",
        "finetune=true",
        f"precision={precision}",
        "train_fraction=0.5",
        "max_words=10",
    ]
    overrides += ["stride=5", "max_answer_words=4"]
    more: dict[str, Any] = {"output": place / f"tuned_{precision}", "threads": 1, "progress": False}
    metrics = train_question_answerer(
        load_settings(QuestionAnsweringConfig, overrides=overrides, **cast(Any, values), **more)
    )
    assert metrics["parameters"]["trained"] == metrics["parameters"]["total"]
    assert metrics["test"]["f1"] > 80
    assert metrics["passages"] == {"train": 28, "validation": 3, "test": 8}
    answerer = QuestionAnswerer.from_pretrained(place / f"tuned_{precision}")
    assert (answerer.preparation.max_words, answerer.preparation.stride, answerer.max_answer_words) == (10, 5, 4)


def test_static_vectors_stand_beside_the_layers(place: Path) -> None:
    words = ["Ada", "Bo", "Cy", "Rome", "Ulm", "Who", "Where"]
    rows = [
        f"{word} {' '.join(str(float(place == number)) for place in range(7))}" for number, word in enumerate(words)
    ]
    (place / "vectors.txt").write_text("\n".join(rows) + "\n")
    given = words_of(
        place, place / "with_vectors", "epochs=2", vectors=place / "vectors.txt", valid=place / "valid.json"
    )
    result = elmo(*given)
    assert result.exit_code == 0, result.output
    answerer = QuestionAnswerer.from_pretrained(place / "with_vectors")
    assert answerer.model.static is not None
    metrics = json.loads((place / "with_vectors" / "metrics.json").read_text())
    shown = json.loads(elmo("evaluate", place / "with_vectors", "--test", place / "test.json", "--json").stdout)
    assert shown["f1"] == pytest.approx(metrics["test"]["f1"])


def test_static_vectors_alone(place: Path) -> None:
    words = ["ada", "bo", "cy", "rome", "new", "who", "where"]
    table = WordVectors(words, np.eye(len(words), dtype=np.float32))
    save(static_model(table, text_steps=["lower_case"]), place / "static")
    given = words_of(place, place / "alone", "epochs=2", model=place / "static", valid=place / "valid.json")
    result = elmo(*given)
    assert result.exit_code == 0, result.output
    metrics = json.loads((place / "alone" / "metrics.json").read_text())
    shown = json.loads(elmo("evaluate", place / "alone", "--test", place / "test.json", "--json").stdout)
    assert shown["f1"] == pytest.approx(metrics["test"]["f1"])
    answerer = QuestionAnswerer.from_pretrained(place / "alone")
    small, large = (answerer.answer(text, "Where is it?") for text in ("ada lives in rome.", "Ada lives in Rome."))
    assert small[1:] == large[1:]  # clean-up steps are the model's


def squad(context: str = "Ada lives in Rome.", question: str = "Who?", **answer: Any) -> str:
    asked = {"id": "q7", "question": question, "answers": [{"text": "Ada", "answer_start": 0, **answer}]}
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": [asked]}]}]})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"data": [', "bad.json (--train) is no JSON: "),
        ("[1, 2]", "bad.json (--train) has no list 'data'; expected SQuAD: data › paragraphs"),
        ('{"data": [{"paragraphs": [{"context": "a"}]}]}', "(--train) has no list 'qas'"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": "q7"}]}]}]}', "question q7 has no text 'context'"),
        (squad(text="Bo"), "question q7: the answer 'Bo' is not at character 0 of its passage, there is 'Ad'"),
        (squad(answer_start=None), "question q7: answer_start is None; expected the number of a character"),
        (squad(answer_start=-1), "question q7: the answer 'Ada' is not at character -1"),
        (squad(text=" ", answer_start=3), "question q7: the answer is empty"),
        (squad(question=" "), "question q7: the question is empty"),
        (squad(context=" "), "question q7: the passage is empty"),
        (squad().replace('[{"text": "Ada", "answer_start": 0}]', "[]"), "question q7 has no answer"),
        ('{"data": []}', "bad.json contains no questions (--train)"),
    ],
)
def test_bad_files_are_told_with_the_question(place: Path, tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    result = elmo(*words_of(place, tmp_path / "out", train=tmp_path / "bad.json"))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--passage", "Ada"], "give --question and --passage together, or --file with questions"),
        (["--passage", " ", "--question", "Who?"], "the passage text of pair 1 is empty"),
        (["--passage", "Ada", "--question", ""], "the question text of pair 1 is empty"),
        (["a text"], "give --question and --passage, or --file"),
        (["--file", "nowhere.jsonl"], "nowhere.jsonl matches no file"),
    ],
)
def test_bad_questions_are_told(trained: Path, words: list[str], problem: str) -> None:
    result = elmo("predict", trained, *words)
    assert result.exit_code == 2
    assert problem in result.stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            '{"passage": "Ada", "question": "Who?"}\n{"passage": "Ada"}',
            "pairs.jsonl (--file), line 2 has no text 'question'",
        ),
        ('{"passage": "Ada", "question": "Who?"}\nAda', "line 2 is no JSON"),
        ('{"passage": "", "question": "Who?", "id": "q9"}', "question q9: the passage is empty"),
    ],
)
def test_a_bad_line_is_told_before_anything_is_answered(
    trained: Path, tmp_path: Path, content: str, problem: str
) -> None:  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text(content)
    result = elmo("predict", trained, "--file", tmp_path / "pairs.jsonl")
    assert result.exit_code == 2
    assert problem in result.stderr
    assert not result.stdout


def test_other_models_and_settings_are_told(place: Path, trained: Path, tmp_path: Path) -> None:
    result = elmo("predict", place / "model", "--question", "Who?", "--passage", "Ada")
    assert result.exit_code == 2
    assert "--question and --passage need a model for question answering" in result.stderr
    result = elmo(*words_of(place, tmp_path / "out", "stride=500"))
    assert result.exit_code == 2
    assert "stride is 500; expected at most max_words (400)" in result.stderr
    result = elmo("evaluate", trained, "--test", place / "model" / "config.json")
    assert result.exit_code == 2
    assert "has no list 'data'" in result.stderr


def write_questions_without_answer(folder: Path) -> dict[str, Path]:
    """Questions as the others, and one more about each passage that it does not answer; the files by their roles."""
    for name, count, seed in (("train", 60, 1), ("valid", 12, 2), ("test", 12, 3)):
        write_questions(folder / f"{name}.json", count, seed=seed)
        content = json.loads((folder / f"{name}.json").read_text())
        for paragraph in content["data"][0]["paragraphs"]:
            for asked in paragraph["qas"]:
                asked["is_impossible"] = False
            again = {"question": "How old is it?", "id": f"{paragraph['qas'][0]['id']}-none", "answers": []}
            paragraph["qas"].append({**again, "is_impossible": True})
        (folder / f"{name}.json").write_text(json.dumps(content))
    return {name: folder / f"{name}.json" for name in ("train", "valid", "test")}


def test_a_reader_starts_one_for_questions_without_an_answer(
    place: Path, trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = write_questions_without_answer(tmp_path)
    more = ("learning_rate=1e-9", "epochs=1", "no_answer_threshold=0.999999")
    with caplog.at_level("INFO", logger="elmokit"):
        result = elmo(*words_of(place, tmp_path / "out", *more, **files), "--model", trained)
    assert result.exit_code == 0, result.output
    assert f"starting from the head in {trained}; new in it: no_start, no_end" in caplog.text
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    before = json.loads((trained / "metrics.json").read_text())
    assert metrics["test"]["has_answer_f1"] > before["test"]["f1"] - 10


def test_questions_without_an_answer_from_files_to_figures(place: Path, tmp_path: Path) -> None:
    files = write_questions_without_answer(tmp_path)
    output = tmp_path / "out"
    result = elmo(*words_of(place, output, **files))
    assert result.exit_code == 0, result.output
    assert "HasAns F1" in result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert 0 < metrics["no_answer_threshold"] < 1
    assert (metrics["test"]["has_answer_questions"], metrics["test"]["no_answer_questions"]) == (24, 12)
    assert metrics["test"]["no_answer_f1"] > 90
    assert metrics["test"]["has_answer_f1"] > 80
    predictions = json.loads((output / "test_predictions.json").read_text())
    assert sum(not text for name, text in predictions.items() if name.endswith("none")) > 10
    likely = json.loads((output / "test_no_answer.json").read_text())
    assert {name for name, score in likely.items() if score > metrics["no_answer_threshold"]} == {
        name for name, text in predictions.items() if not text
    }
    shown = elmo("evaluate", output, "--test", files["test"], "--json")
    assert json.loads(shown.stdout) == metrics["test"]
    assert "without one (12): " in elmo("evaluate", output, "--test", files["test"]).stdout
    asked = ("--passage", "Passage 3. It is late. Ada lives in Ulm.", "--question")
    assert elmo("predict", output, *asked, "How old is it?").stdout.startswith("(no answer) ")
    record = json.loads(elmo("predict", output, *asked, "How old is it?", "--json").stdout)
    assert record["text"] == ""
    assert record["score"] > metrics["no_answer_threshold"]
    assert json.loads(elmo("predict", output, *asked, "Where is it?", "--json").stdout)["text"] == "Ulm"
    assert "no-answer score is above" in (output / "README.md").read_text()
