"""Checkpoints that are whole or absent, and pick up a run exactly where it was."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from elmokit.nn.bilm import State

_NAME = re.compile(r"step-(\d+)")


class Progress:
    """Where a run stands; saved inside every checkpoint."""

    def __init__(self) -> None:
        self.step = 0
        self.epoch = 0
        self.step_in_epoch = 0
        self.seconds = 0.0
        self.tokens = 0
        self.epoch_loss = 0.0
        self.epoch_predictions = 0
        self.running_loss: float | None = None
        self.best_nll: float | None = None
        self.epochs_without_gain = 0
        self.history: list[dict[str, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


class Checkpoints:
    """The checkpoints of a run: ``<folder>/step-000123``; a folder of that name is complete, the newest one counts."""

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self.folder, self.accelerator = folder, accelerator

    def latest(self) -> Path | None:
        """The newest complete checkpoint, or None."""
        if not self.folder.is_dir():
            return None
        found = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        return max(found, key=lambda path: int(path.name[5:]), default=None)

    def save(self, step: int, state: State | None) -> None:
        """Write everything of all processes under a temporary name, flush it to disk, rename it, drop the older ones."""
        final = self.folder / f"step-{step:07d}"
        partial = final.with_suffix(".partial")
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(partial))
        if state is not None:
            torch.save(tuple(state), partial / f"lstm-state-{self.accelerator.process_index}.pt")
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            _flush(partial)
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)
            for old in self.folder.iterdir():
                if old != final:
                    shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def load(self, path: Path) -> State | None:
        """Restore all registered objects and random states; returns this process's carried LSTM state, if any."""
        self.accelerator.load_state(str(path))
        carried = path / f"lstm-state-{self.accelerator.process_index}.pt"
        if not carried.exists():
            return None
        parts: tuple[Tensor, Tensor] = torch.load(carried, weights_only=True)
        return State(*(part.to(self.accelerator.device) for part in parts))


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
