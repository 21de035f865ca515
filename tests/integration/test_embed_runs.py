"""`elmo embed` killed without warning, and under torchrun's variables, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest
import torch

from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer

LINES = 6000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and a text of 48,000 words: several parts."""
    folder = tmp_path_factory.mktemp("embed")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny", projection_dim=32)).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    lines = (f"line {number} of the bank was word{number} and wet" for number in range(LINES))
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    return folder


def start(place: Path, output: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "elmokit", "embed", place / "model", place / "text.txt", output, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen(
        list(map(str, command)), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr


def test_a_killed_run_resumes_to_the_same_bytes(place: Path, tmp_path: Path) -> None:
    finish(start(place, tmp_path / "whole.hdf5"))
    killed = start(place, tmp_path / "out.hdf5")
    partial = tmp_path / ".out.hdf5.partial"
    while not list(partial.glob("0.npy")):
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "out.hdf5").exists()
    done = {path.name: path.stat().st_mtime_ns for path in partial.glob("*.npy")}
    assert done
    finish(start(place, tmp_path / "out.hdf5", "--resume"))
    assert (tmp_path / "out.hdf5").read_bytes() == (tmp_path / "whole.hdf5").read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_two_processes_share_the_text(place: Path, tmp_path: Path) -> None:
    running = [start(place, tmp_path / "out.hdf5", RANK=str(rank), WORLD_SIZE="2") for rank in range(2)]
    for process in running:
        finish(process)
    numbers: list[str] = []
    for rank in range(2):
        with h5py.File(tmp_path / f"out.rank{rank}-of-2.hdf5") as file:
            numbers += [name for name in file if name != "sentence_to_index"]
    assert sorted(map(int, numbers)) == list(range(LINES))
