"""`transformers.Trainer` for heads: like lengths in a batch, two learning rates, λ and one line an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations.integration_utils import TensorBoardCallback

from elmokit.errors import ModelError
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.quiet import quiet_transformers
from elmokit.progress import rate_bar
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.inputs.batches import Batch, LengthGroupedSampler, LongestFirstSampler, as_is
from elmokit.tasks.plan import Schedule
from elmokit.tasks.report import EpochRecord, rank
from elmokit.tasks.task import Datasets

CHECKPOINTS = "checkpoints"
Step = Callable[[Any, Batch], tuple[Tensor, Tensor, Tensor]]
ParameterGroup = dict[str, Any]
"""Parameters under a learning rate of their own, as torch's optimizers take them."""


def train_head(
    model: ElmoMixedModel,
    datasets: Datasets,
    config: HeadConfig,
    work: Path,
    *,
    schedule: Schedule,
    step: Step,
    scores: Callable[[NDArray[Any], NDArray[Any]], dict[str, float]],
    evaluation_factor: int = 4,
) -> list[EpochRecord]:
    """Train until the validation score stops rising; the model ends with the weights of the best epoch.

    Of epochs with the same score, the one with the lowest validation loss is the best; it does not train longer for it.

    Args:
        model: Under training.
        datasets: Its batches.
        config: Settings, all of them resolved.
        work: Folder of the run; an unfinished one is continued.
        schedule: Epochs, batch size and rate.
        step: The loss, predictions and labels of a validation batch.
        scores: What is measured on these predictions and labels; `config.watched` is one of them, or the loss.
        evaluation_factor: Rows of a validation batch for one of a training batch.

    Returns:
        A record an epoch.
    """
    from torch.utils.tensorboard import SummaryWriter

    if datasets.batch_size is not None:
        schedule = replace(schedule, batch_size=datasets.batch_size)
    steps = math.ceil(len(datasets.train) / schedule.batch_size) * schedule.epochs
    folder = work / CHECKPOINTS
    checkpoint = last_checkpoint(folder)
    state = None if checkpoint is None else TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    epochs_done = 0.0 if state is None else float(state.epoch or 0.0)
    if state is not None and _had_stopped(state):  # Trainer would forget that and train for one more
        schedule = replace(schedule, epochs=round(epochs_done))

    def measured(prediction: EvalPrediction) -> dict[str, float]:
        return scores(np.asarray(prediction.predictions), np.asarray(prediction.label_ids))

    running = HeadTrainer(
        model=model,
        args=training_arguments(config, schedule, folder=str(folder), steps=steps, evaluation_factor=evaluation_factor),
        train_dataset=datasets.train,
        eval_dataset=datasets.validation,
        compute_metrics=measured,
        optimizers=(optimizer_for(model, config, learning_rate=schedule.learning_rate), None),
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=schedule.patience),
            TensorBoardCallback(SummaryWriter(work / "tensorboard")),  # type: ignore[no-untyped-call]
        ],
        step=step,
        show=config.progress,
    )
    running.remove_callback(PrinterCallback)
    texts = len(datasets.train)
    done = round(epochs_done * texts)
    bar = rate_bar("training", schedule.epochs * texts, unit="texts", show=config.progress, done=done)
    with quiet_transformers(), bar as advance:
        running.add_callback(Advance(advance, texts=texts, done=done))
        running.train(resume_from_checkpoint=checkpoint)
    return history(running.state.log_history)


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint (a kill while saving leaves one without its state file)."""
    found = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    found.sort(key=lambda path: int(path.name.rpartition("-")[2]))
    return str(found[-1]) if found else None


def _had_stopped(state: TrainerState) -> bool:
    """Whether the training that a checkpoint is of was over: all epochs were done, or too many without a gain."""
    callbacks: Any = state.stateful_callbacks  # of a checkpoint: their values by name
    return bool(callbacks.get("TrainerControl", {}).get("args", {}).get("should_training_stop"))


class HeadTrainer(Trainer):
    """Trainer over data sets with `.lengths`, which hand out whole batches. `show` prints a line an epoch."""

    def __init__(self, *, step: Step, show: bool, **kwargs: Any) -> None:
        super().__init__(data_collator=as_is, **kwargs)
        self.step, self.show = step, show
        self.clock = EpochClock()
        self.add_callback(self.clock)

    def _get_train_sampler(self, train_dataset: Dataset[Batch] | None = None) -> Sampler[int]:
        data: Any = self.train_dataset if train_dataset is None else train_dataset
        return LengthGroupedSampler(data.lengths, batch_size=self.args.train_batch_size, seed=self.args.seed)

    def _get_eval_sampler(self, eval_dataset: Dataset[Batch]) -> Sampler[int]:
        return LongestFirstSampler(eval_dataset.lengths)  # type: ignore[attr-defined]

    def prediction_step(
        self, model: nn.Module, inputs: Batch, prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """See `transformers.Trainer`; what is predicted is the task's."""
        with torch.no_grad():
            return self.step(self.accelerator.unwrap_model(model), self._prepare_inputs(inputs))

    def training_step(self, model: nn.Module, inputs: Batch, num_items_in_batch: Any = None) -> Tensor:
        """One update's loss and gradient.

        Raises:
            ModelError: The loss is not a number.
        """
        loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
        self._refuse_divergence(float(loss))
        return loss

    def _refuse_divergence(self, loss: float) -> None:
        """Stop before weights that are not numbers are saved: the checkpoint of the last epoch stays."""
        if not math.isfinite(loss):
            raise ModelError(
                f"the loss became {loss} at step {self.state.global_step + 1}: the training diverged. A lower learning "
                f"rate may mend it (--learning-rate {self.args.learning_rate / 10:g}; of a fine-tuned biLM "
                "--finetune-learning-rate); the checkpoint of the last finished epoch was kept"
            )

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Whether this epoch's checkpoint is to be kept as the best: as `rank` has it, also among equal scores."""
        watched = str(self.args.metric_for_best_model)
        log = self.state.log_history  # a checkpoint keeps it, so a resumed run decides alike
        best = [entry for entry in log if "eval_loss" in entry and entry["step"] == self.state.best_global_step]
        if best and rank(metrics, watched, loss="eval_loss") <= rank(best[-1], watched, loss="eval_loss"):
            return False
        self.state.best_metric, self.state.best_global_step = metrics[watched], self.state.global_step
        return True

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds λ, γ and the pace to the scores of an epoch, so that they go where Trainer's log goes."""
        if "eval_loss" in logs and self.is_in_train:
            self._refuse_divergence(logs["eval_loss"])
            logs["seconds"] = round(self.clock.seconds, 3)
            logs["texts_per_second"] = round(len(self.train_dataset) / max(self.clock.seconds, 1e-9), 1)  # type: ignore
            mixed = self.accelerator.unwrap_model(self.model).mix.weights()
            if mixed is not None:
                logs |= {f"lambda_{layer}": float(value) for layer, value in enumerate(mixed[0])}
                logs["gamma"] = float(mixed[1])
        super().log(logs, start_time)
        if "eval_loss" in logs and self.is_in_train and self.show:
            print(epoch_line(history(self.state.log_history)[-1], epochs=round(self.args.num_train_epochs)), flush=True)

    def floating_point_ops(self, inputs: Batch) -> int:
        """Not counted: the estimate of transformers goes by token ids, which we have none of."""
        return 0


class Advance(TrainerCallback):
    """Moves a bar by the texts of each update; `done` of them are counted already."""

    def __init__(self, advance: Callable[[int], None], *, texts: int, done: int) -> None:
        self._advance, self._texts, self._done = advance, texts, done

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """An update more."""
        now = round((state.epoch or 0.0) * self._texts)
        self._advance(now - self._done)
        self._done = now


class EpochClock(TrainerCallback):
    """Seconds of the last training epoch, without its evaluation."""

    def __init__(self) -> None:
        self.seconds = self._began = 0.0

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start."""
        self._began = time.perf_counter()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop."""
        self.seconds = time.perf_counter() - self._began


def parameter_groups(model: nn.Module, config: HeadConfig, *, learning_rate: float) -> list[ParameterGroup]:
    """What is trained in up to three groups, each under its own rate: mix and head, the biLM, static vectors.

    Weight decay leaves the static vectors alone: the rare ones would shrink to nothing between two of their uses.
    """
    own: ParameterGroup = {"params": [], "lr": learning_rate}
    parts: dict[str, ParameterGroup] = {
        "elmo": {"params": [], "lr": config.finetune_learning_rate},
        "static": {"params": [], "lr": config.vectors_learning_rate, "weight_decay": 0.0},
    }
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parts.get(name.partition(".")[0], own)["params"].append(parameter)
    return [group for group in (own, *parts.values()) if group["params"]]


def training_arguments(
    config: HeadConfig, schedule: Schedule, *, folder: str, steps: int, evaluation_factor: int = 4
) -> TrainingArguments:
    """Trainer's settings for a run of `steps` updates at most, checkpoints in `folder`; the precision is decided."""
    reduced = config.precision == "bfloat16"
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=schedule.epochs,
        per_device_train_batch_size=schedule.batch_size,
        per_device_eval_batch_size=evaluation_factor * schedule.batch_size,
        learning_rate=schedule.learning_rate,
        weight_decay=config.weight_decay,
        lr_scheduler_type="linear",
        warmup_steps=round(config.warmup_fraction * steps),
        max_grad_norm=config.max_grad_norm,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{config.watched}",
        greater_is_better=config.watched != "loss",
        label_names=["labels"],
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        bf16=reduced,
        use_cpu=reduced and not torch.cuda.is_available(),  # demanded with bf16
        seed=config.seed,
        data_seed=config.seed,
        disable_tqdm=True,
        report_to=[],
        restore_callback_states_from_checkpoint=True,  # how long early stopping has waited
    )


def history(log: Sequence[Mapping[str, float]]) -> list[EpochRecord]:
    """One record an epoch out of Trainer's log (which a checkpoint keeps): losses, scores, λ, γ, seconds, texts/s."""
    records: list[EpochRecord] = []
    train_loss: float | None = None
    left_out = ("runtime", "samples_per_second", "steps_per_second", "model_preparation_time")
    for entry in log:
        train_loss = entry.get("loss", train_loss)
        if "eval_loss" not in entry:
            continue
        scores = {name.removeprefix("eval_"): value for name, value in entry.items() if name.startswith("eval_")}
        lambdas = [entry[name] for name in sorted(entry) if name.startswith("lambda_")]
        records.append(
            EpochRecord(
                epoch=round(entry["epoch"]),
                train_loss=train_loss,
                validation={name: value for name, value in scores.items() if name not in left_out},
                seconds=entry.get("seconds"),
                texts_per_second=entry.get("texts_per_second"),
                gamma=entry.get("gamma"),
                lambdas=lambdas or None,
            )
        )
    return records


def epoch_line(record: EpochRecord, *, epochs: int) -> str:
    """A record as one line for people."""
    line = f"epoch {record.epoch:>2}/{epochs}  train loss {record.train_loss:.4f}"
    scores = record.validation.items()
    line += "  validation " + " ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores)
    line += f"  {record.texts_per_second or 0:,.0f} texts/s"
    if record.lambdas is not None:
        line += f"  λ {' '.join(f'{value:.3f}' for value in record.lambdas)} γ {record.gamma:.3f}"
    return line


def optimizer_for(model: nn.Module, config: HeadConfig, *, learning_rate: float) -> torch.optim.Optimizer:
    """AdamW over the parameter groups of `config`."""
    groups = parameter_groups(model, config, learning_rate=learning_rate)
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)
