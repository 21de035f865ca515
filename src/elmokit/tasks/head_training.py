"""What training any head goes through: the same run again, Trainer with early stopping, the time of each stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, EvalPrediction, PrinterCallback
from transformers.integrations.integration_utils import TensorBoardCallback

from elmokit.errors import ConfigError
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.quiet import quiet_transformers
from elmokit.tasks.config import HOUSEKEEPING, HeadConfig
from elmokit.tasks.inputs.batches import BatchDataset
from elmokit.tasks.run_folder import read_yaml, versions
from elmokit.tasks.trainer import HeadTrainer, optimizer_for, training_arguments


def run_settings(config: HeadConfig) -> dict[str, Any]:
    """What `training.yaml` of a run holds: every setting as resolved, and versions."""
    return {**config.model_dump(mode="json"), "versions": versions()}


def check_same_run(work: Path, settings: dict[str, Any], *, free: Iterable[str] = ()) -> None:
    """An unfinished run may be taken up under other values of housekeeping and of the `free` settings alone.

    Raises:
        ConfigError: Another setting differs.
    """
    if not (work / "training.yaml").is_file():
        return
    before = read_yaml(work / "training.yaml")
    for key, value in settings.items():
        if key not in HOUSEKEEPING | {"versions", *free} and before.get(key) != value:
            raise ConfigError(
                f"the unfinished run in {work} has {key} = {before.get(key)!r}, this one {value!r}: "
                "give the same settings, or --overwrite to start afresh"
            )


def checkpoints_in(work: Path) -> Path:
    """Where an unfinished run keeps its state."""
    return work / "checkpoints"


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint (a kill while saving leaves one without its state file)."""
    found = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    found.sort(key=lambda path: int(path.name.rpartition("-")[2]))
    return str(found[-1]) if found else None


def train_head(
    model: ElmoMixedModel, train: BatchDataset, validation: BatchDataset, config: HeadConfig, work: Path,
    scores: Callable[[EvalPrediction], dict[str, float]], *, trainer: Callable[..., HeadTrainer] = HeadTrainer,
) -> HeadTrainer:  # fmt: skip
    """Train until the validation score stops rising; the model ends with the weights of the best epoch.

    Args:
        model: Under training.
        train, validation: Data sets that hand out batches of the model's inputs.
        config: Settings.
        work: Folder of the run; an unfinished one is taken up.
        scores: What is measured on the validation rows; `config.watched` is one of them, or the loss.
        trainer: How batches are predicted.
    """
    from torch.utils.tensorboard import SummaryWriter

    steps = math.ceil(len(train) / config.batch_size) * config.epochs
    running = trainer(
        model=model,
        args=training_arguments(config, folder=str(checkpoints_in(work)), steps=steps),
        train_dataset=train,
        eval_dataset=validation,
        compute_metrics=scores,
        optimizers=(optimizer_for(model, config), None),
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=config.patience),
            TensorBoardCallback(SummaryWriter(work / "tensorboard")),  # type: ignore[no-untyped-call]
        ],
        show=config.progress,
    )
    running.remove_callback(PrinterCallback)
    with quiet_transformers():
        running.train(resume_from_checkpoint=last_checkpoint(checkpoints_in(work)))
    return running


def best_of(records: list[dict[str, Any]], watched: str) -> dict[str, Any]:
    """The record of the best epoch."""
    sign = -1 if watched == "loss" else 1
    return max(records, key=lambda record: sign * float(record[f"validation_{watched}"]))


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self._stages[stage], self._last = round(now - self._last, 2), now

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage and of all."""
        return {**self._stages, "total": round(sum(self._stages.values()), 2)}
