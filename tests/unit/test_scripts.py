"""Scripts and benchmarks are run by hand, seldom; what they import must not move away from under them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from elmokit.tasks.translation.scores import bleu

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "script",
    sorted(path for folder in ("scripts", "recipes", "benchmarks") for path in ROOT.glob(f"{folder}/*.py")),
    ids=lambda script: f"{script.parent.name}/{script.name}",
)
def test_every_import_is_there(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(script.parent)  # as `python SCRIPT` has it
    runpy.run_path(str(script), run_name="imported")


def test_the_benchmark_of_pretraining_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It reaches into the network to switch single ingredients off."""
    small = ["--preset", "tiny", "--sentences", "60", "--tokens", "60", "--batches", "1", "--repeats", "1"]
    monkeypatch.delenv("ELMOKIT_DATA", raising=False)
    monkeypatch.setattr("sys.argv", ["pretrain_speed.py", *small, "--min-count", "1"])
    runpy.run_path(str(ROOT / "benchmarks" / "pretrain_speed.py"), run_name="__main__")
    assert "plain implementation" in capsys.readouterr().out


@pytest.fixture
def script_of_gains(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return runpy.run_path(str(ROOT / "scripts" / "task_gains.py"), run_name="imported")


def test_a_gain_over_seeds_is_that_of_the_pairs(script_of_gains: dict[str, Any]) -> None:
    gain = script_of_gains["over_seeds"]([50.0, 60.0, 70.0], [52.0, 61.0, 73.0])
    assert gain.seeds == (2.0, 1.0, 3.0)
    assert gain.mean == 2.0
    assert gain.high - gain.mean == pytest.approx(4.303 / 3**0.5, abs=1e-3)  # t of two degrees of freedom, deviation 1
    assert str(gain) == "+2.00 (-0.48 to +4.48): +2.00, +1.00, +3.00"


def test_a_gain_in_bleu_is_the_difference_of_the_scores(script_of_gains: dict[str, Any]) -> None:
    references = [f"a man number {n} rides a red bicycle down the street" for n in range(30)]
    worse = [line.replace("red", "blue") if n % 2 else line for n, line in enumerate(references)]
    better = [line.replace("red", "blue") if n % 5 == 0 else line for n, line in enumerate(references)]
    gain = script_of_gains["bleu_gain"](references, worse, better)
    assert gain.mean == pytest.approx(bleu(references, better) - bleu(references, worse))
    assert 0 < gain.low < gain.mean < gain.high
    same = script_of_gains["bleu_gain"](references, worse, worse)
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)


def test_a_gain_in_answers_goes_by_the_files_of_the_runs(script_of_gains: dict[str, Any], tmp_path: Path) -> None:
    questions = [
        {"id": str(n), "question": "Who?", "answers": [{"text": "Mary Ann", "answer_start": 0}]} for n in range(20)
    ]
    data = {"data": [{"paragraphs": [{"context": "Mary Ann sang.", "qas": questions}]}]}
    (tmp_path / "test.json").write_text(json.dumps(data), encoding="utf-8")
    for name, answer in (("first", "sang"), ("second", "Mary")):
        answers = {str(n): answer if n < 15 else "Mary Ann" for n in range(20)}
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_predictions.json").write_text(json.dumps(answers), encoding="utf-8")
    settings = {"test": [str(tmp_path / "test.json")]}
    gain = script_of_gains["over_rows"]("qa", settings, tmp_path / "first", tmp_path / "second")
    assert gain.mean == pytest.approx(15 / 20 * 100 * 2 / 3)  # F1 of one of two words
    assert 0 < gain.low < gain.mean < gain.high
