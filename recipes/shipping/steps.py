"""The commands a recipe is made of: each is skipped when its result is there, and resumed when it was interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python(*words: str | Path) -> None:
    """Run a script or a module of the project.

    Raises:
        subprocess.CalledProcessError: It failed; what it said is on the screen.
    """
    subprocess.run([sys.executable, *map(str, words)], check=True)


def printed(*words: str | Path, data: Path) -> str:
    """What a command that reads the data sets prints."""
    environment = {**os.environ, "ELMOKIT_DATA": str(data)}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout.strip()


def pretrain(run: Path, *options: str | Path) -> None:
    """`elmo pretrain` into the folder of a run."""
    if not (run / "metrics.json").is_file():
        resume = ["--resume"] if (run / "checkpoints").is_dir() else []
        python("-m", "elmokit", "pretrain", "--output", run, *options, *resume)


def classify(config: str, run: Path) -> None:
    """`elmo train classify` with a configuration that names this folder."""
    if not (run / "metrics.json").is_file():
        resume = ["--resume"] if run.with_name(f".{run.name}.partial").is_dir() else []
        python("-m", "elmokit", "train", "classify", "--config", config, *resume)


def vectors(output: Path, *options: str | Path) -> None:
    """`elmo train vectors` into a file."""
    if not output.is_file():
        python("-m", "elmokit", "train", "vectors", "--output", output, *options)
