"""Questions that move to another paragraph have no answer there; the others stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elmokit.tasks.question_answering.squad import read_questions
from move_questions import main


def _squad(path: Path) -> Path:
    def question(name: str, answer: str, start: int) -> dict[str, object]:
        return {"id": name, "question": f"{name}?", "answers": [{"text": answer, "answer_start": start}]}

    paragraphs = [
        {"context": "Rome fell. Remus died.", "qas": [question("a", "Rome", 0), question("b", "Remus", 11)]},
        {"context": "Old ROME had kings.", "qas": [question("c", "kings", 13)]},
        {"context": "Carthage burned.", "qas": [question("d", "Carthage", 0)]},
    ]
    path.write_text(json.dumps({"data": [{"title": "Empires", "paragraphs": paragraphs}]}), encoding="utf-8")
    return path


def _questions(path: Path) -> dict[str, tuple[int, bool]]:
    """The paragraph of each question, and whether it has an answer."""
    (article,) = json.loads(path.read_text(encoding="utf-8"))["data"]
    return {
        question["id"]: (number, bool(question["answers"]))
        for number, paragraph in enumerate(article["paragraphs"])
        for question in paragraph["qas"]
    }


def test_every_question_moves_to_where_no_answer_of_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _squad(tmp_path / "squad.json")
    assert main([str(source), str(tmp_path / "moved.json"), "--fraction", "1"]) == 0
    found = _questions(tmp_path / "moved.json")
    assert set(found) == set("abcd")
    assert found["a"] == (2, False)  # its answer is in both of the others but for the letters' case
    assert all(found[name][0] != home and not found[name][1] for name, home in (("b", 0), ("c", 1), ("d", 2)))
    assert _questions(tmp_path / "moved_answerable.json") == {}
    assert "4 questions, 4 without an answer" in capsys.readouterr().out


def test_a_fraction_moves_and_the_same_seed_moves_the_same(tmp_path: Path) -> None:
    source = _squad(tmp_path / "squad.json")
    for name in ("one", "two"):
        assert main([str(source), str(tmp_path / f"{name}.json"), "--fraction", "0.5", "--seed", "3"]) == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    whole, answerable = _questions(tmp_path / "one.json"), _questions(tmp_path / "one_answerable.json")
    assert answerable == {name: place for name, place in whole.items() if place[1]}
    assert 0 < len(answerable) < 4
    assert len(read_questions([tmp_path / "one.json"], flag="train")) == 4


def test_a_file_that_is_no_squad_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    assert main([str(tmp_path / "other.json"), str(tmp_path / "out.json")]) == 2
    assert "no JSON of SQuAD" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
