"""What training any head goes through: its folder, the same run again, Trainer with early stopping, what is kept."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import EarlyStoppingCallback, EvalPrediction, PrinterCallback, set_seed
from transformers.integrations.integration_utils import TensorBoardCallback

from elmokit.errors import ConfigError
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.tasks.config import HOUSEKEEPING, HeadConfig
from elmokit.tasks.inputs.batches import BatchDataset
from elmokit.tasks.precision import decided_precision
from elmokit.tasks.run_folder import RunFolder, read_yaml, versions, write_json, write_yaml
from elmokit.tasks.trainer import HeadTrainer, optimizer_for, training_arguments
from elmokit.whole_files import write_text


@contextmanager
def run_folder(config: HeadConfig, *, free: Iterable[str] = ()) -> Iterator[Path]:
    """The working folder of a run, which takes the place of `config.output` when the block ends well.

    What fails before its first checkpoint leaves nothing behind, later it leaves a run to resume.

    Raises:
        ConfigError: As `RunFolder.open`, or the unfinished run had another setting; those of housekeeping and the
            `free` ones may differ.
    """
    folder = RunFolder(config.output)
    resumed = folder.open(overwrite=config.overwrite, resume=config.resume)
    try:
        if resumed:
            _check_same_run(folder.work, _settings(config), free=free)
        yield folder.work
    finally:
        folder.discard_if_without(_checkpoints_in(folder.work))
    shutil.rmtree(_checkpoints_in(folder.work))
    folder.finish()


_Config = TypeVar("_Config", bound=HeadConfig)


def begin(config: _Config, work: Path) -> _Config:
    """Write `training.yaml` (every setting, `trained_in` for the type of the products, versions), set threads and seed.

    Returns:
        The settings with that type for `precision: auto`. It is measured once: a resumed run stays with it.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    set_seed(config.seed)
    precision = _trained_in(work) or decided_precision(config)
    write_yaml(work / "training.yaml", {**_settings(config), "trained_in": precision})
    return config.model_copy(update={"precision": precision})


def _trained_in(work: Path) -> str | None:
    return read_yaml(work / "training.yaml").get("trained_in") if (work / "training.yaml").is_file() else None


def _settings(config: HeadConfig) -> dict[str, Any]:
    return {**config.model_dump(mode="json"), "versions": versions()}


def _check_same_run(work: Path, settings: dict[str, Any], *, free: Iterable[str]) -> None:
    if not (work / "training.yaml").is_file():
        return
    before = read_yaml(work / "training.yaml")
    for key, value in settings.items():
        if key not in HOUSEKEEPING | {"versions", *free} and before.get(key) != value:
            raise ConfigError(
                f"the unfinished run in {work} has {key} = {before.get(key)!r}, this one {value!r}: "
                "give the same settings, or --overwrite to start afresh"
            )


def _checkpoints_in(work: Path) -> Path:
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
        args=training_arguments(config, folder=str(_checkpoints_in(work)), steps=steps),
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
        running.train(resume_from_checkpoint=last_checkpoint(_checkpoints_in(work)))
    return running


def run_facts(
    task: str, model: ElmoMixedModel, config: HeadConfig, records: Sequence[dict[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    """What `metrics.json` of every task holds before its scores: the run, the model's sizes, λ and γ, the epochs."""
    facts: dict[str, Any] = {
        "task": task,
        "model": config.model,
        "combine": config.combine,
        "finetune": config.finetune,
        "vectors": None if config.vectors is None else str(config.vectors),
        "seed": config.seed,
        "precision": config.precision,
        "parameters": {
            "total": sum(parameter.numel() for parameter in model.parameters()),
            "trained": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        },
        "epochs": len(records),
        "best_epoch": best_of(records, config.watched)["epoch"],
        "texts_per_second": float(np.median([record["texts_per_second"] for record in records])),
    }
    mixed = model.mix.weights()
    if mixed is not None:
        facts |= {"lambdas": [float(value) for value in mixed[0]], "gamma": float(mixed[1])}
    return facts


def save_run(
    model: ElmoMixedModel, tokenizer: ElmoTokenizer, metrics: dict[str, Any], work: Path, *, card: str
) -> None:  # fmt: skip
    """Put the model with its tokenizer, its figures and its card into the folder of the run."""
    with quiet_transformers():
        model.save_pretrained(work)
    tokenizer.save_pretrained(work)
    write_json(work / "metrics.json", metrics)
    write_text(work / "README.md", card)


def run_title(config: HeadConfig) -> str:
    """What tells a run from others, over its pictures."""
    return f"{config.combine} mix, biLM {'fine-tuned' if config.finetune else 'frozen'}, seed {config.seed}"


def best_of(records: Sequence[dict[str, Any]], watched: str) -> dict[str, Any]:
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
