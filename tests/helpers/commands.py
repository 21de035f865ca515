"""`elmo` in processes of its own, which tests stop, kill or deprive of disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer


def start(*words: object, bytes_a_file: int | None = None) -> subprocess.Popen[str]:
    """Begin a command; no file of it may grow beyond `bytes_a_file`, as on a full disk."""

    def limit() -> None:
        if bytes_a_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    return subprocess.Popen(
        [sys.executable, "-m", "elmokit", *map(str, words), "--quiet"], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=limit,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said on stderr."""
    _, stderr = process.communicate(timeout=600)
    return process.returncode, stderr


def wait_for(files: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    """Until a file of that name is there."""
    while not list(files.glob(pattern)):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)


def contents(folder: Path, pattern: str) -> dict[str, bytes]:
    """The bytes of files by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


def model_and_text(folder: Path, *, lines: int) -> Path:
    """A tiny model in `model` and a text of nine words per line in `text.txt`."""
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny", projection_dim=32)).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    written = (f"line {number} of the bank was word{number} and wet" for number in range(lines))
    (folder / "text.txt").write_text("\n".join(written) + "\n")
    return folder
