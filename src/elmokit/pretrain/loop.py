"""The pretraining loop: a step, an epoch, a run that can be killed at any point and goes on exactly."""

from __future__ import annotations

import json
import math
import os
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed

from elmokit.errors import ModelError
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.bilm import State
from elmokit.pretrain.checkpoint import Checkpoints, Progress
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.journal import Bar, Journal, progress_bar
from elmokit.pretrain.perplexity import evaluate_batches
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.pretrain.setup import (
    build_model,
    choose_precision,
    keep_freed_memory,
    prepare_corpus,
    prepare_folder,
    save_model,
)
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.report.curves import draw_learning_curve
from elmokit.settings import dump_settings

_T = TypeVar("_T")


@dataclass(frozen=True)
class PretrainResult:
    """The run folder (a loadable model) and the figures of every epoch, as in its ``metrics.json``."""

    output: Path
    history: list[dict[str, Any]]
    metrics: dict[str, Any]


def pretrain(config: PretrainConfig, *, show_progress: bool = True) -> PretrainResult:
    """Train a biLM on text and leave the best epoch's model in ``config.output``.

    Raises ``ConfigError``, ``DataError`` or ``ModelError`` for what a user can mend, before anything is overwritten.
    """
    accelerator = Accelerator(
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        cpu=not torch.cuda.is_available(),
    )
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    keep_freed_memory()
    if accelerator.is_main_process:
        prepare_folder(config)
    accelerator.wait_for_everyone()
    corpus = prepare_corpus(config, accelerator)
    set_seed(config.seed)
    model = build_model(config, len(corpus.vocab))
    run = _Run(config, accelerator, corpus, model)
    if accelerator.is_main_process:
        (config.output / "config.yaml").write_text(dump_settings(config), encoding="utf-8")
    return run.train(show_progress=show_progress)


class _Run:
    """One process of a run."""

    def __init__(
        self, config: PretrainConfig, accelerator: Accelerator, corpus: Corpus, model: ElmoForPreTraining
    ) -> None:
        self.config, self.accelerator, self.corpus = config, accelerator, corpus
        self.directions = model.config.directions
        self.dtype = choose_precision(config.precision, accelerator.device)
        self.batches = self._training_batches()
        self.total_steps = sum(self.batches.steps(epoch) for epoch in range(config.epochs))
        self.model, self.optimizer = accelerator.prepare(model, _optimizer(config, model))
        self.bare_model: ElmoForPreTraining = accelerator.unwrap_model(self.model)
        self.progress = Progress()
        accelerator.register_for_checkpointing(self.progress)
        self.checkpoints = Checkpoints(config.output / "checkpoints", accelerator)
        self.state: State | None = None
        newest = self.checkpoints.latest() if config.resume else None
        if newest is not None:
            self.state = self.checkpoints.load(newest)

    def _training_batches(self) -> Batches:
        config, rank, world = self.config, self.accelerator.process_index, self.accelerator.num_processes
        common: dict[str, Any] = {
            "seed": config.seed, "shuffle": config.shuffle, "directions": self.directions, "rank": rank, "world": world,
        }  # fmt: skip
        if config.mode == "sentence":
            return SentenceBatches(self.corpus, self.corpus.train, tokens=config.batch_tokens, **common)
        return StreamBatches(
            self.corpus, self.corpus.train, rows=config.stream_rows, window=config.stream_window, **common
        )

    def train(self, *, show_progress: bool) -> PretrainResult:
        config, progress = self.config, self.progress
        main = self.accelerator.is_main_process
        journal = Journal(config.output, active=main, from_step=progress.step)
        if progress.step == 0:
            journal.write("start", 0, **self._description())
        try:
            with progress_bar(self.total_steps, done=progress.step, show=show_progress and main) as bar:
                while progress.epoch < config.epochs and not self._given_up():
                    self._train_epoch(journal, bar)
                    self._finish_epoch(journal, bar)
        except KeyboardInterrupt:
            self.checkpoints.save(progress.step, self.state)
            raise
        finally:
            journal.close()
        metrics = {**self._description(), "seconds": progress.seconds, "epochs": progress.history}
        if main:
            _write_json(config.output / "metrics.json", metrics)
        return PretrainResult(config.output, progress.history, metrics)

    def _given_up(self) -> bool:
        patience = self.config.patience
        return patience is not None and self.progress.epochs_without_gain >= patience

    def _description(self) -> dict[str, Any]:
        parameters = sum(p.numel() for p in self.bare_model.parameters())
        return {
            "preset": self.config.preset, "parameters": parameters,
            "parameters_without_head": sum(p.numel() for p in self.bare_model.elmo.parameters()),
            "vocabulary": len(self.corpus.vocab), "train_words": int(self.corpus.train.n_tokens),
            "train_sentences": len(self.corpus.train), "valid_words": int(self.corpus.valid.n_tokens),
            "precision": str(self.dtype).removeprefix("torch."), "processes": self.accelerator.num_processes,
            "threads": torch.get_num_threads(), "seed": self.config.seed, "steps": self.total_steps,
            "torch": torch.__version__,
        }  # fmt: skip

    def _train_epoch(self, journal: Journal, bar: Bar) -> None:
        progress, config = self.progress, self.config
        self.model.train()
        last_checkpoint = time.monotonic()
        window = _Window(self.directions)
        for batch in _ahead(self.batches.read(progress.epoch, progress.step_in_epoch)):
            window.add(self._step(batch), batch.predictions)
            progress.step += 1
            progress.step_in_epoch += 1
            progress.tokens += batch.predictions
            if progress.step % config.log_steps == 0:
                self._log(journal, bar, window)
            if self._agree(time.monotonic() - last_checkpoint > 60 * config.checkpoint_minutes):
                self._log(journal, bar, window)
                self.checkpoints.save(progress.step, self.state)
                last_checkpoint = time.monotonic()
        self._log(journal, bar, window)

    def _agree(self, mine: bool) -> bool:
        """The main process decides for all."""
        if self.accelerator.num_processes == 1:
            return mine
        flag = torch.tensor([float(mine and self.accelerator.is_main_process)], device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, reduction="sum").item() > 0)

    def _step(self, batch: PackedBatch) -> torch.Tensor:
        """One update; returns this process's summed loss of each direction."""
        batch = batch.to(self.accelerator.device)
        factor = learning_rate_factor(
            self.progress.step, total=self.total_steps, warmup=self.config.warmup_steps,
            shape=self.config.schedule, final=self.config.final_learning_rate,
        )  # fmt: skip
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * factor
        with torch.autocast(batch.index.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            output = self.model(batch.chars, batch.index, batch.targets, batch.batch_sizes, self.state)
        sums = output.nll.float().sum(dim=1)  # (D,)
        # Processes average their gradients: scaled like this the sum is the mean over the whole step's predictions.
        share = self.accelerator.num_processes / (batch.predictions * self.directions)
        self.accelerator.backward(sums.sum() * share)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.batches.carries_state:
            self.state = State(output.state.h.detach(), output.state.c.detach())
        return sums.detach().double().cpu()

    def _log(self, journal: Journal, bar: Bar, window: _Window) -> None:
        """Write down and empty what was gathered since the last time."""
        if window.words == 0:
            return
        progress = self.progress
        losses, words, seconds = window.take()
        means = self.accelerator.reduce(losses.to(self.accelerator.device), reduction="sum").cpu() / words
        loss = float(means.mean())
        if not math.isfinite(loss):
            raise ModelError(f"the loss became {loss} at step {progress.step}: --set learning_rate=… lower, then --resume")
        progress.seconds += seconds
        progress.epoch_loss += loss * words
        progress.epoch_predictions += words
        before = loss if progress.running_loss is None else progress.running_loss
        progress.running_loss = 0.9 * before + 0.1 * loss
        per_direction = dict(zip(("forward", "backward"), means.tolist(), strict=False))
        journal.write(
            "train", progress.step, epoch=progress.epoch + 1, loss=loss, **per_direction,
            learning_rate=self.optimizer.param_groups[0]["lr"], words_per_second=words / seconds,
        )  # fmt: skip
        bar.advance(progress.step, words, f"perplexity {math.exp(min(progress.running_loss, 700)):,.1f}")

    def _finish_epoch(self, journal: Journal, bar: Bar) -> None:
        """Held-out figures, the best model, a checkpoint."""
        progress = self.progress
        figures = self._epoch_figures()
        progress.history = [*progress.history, figures]
        nll = figures.get("valid_nll", figures["train_nll"])
        better = progress.best_nll is None or nll < progress.best_nll
        progress.best_nll = nll if better else progress.best_nll
        progress.epochs_without_gain = 0 if better else progress.epochs_without_gain + 1
        progress.epoch, progress.step_in_epoch, self.state = progress.epoch + 1, 0, None
        progress.epoch_loss, progress.epoch_predictions = 0.0, 0
        journal.write("epoch", progress.step, **figures)
        bar.say(_epoch_line(figures, self.config.epochs))
        if self.accelerator.is_main_process:
            if better:
                save_model(self.bare_model, self.corpus, self.config.output)
            draw_learning_curve(progress.history, self.config.output / "learning_curve.png")
        self.checkpoints.save(progress.step, None)

    def _epoch_figures(self) -> dict[str, Any]:
        progress = self.progress
        train_nll = progress.epoch_loss / max(progress.epoch_predictions, 1)
        figures: dict[str, Any] = {
            "epoch": progress.epoch + 1, "train_nll": train_nll, "train_perplexity": math.exp(min(train_nll, 700)),
            "seconds": progress.seconds, "words": progress.tokens,
        }  # fmt: skip
        if len(self.corpus.valid):
            found, guesses = evaluate_batches(self.bare_model, self._valid_batches(), next_word=True)
            figures |= {"valid_nll": found.nll, "valid_perplexity": found.mean, "valid_forward": found.forward}
            figures |= {"valid_backward": found.backward, "valid_predictions": found.predictions}
            figures |= {} if guesses is None else {f"next_word_{name}": x for name, x in guesses.as_dict().items()}
        return figures

    def _valid_batches(self) -> Iterator[PackedBatch]:
        batches = SentenceBatches(
            self.corpus, self.corpus.valid, tokens=self.config.valid_batch_tokens, shuffle=False, directions=self.directions
        )
        return batches.read(0)


class _Window:
    """Losses and words since the last log line."""

    def __init__(self, directions: int) -> None:
        self._directions = directions
        self._clear()

    def _clear(self) -> None:
        self.losses = torch.zeros(self._directions, dtype=torch.float64)
        self.words = 0
        self._started = time.perf_counter()

    def add(self, losses: torch.Tensor, words: int) -> None:
        self.losses += losses
        self.words += words

    def take(self) -> tuple[torch.Tensor, int, float]:
        """Summed losses (D,), words and seconds; starts anew."""
        taken = self.losses, self.words, time.perf_counter() - self._started
        self._clear()
        return taken


def _optimizer(config: PretrainConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    parameters = list(model.parameters())
    if config.optimizer == "adagrad":
        return torch.optim.Adagrad(
            parameters, lr=config.learning_rate, weight_decay=config.weight_decay, initial_accumulator_value=1.0
        )
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99), fused=True
    )


def _ahead(items: Iterator[_T], depth: int = 4) -> Iterator[_T]:
    """Read on a thread, a few items ahead of the training; an error there is raised here."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(kind: str, value: Any) -> None:
        while not stop.is_set():
            try:
                waiting.put((kind, value), timeout=0.2)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put("item", item)
                if stop.is_set():
                    return
        except BaseException as error:  # handed over, not hidden: raised in the training thread
            put("error", error)
        put("end", None)

    thread = threading.Thread(target=work, daemon=True, name="elmokit-batches")
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stop.set()
        thread.join()


def _epoch_line(figures: dict[str, Any], epochs: int) -> str:
    line = f"epoch {figures['epoch']}/{epochs}  training perplexity {figures['train_perplexity']:,.1f}"
    if "valid_perplexity" in figures:
        backward = figures["valid_backward"]
        line += f"  held out: forward {figures['valid_forward']:,.1f}"
        line += "" if backward is None else f"  backward {backward:,.1f}  mean {figures['valid_perplexity']:,.1f}"
    return line


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)
