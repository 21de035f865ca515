"""What of an earlier journal still holds after a resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from elmokit.pretrain.journal import Journal, write_json


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run killed in the middle of writing a line, after an epoch of 4 steps."""
    journal = Journal(tmp_path, active=True, from_step=0)
    journal.write("start", 0, words=10)
    for step in (2, 4):
        journal.write("train", step, epoch=1, loss=1.0 / step)
    journal.write("epoch", 4, epoch=1, valid_nll=2.0, note="text is no scalar")
    journal.write("train", 6, epoch=2, loss=0.1)
    journal.close()
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "train", "st')
    return tmp_path


@pytest.mark.parametrize(
    ("step", "epoch", "kept"),
    [
        (6, 1, [("start", 0), ("train", 2), ("train", 4), ("epoch", 4), ("train", 6)]),
        (4, 1, [("start", 0), ("train", 2), ("train", 4), ("epoch", 4)]),
        (4, 0, [("start", 0), ("train", 2), ("train", 4)]),  # checkpoint before the held-out figures
        (0, 0, []),
    ],
)
def test_what_the_checkpoint_does_not_know_is_forgotten(
    folder: Path, step: int, epoch: int, kept: list[tuple[str, int]]
) -> None:
    Journal(folder, active=True, from_step=step, from_epochs=range(1, epoch + 1)).close()
    assert [(entry["event"], entry["step"]) for entry in entries(folder)] == kept


def test_other_processes_write_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, active=False, from_step=0)
    journal.write("train", 1, loss=1.0)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_json_is_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(file, {"a": object()})
    assert json.loads(file.read_text(encoding="utf-8")) == {"a": 1}


def test_figures_that_are_no_numbers_are_null(tmp_path: Path) -> None:
    journal = Journal(tmp_path, active=True, from_step=0)
    journal.write("epoch", 1, perplexity=float("inf"), loss=float("nan"))
    journal.close()
    write_json(tmp_path / "metrics.json", {"perplexity": float("inf"), "epochs": [{"loss": float("nan")}]})
    for name in ("log.jsonl", "metrics.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "NaN" not in text and "Infinity" not in text
    assert entries(tmp_path)[0]["perplexity"] is None
