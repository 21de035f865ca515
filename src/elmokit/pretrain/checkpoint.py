"""Checkpoints that are whole or absent, and pick up a run exactly where it was."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from torch import Tensor

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.nn.bilm import State
from elmokit.whole_files import JsonObject

_NAME = re.compile(r"step-(\d+)(?:-(\d+))?")


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
        self.running_weight = 0.0
        self.best_nll: float | None = None
        self.epochs_without_gain = 0
        self.history: list[JsonObject] = []
        self.evaluations: list[JsonObject] = []
        self.decay_start: int | None = None

    def smooth(self, loss: float, *, kept: float) -> float:
        """Take a loss into `running_loss`, of which the share `kept` remains; what came first does not weigh more."""
        before = kept * self.running_weight
        self.running_weight = before + 1 - kept
        earlier = 0.0 if self.running_loss is None else self.running_loss
        self.running_loss = (before * earlier + (1 - kept) * loss) / self.running_weight
        return self.running_loss

    def state_dict(self) -> JsonObject:
        return dict(vars(self))

    def load_state_dict(self, state: JsonObject) -> None:
        vars(self).update(state)


class Checkpoints:
    """The checkpoints of a run: ``<folder>/step-0000123``; a folder of that name is complete, the newest one counts.

    A second checkpoint of the same step (the one at the end of an epoch) is called ``step-0000123-2``: nothing is
    removed before the next one is in place.
    """

    def __init__(self, folder: Path, accelerator: Accelerator, *, keep_border: bool = False) -> None:
        """With ``keep_border`` the newest checkpoint that another number of processes can take up stays, too."""
        self.folder, self.accelerator, self.keep_border = folder, accelerator, keep_border

    def latest(self) -> Path | None:
        """The newest complete checkpoint, or None."""
        return max(self._complete(), key=_age, default=None)

    def to_resume(self) -> Path | None:
        """The newest checkpoint that this number of processes can take up; the newest of all where there is none."""
        newest = self.latest()
        if newest is None or self.facts(newest).get("processes") == self.accelerator.num_processes:
            return newest
        return self._latest_border() or newest

    def facts(self, checkpoint: Path | None = None) -> JsonObject:
        """What a checkpoint, by default the newest, says of its run; {} without one.

        ``corpus``, ``precision``, ``processes``, ``learning_rate_factor``, the share of the peak rate it is at, and
        ``border``, whether another number of processes can take it up.
        """
        newest = checkpoint or self.latest()
        file = None if newest is None else newest / "run.json"
        return {} if file is None or not file.exists() else dict(json.loads(file.read_text(encoding="utf-8")))

    def _latest_border(self) -> Path | None:
        borders = [path for path in self._complete() if self.facts(path).get("border")]
        return max(borders, key=_age, default=None)

    def save(self, step: int, state: State | None, *, facts: JsonObject) -> None:
        """Write everything of all processes under a temporary name, flush it to disk, rename it, drop the older ones.

        Raises:
            DataError: The disk refuses; the checkpoint before stays.
        """
        partial = self.folder / f"step-{step:07d}.partial"
        try:
            if self.accelerator.is_main_process:
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                (partial / "run.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
            self.accelerator.wait_for_everyone()
            self.accelerator.save_state(str(partial))
            if state is not None:
                torch.save(tuple(state), partial / f"lstm-state-{self.accelerator.process_index}.pt")
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process:
                _flush(partial)
                number = 1 + max((_age(path)[1] for path in self._complete() if _age(path)[0] == step), default=0)
                final = self.folder / (f"step-{step:07d}" if number == 1 else f"step-{step:07d}-{number}")
                partial.rename(final)
                _flush_folder(self.folder)
                kept = {final, self._latest_border() if self.keep_border else final}
                for old in set(self.folder.glob("step-*")) - kept:  # what others put into the folder stays
                    if old.is_dir():
                        shutil.rmtree(old)
        except (OSError, RuntimeError, SafetensorError) as error:  # torch.save wraps a full disk in a RuntimeError
            shutil.rmtree(partial, ignore_errors=True)
            reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
            raise DataError(f"cannot write the checkpoint {partial}: {reason}; free space, then --resume") from error
        self.accelerator.wait_for_everyone()

    def load(self, path: Path) -> State | None:
        """Restore all registered objects and random states; returns this process's carried LSTM state, if any.

        Raises:
            ConfigError: Another number of processes wrote it.
            ModelError: It is damaged, or of a model of another shape.
        """
        processes = len(list(path.glob("random_states_*.pkl")))
        if processes != self.accelerator.num_processes and not self.facts(path).get("border"):
            raise ConfigError(
                f"{path} was written by {processes} processes, this run has {self.accelerator.num_processes}: "
                "--resume continues with the same number; in sentence mode with any number from the end of an epoch or "
                "window on"
            )
        try:
            self.accelerator.load_state(str(path))
            carried = path / f"lstm-state-{self.accelerator.process_index}.pt"
            if not carried.exists():
                return None
            parts: tuple[Tensor, Tensor] = torch.load(carried, weights_only=True)
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"the checkpoint {path} does not fit this run or is damaged ({reason}): --resume with the settings it "
                "was made with, or --overwrite to start anew"
            ) from error
        return State(*(part.to(self.accelerator.device) for part in parts))

    def _complete(self) -> list[Path]:
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return [path for path in found if _NAME.fullmatch(path.name)]


def _age(path: Path) -> tuple[int, int]:
    """Step, and the number of the checkpoint of that step."""
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), int(match[2] or 1)) if match else (-1, 0)


def _flush(folder: Path) -> None:
    """Bring the files of a folder and its list of names to disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:  # Windows flushes only what may be written to
                os.fsync(file.fileno())
    _flush_folder(folder)


def _flush_folder(path: Path) -> None:
    """Bring a folder's list of names to disk; Windows, which opens no folder, writes names in order by itself."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)
