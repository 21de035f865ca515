"""The pretraining loop: a step, an epoch, a run that can be killed at any point and goes on exactly."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.machine import keep_freed_memory, return_freed_memory
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.bilm import State
from elmokit.pretrain.augment import Augmentation
from elmokit.pretrain.average import AveragedWeights
from elmokit.pretrain.checkpoint import Checkpoints, Progress
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.interrupt import Interruption
from elmokit.pretrain.journal import Bar, Journal, progress_bar, write_json
from elmokit.pretrain.perplexity import evaluate_batches, stream_for_evaluation
from elmokit.pretrain.read_ahead import read_ahead
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.pretrain.setup import (
    build_model,
    check_resumed,
    check_settings,
    choose_precision,
    clear_folder,
    prepare_corpus,
    prepare_folder,
    save_model,
    word_rows,
)
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.report.curves import draw_learning_curve
from elmokit.settings import dump_settings
from elmokit.text.word_rows import WordRows
from elmokit.whole_files import write_text

_STREAM_ROW = 20_000  # words of held-out text a row: the first few of each are read without what precedes them


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
    check_settings(config)
    accelerator = Accelerator(
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        cpu=not torch.cuda.is_available(),
    )
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    keep_freed_memory()
    checkpoints = Checkpoints(config.output / "checkpoints", accelerator)
    if accelerator.is_main_process:
        prepare_folder(config)
    accelerator.wait_for_everyone()
    newest = checkpoints.latest() if config.resume else None
    facts = {} if newest is None else checkpoints.facts()
    if newest is not None:
        check_resumed(config)
    corpus = prepare_corpus(config, accelerator, began=newest is not None, fingerprint=facts.get("corpus"))
    rows = word_rows(config, corpus)
    corpus = corpus.read_by(rows)
    set_seed(config.seed)
    model = build_model(config, corpus, rows, began=newest is not None)
    if accelerator.num_processes > 1:
        set_seed(config.seed + accelerator.process_index)  # processes that drop the same units would learn less
    run = _Run(config, accelerator, corpus, rows, model, checkpoints, facts)
    if newest is not None:
        run.take_up(newest)
    elif accelerator.is_main_process:
        clear_folder(config.output)
    if accelerator.is_main_process:
        write_text(config.output / "config.yaml", dump_settings(config))
    accelerator.wait_for_everyone()
    return run.train(show_progress=show_progress)


class _Run:
    """One process of a run."""

    def __init__(
        self, config: PretrainConfig, accelerator: Accelerator, corpus: Corpus, rows: WordRows,
        model: ElmoForPreTraining, checkpoints: Checkpoints, facts: dict[str, Any],
    ) -> None:  # fmt: skip
        self.rows = rows
        self.config, self.accelerator, self.corpus, self.checkpoints = config, accelerator, corpus, checkpoints
        self.directions = model.config.directions
        wanted = facts.get("precision", "auto") if config.precision == "auto" else config.precision
        self.dtype = choose_precision(wanted, accelerator)
        self.batches = self._training_batches()
        self.total_steps = sum(self.batches.steps(epoch) for epoch in range(config.epochs))
        if self.total_steps == 0:
            raise DataError(self._too_little())
        self.model, self.optimizer = accelerator.prepare(model, _optimizer(config, model))
        self.bare_model: ElmoForPreTraining = accelerator.unwrap_model(self.model)
        self.average = AveragedWeights(self.bare_model, config.average_decay) if config.average_decay else None
        self.progress = Progress()
        accelerator.register_for_checkpointing(self.progress, *(() if self.average is None else (self.average,)))
        self.interruption = Interruption()
        self.state: State | None = None

    @property
    def result(self) -> ElmoForPreTraining:
        """The model that is held against the other text and kept: the trained one, or the average of its weights."""
        return self.bare_model if self.average is None else self.average.model

    def take_up(self, checkpoint: Path) -> None:
        """Go on where this checkpoint stands."""
        self.state = self.checkpoints.load(checkpoint)

    def _training_batches(self) -> Batches:
        config, rank, world = self.config, self.accelerator.process_index, self.accelerator.num_processes
        common: dict[str, Any] = {
            "seed": config.seed, "shuffle": config.shuffle, "directions": self.directions, "rank": rank, "world": world,
        }  # fmt: skip
        if config.case_augmentation or config.typo_augmentation:
            common["augmentation"] = Augmentation(
                self.corpus, self.rows, case=config.case_augmentation, typos=config.typo_augmentation, seed=config.seed
            )
        if config.mode == "sentence":
            return SentenceBatches(
                self.corpus, self.corpus.train, tokens=config.batch_tokens, most_sentences=config.batch_sentences,
                **common,
            )  # fmt: skip
        if config.stream_rows < world:
            raise ConfigError(f"stream_rows is {config.stream_rows}; expected a row for each of the {world} processes")
        return StreamBatches(
            self.corpus, self.corpus.train, rows=config.stream_rows, window=config.stream_window, **common
        )

    def _too_little(self) -> str:
        size = f"--train has {self.corpus.train.n_tokens:,} words in {len(self.corpus.train):,} sentences"
        if self.config.mode == "stream":
            return f"{size}: too little for {self.config.stream_rows} rows; --set stream_rows=… lower"
        return f"{size}: too little for {self.accelerator.num_processes} processes"

    def train(self, *, show_progress: bool) -> PretrainResult:
        config, progress = self.config, self.progress
        main = self.accelerator.is_main_process
        if self._finished():
            if main and show_progress:
                why = "stopped early" if self._given_up() else "finished"
                line = f"the run in {config.output} has {why} after {progress.epoch} epochs: nothing to do"
                print(line, file=sys.stderr)
            return PretrainResult(config.output, progress.history, self._metrics())
        journal = Journal(config.output, active=main, from_step=progress.step, from_epoch=progress.epoch)
        if progress.step == 0:
            journal.write("start", 0, **self._description())
        try:
            show = show_progress and main
            with self.interruption, progress_bar(self.total_steps, done=progress.step, show=show) as bar:
                while not self._finished():
                    self._train_epoch(journal, bar)
                    self._finish_epoch(journal, bar)
        finally:
            journal.close()
        if main:
            write_json(config.output / "metrics.json", self._metrics())
        return PretrainResult(config.output, progress.history, self._metrics())

    def _metrics(self) -> dict[str, Any]:
        return {**self._description(), "seconds": self.progress.seconds, "epochs": self.progress.history}

    def _finished(self) -> bool:
        return self.progress.epoch >= self.config.epochs or self._given_up()

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
        for batch in read_ahead(self.batches.read(progress.epoch, progress.step_in_epoch)):
            window.add(self._step(batch), batch.predictions)
            progress.step += 1
            progress.step_in_epoch += 1
            progress.tokens += batch.predictions
            if progress.step % config.log_steps == 0:
                self._log(journal, bar, window)
            due, stop = self._agree(time.monotonic() - last_checkpoint > 60 * config.checkpoint_minutes)
            if due or stop:
                self._log(journal, bar, window)
                self._save()
                last_checkpoint = time.monotonic()
            if stop:
                raise KeyboardInterrupt
        self._log(journal, bar, window)

    def _agree(self, due: bool) -> tuple[bool, bool]:
        """Whether to save and to stop, the same on all processes: the clock of the first counts, and any Ctrl-C."""
        if self.accelerator.num_processes == 1:
            return due, self.interruption.requested
        wishes = [float(due and self.accelerator.is_main_process), float(self.interruption.requested)]
        flags = torch.tensor(wishes, device=self.accelerator.device)
        due, stop = (self.accelerator.reduce(flags, reduction="sum") > 0).tolist()
        return due, stop

    def _save(self) -> None:
        precision = str(self.dtype).removeprefix("torch.")
        facts = {"corpus": self.corpus.fingerprint, "precision": precision, "processes": self.accelerator.num_processes}
        self.checkpoints.save(self.progress.step, self.state, facts=facts)
        return_freed_memory()

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
        if self.average is not None:
            self.average.update(self.bare_model)
        if self.batches.carries_state:
            self.state = State(output.state.h.detach(), output.state.c.detach())
        losses: torch.Tensor = sums.detach().double().cpu()
        return losses

    def _log(self, journal: Journal, bar: Bar, window: _Window) -> None:
        """Write down and empty what was gathered since the last time."""
        if window.words == 0:
            return
        progress = self.progress
        losses, words, seconds = window.take()
        means = self.accelerator.reduce(losses.to(self.accelerator.device), reduction="sum").cpu() / words
        loss = float(means.mean())
        if not math.isfinite(loss):
            lower = f"--set learning_rate={self.config.learning_rate / 4:g}"
            raise ModelError(
                f"the loss became {loss} before step {progress.step}: --resume goes on from the last checkpoint; "
                f"lower the learning rate ({lower}) or the bound of the gradient (--set clip_norm=…)"
            )
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
        try:
            figures = self._epoch_figures()
        except KeyboardInterrupt:
            self._save()
            raise
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
                save_model(self.result, self.corpus, self.rows, self.config.output)
            draw_learning_curve(progress.history, self.config.output / "learning_curve.png")
        self._save()

    def _epoch_figures(self) -> dict[str, Any]:
        progress = self.progress
        train_nll = progress.epoch_loss / max(progress.epoch_predictions, 1)
        figures: dict[str, Any] = {
            "epoch": progress.epoch + 1, "train_nll": train_nll, "train_perplexity": math.exp(min(train_nll, 700)),
            "seconds": progress.seconds, "words": progress.tokens,
        }  # fmt: skip
        if len(self.corpus.valid):
            found, guesses = evaluate_batches(
                self.result, self._valid_batches(), state="carry" if self.batches.carries_state else "zero",
                next_word=True,
            )  # fmt: skip
            figures |= {"valid_nll": found.nll, "valid_perplexity": found.mean, "valid_forward": found.forward}
            figures |= {"valid_backward": found.backward, "valid_predictions": found.predictions}
            figures |= {} if guesses is None else {f"next_word_{name}": x for name, x in guesses.as_dict().items()}
        return figures

    def _valid_batches(self) -> Iterator[PackedBatch]:
        valid = self.corpus.valid
        batches: Batches = SentenceBatches(
            self.corpus, valid, tokens=self.config.valid_batch_tokens, shuffle=False, directions=self.directions
        )
        if self.batches.carries_state:
            rows = min(max(int(valid.n_tokens) // _STREAM_ROW, 1), 16)
            batches = stream_for_evaluation(self.corpus, valid, directions=self.directions, rows=rows)
        for batch in batches.read(0):
            if self.interruption.requested:
                raise KeyboardInterrupt
            yield batch


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
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99), fused=True
    )


def _epoch_line(figures: dict[str, Any], epochs: int) -> str:
    line = f"epoch {figures['epoch']}/{epochs}  training perplexity {figures['train_perplexity']:,.1f}"
    if "valid_perplexity" in figures:
        backward = figures["valid_backward"]
        line += f"  held out: forward {figures['valid_forward']:,.1f}"
        line += "" if backward is None else f"  backward {backward:,.1f}  mean {figures['valid_perplexity']:,.1f}"
    return line
