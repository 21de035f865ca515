"""The order in which the cells of a study are begun, and what they are known by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from elmokit.experiments.cells import DONE, Cell, PretrainCell, digest
from elmokit.experiments.running import _ready, _work_ahead
from elmokit.pretrain import loop


def test_a_model_is_known_by_what_shapes_its_results(tmp_path: Path) -> None:
    for name in ("config.json", "about.json", "README.md"):
        (tmp_path / name).write_text("1", encoding="utf-8")
    before = digest([tmp_path])
    (tmp_path / "README.md").write_text("22", encoding="utf-8")
    (tmp_path / "about.json").write_text("22", encoding="utf-8")  # has the sum of README.md
    assert digest([tmp_path]) == before
    (tmp_path / "config.json").write_text("22", encoding="utf-8")
    assert digest([tmp_path]) != before


@dataclass(frozen=True)
class Idle(Cell):
    def run(self) -> None: ...


def test_first_comes_what_most_work_hangs_on(tmp_path: Path) -> None:
    """A short cell that a long one waits for goes before one of middling length, or the long one ends alone."""
    short = Idle(tmp_path / "short", "short", 2)
    middling = Idle(tmp_path / "middling", "middling", 5)
    long = Idle(tmp_path / "long", "long", 9, needs=(short.folder,))
    after = Idle(tmp_path / "after", "after", 1, needs=(long.folder, middling.folder))
    cells = {cell.folder: cell for cell in (short, middling, long, after)}
    ahead = _work_ahead(cells)
    assert [ahead[cell.folder] for cell in cells.values()] == [12, 6, 10, 1]
    left = dict(cells)
    assert _ready(left, {}, ahead) == [short, middling]
    del left[short.folder]
    assert _ready(left, {}, ahead) == [middling]  # its need is under way
    short.folder.mkdir()
    (short.folder / DONE).touch()
    assert _ready(left, {}, ahead) == [long, middling]
    del left[long.folder], left[middling.folder]
    assert _ready(left, {long.folder: "broken", middling.folder: "broken"}, ahead) == [after]  # never will


def test_a_pretraining_that_was_interrupted_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """config.json is there from the first epoch on, metrics.json when all are done."""
    resumed: list[bool] = []
    monkeypatch.setattr(loop, "pretrain", lambda config, show_progress: resumed.append(config.resume))
    (tmp_path / "cell").mkdir()
    cell = PretrainCell(tmp_path / "cell", "biLM", 1, settings={"train": ["a.txt"], "preset": "tiny"})
    cell.run()
    (tmp_path / "cell" / "model").mkdir()
    (tmp_path / "cell" / "model" / "config.json").write_text("{}")
    cell.run()
    (tmp_path / "cell" / "model" / "metrics.json").write_text("{}")
    cell.run()
    assert resumed == [False, True]
