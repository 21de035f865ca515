"""Bringing a checkpoint to disk, on systems that open folders and on those that do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from accelerate import Accelerator

from elmokit.pretrain import checkpoint


@pytest.mark.parametrize("opens_folders", [True, False])
def test_files_and_where_possible_folders_are_flushed(
    tmp_path: Path, opens_folders: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("model.safetensors", "inner/state.bin"):
        (tmp_path / name).write_bytes(b"x")
    flushed: set[int] = set()
    really, opened = os.fsync, os.open

    def fsync(descriptor: int) -> None:
        really(descriptor)
        flushed.add(os.fstat(descriptor).st_ino)

    def no_folders(path: Path, flags: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags)

    monkeypatch.setattr(os, "fsync", fsync)
    if not opens_folders:
        monkeypatch.delattr(os, "O_DIRECTORY", raising=False)
        monkeypatch.setattr(os, "open", no_folders)
    checkpoint._flush(tmp_path)

    files = {(tmp_path / name).stat().st_ino for name in ("model.safetensors", "inner/state.bin")}
    folders = {tmp_path.stat().st_ino} if opens_folders else set()
    assert flushed == files | folders
    assert (tmp_path / "model.safetensors").read_bytes() == b"x"


def test_what_others_put_beside_the_checkpoints_stays(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    checkpoints = checkpoint.Checkpoints(tmp_path, accelerator)
    tmp_path.joinpath(".DS_Store").write_bytes(b"x")
    for step in (1, 2):
        checkpoints.save(step, None, facts={})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "step-0000002"]
