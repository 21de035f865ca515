"""Copies of checkpoints that another run may replace meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from elmokit.errors import DataError
from elmokit.pretrain import branch
from elmokit.pretrain.checkpoint import Checkpoints


def add(folder: Path, step: int) -> None:
    """A checkpoint as a run leaves it: in place, then the one before goes."""
    new = folder / f"step-{step:07d}"
    new.mkdir(parents=True)
    for name in ("a", "b"):
        (new / name).write_text(str(step), encoding="utf-8")
    for old in folder.iterdir():
        if old != new:
            shutil.rmtree(old)


def test_a_checkpoint_that_goes_while_it_is_copied_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "run", tmp_path / "copy"
    add(source, 1)
    whole, copies = shutil.copytree, []

    def copied(origin: Path, to: Path, **keywords: Any) -> Any:
        copies.append(origin.name)
        if len(copies) == 1:  # in the middle of the first copy, its second file vanishes
            to.mkdir(parents=True)
            shutil.copy(origin / "a", to / "a")
            add(source, 2)
            return to
        if len(copies) == 2:  # gone before it is looked at
            add(source, 3)
        return whole(origin, to, **keywords)

    monkeypatch.setattr(shutil, "copytree", copied)
    branch._copy_newest(Checkpoints(source, None), target)  # type: ignore[arg-type]
    assert copies == ["step-0000001", "step-0000002", "step-0000003"]
    (found,) = target.glob("step-*[0-9]")
    assert (found.name, (found / "b").read_text(encoding="utf-8")) == ("step-0000003", "3")


def test_a_run_that_never_stands_still_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "run"
    add(source, 0)
    number = iter(range(1, 1000))

    def copied(origin: Path, to: Path, **keywords: Any) -> None:
        add(source, next(number))

    monkeypatch.setattr(shutil, "copytree", copied)
    with pytest.raises(DataError, match=r"changes faster than it can be copied: raise checkpoint_minutes"):
        branch._copy_newest(Checkpoints(source, None), tmp_path / "copy")  # type: ignore[arg-type]
