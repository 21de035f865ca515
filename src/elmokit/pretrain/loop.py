"""The pretraining loop: a step, an epoch, a run that can be killed at any point and continues exactly."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.machine import keep_freed_memory, return_freed_memory
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.bilm import State
from elmokit.pretrain.augment import Augmentation
from elmokit.pretrain.average import AveragedWeights
from elmokit.pretrain.branch import branch_off, check_branch
from elmokit.pretrain.checkpoint import Checkpoints, Progress
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.interrupt import Interruption
from elmokit.pretrain.journal import Bar, Journal, progress_bar, write_json
from elmokit.pretrain.mirror import Mirror
from elmokit.pretrain.optimizers import build_optimizer, set_learning_rates
from elmokit.pretrain.perplexity import evaluate_batches, stream_for_evaluation
from elmokit.pretrain.read_ahead import default_workers, read_updates
from elmokit.pretrain.run_length import decayed_steps, planned_steps
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.pretrain.setup import (
    build_model,
    check_same,
    check_same_files,
    check_settings,
    choose_precision,
    clear_folder,
    files_read,
    model_config,
    prepare_corpus,
    prepare_folder,
    refuse_used,
    save_model,
    settle_batch,
    with_corpus,
    word_rows,
)
from elmokit.pretrain.shard_files import WINDOW_TOKENS, ShardedText
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.pretrain.updates import Updates
from elmokit.pretrain.windows import WindowedBatches
from elmokit.report.curves import draw_learning_curve
from elmokit.run_folder import single_writer, write_yaml
from elmokit.text.word_rows import WordRows

_RESEED = 1_000_003  # random states of other processes are of no use when their number changes
_STREAM_ROW = 20_000  # words of held-out text a row: the first few of each are read without what precedes them


@dataclass(frozen=True)
class PretrainResult:
    """The run folder (a loadable model) and the figures of every epoch, as in its ``metrics.json``."""

    output: Path
    history: list[dict[str, Any]]
    metrics: dict[str, Any]


class TrainingStep(NamedTuple):
    """What a callback receives after each update.

    Attributes:
        step: Updates made so far.
        words: Predictions made so far, in one direction.
        process: The rank of this process, 0 when there is one.
        model: The biLM with its head as it is now; to be read, not changed.
    """

    step: int
    words: int
    process: int
    model: ElmoForPreTraining


# Asks for a checkpoint after this update, or for one and the end of the run, which `--resume` takes up.
StepCallback = Callable[[TrainingStep], Literal["save", "stop"] | None]


def pretrain(
    config: PretrainConfig, *, show_progress: bool = True, on_step: StepCallback | None = None
) -> PretrainResult:
    """Train a biLM on text and leave the best epoch's model in ``config.output``.

    Args:
        config: The settings.
        show_progress: Draw a progress bar.
        on_step: Called after each update, in every process; its answer may ask for a checkpoint ("save") or for the
            end of the run ("stop", which raises ``KeyboardInterrupt`` as Ctrl-C does).

    Raises:
        ConfigError, DataError, ModelError: For what a user can mend, before anything is overwritten.
    """
    config = with_corpus(config)
    check_settings(config)
    first = os.environ.get("RANK", "0") == "0"  # one process writes for all
    with single_writer(config.output) if first else nullcontext():
        return _pretrain(config, show_progress=show_progress, on_step=on_step)


def _pretrain(config: PretrainConfig, *, show_progress: bool, on_step: StepCallback | None) -> PretrainResult:
    AcceleratorState._reset_state()  # which contains the number type of a task trained before in this process
    # A batch may lack the words of a cluster. To look for such parameters takes a walk over the graph in every update.
    unused = model_config(config, vocab_size=0).softmax == "adaptive"
    accelerator = Accelerator(
        mixed_precision="no",  # autocast is ours
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused)],
        cpu=not torch.cuda.is_available(),
    )
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    keep_freed_memory()
    several = accelerator.num_processes > 1 or config.corpus is not None
    checkpoints = Checkpoints(config.output / "checkpoints", accelerator, keep_border=several)
    mirror = None if config.copy_to is None else Mirror(config.output, config.copy_to)
    if mirror is not None and accelerator.is_main_process:
        refuse_used(config, mirror)
        if config.resume:
            mirror.fetch()
    if accelerator.is_main_process:
        prepare_folder(config)
    accelerator.wait_for_everyone()
    newest = checkpoints.to_resume() if config.resume else None
    if newest is not None:
        check_same(config, config.output, option="--resume")
        check_same_files(config, config.output)
    elif config.decay_from is not None:
        check_branch(config, config.decay_from, accelerator)
        if accelerator.is_main_process:
            branch_off(config, config.decay_from, accelerator)
        accelerator.wait_for_everyone()
        newest = checkpoints.latest()
    facts = {} if newest is None else checkpoints.facts(newest)
    corpus = prepare_corpus(config, accelerator, began=newest is not None, fingerprint=facts.get("corpus"))
    config = settle_batch(config, corpus, began=newest is not None)
    rows = word_rows(config, corpus)
    corpus = corpus.read_by(rows)
    set_seed(config.seed)
    model = build_model(config, corpus, rows, began=newest is not None)
    if accelerator.num_processes > 1:
        set_seed(config.seed + accelerator.process_index)  # processes that drop the same units would learn less
    run = _Run(config, accelerator, corpus, rows, model, checkpoints, facts, mirror)
    if newest is not None:
        run.take_up(newest)
    elif accelerator.is_main_process:
        clear_folder(config.output)
    if accelerator.is_main_process:
        write_yaml(config.output / "config.yaml", {**config.model_dump(mode="json"), "files_read": files_read(config)})
    accelerator.wait_for_everyone()
    return run.train(show_progress=show_progress, on_step=on_step)


class _Run:
    """One process of a run."""

    def __init__(
        self,
        config: PretrainConfig,
        accelerator: Accelerator,
        corpus: Corpus,
        rows: WordRows,
        model: ElmoForPreTraining,
        checkpoints: Checkpoints,
        facts: dict[str, Any],
        mirror: Mirror | None = None,
    ) -> None:
        self.mirror = mirror
        self.rows = rows
        self.config, self.accelerator, self.corpus, self.checkpoints = config, accelerator, corpus, checkpoints
        self.directions = model.config.directions
        wanted = facts.get("precision", "auto") if config.precision == "auto" else config.precision
        self.dtype = choose_precision(wanted, accelerator)
        self.updates = Updates(self._training_batches(), config.accumulate)
        if self.updates.steps(0) == 0:
            found = f"--train has {corpus.train.n_tokens:,} words in {len(corpus.train):,} sentences: too little for"
            if config.mode == "stream":
                raise DataError(f"{found} {config.stream_rows} rows; --set stream_rows=… lower")
            raise DataError(f"{found} {accelerator.num_processes} processes")
        self.model, self.optimizer = accelerator.prepare(model, build_optimizer(config, model))
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
        """Continue from this checkpoint; the first one of a run that decays is that of another run."""
        self.state = self.checkpoints.load(checkpoint)
        if self.checkpoints.facts(checkpoint).get("processes") != self.accelerator.num_processes:
            set_seed(self.config.seed + self.accelerator.process_index + _RESEED * self.progress.step)
        if self.config.decay_from is not None and self.progress.decay_start is None:
            self.progress.decay_start = self.progress.step
            self.progress.best_nll, self.progress.epochs_without_gain = None, 0

    @cached_property
    def total_steps(self) -> int:
        """Updates of the whole run, known once it is known where a decay began."""
        start = self.progress.decay_start
        return planned_steps(self.config, self.updates) if start is None else decayed_steps(self.config, start)

    def _learning_rate_factor(self) -> float:
        config, start = self.config, self.progress.decay_start
        return learning_rate_factor(
            self.progress.step,
            total=self.total_steps,
            warmup=config.warmup_steps,
            final=config.final_learning_rate,
            shape=config.schedule if start is None else "wsd",
            decay_steps=config.decay_steps if start is None else self.total_steps - start,
        )

    def _training_batches(self) -> Batches:
        config, text, world = self.config, self.corpus.train, self.accelerator.num_processes
        common: dict[str, Any] = {
            "seed": config.seed,
            "shuffle": config.shuffle,
            "directions": self.directions,
            "rank": self.accelerator.process_index,
            "world": world,
        }
        sizes: dict[str, Any] = {"tokens": config.batch_tokens, "most_sentences": config.batch_sentences}
        augmented = None
        if config.case_augmentation or config.typo_augmentation:
            case, typos = config.case_augmentation, config.typo_augmentation
            augmented = partial(Augmentation, self.corpus, self.rows, case=case, typos=typos, seed=config.seed)
        if isinstance(text, ShardedText):  # a prepared corpus that is larger than a window
            if config.mode == "stream":
                raise ConfigError(
                    f"--mode stream reads one order of all sentences: expected at most {WINDOW_TOKENS:,} words, "
                    f"{config.corpus} has {text.n_tokens:,}; use --mode sentence"
                )
            return WindowedBatches(self.corpus, text, augmentation=augmented, **sizes, **common)
        augmentation = None if augmented is None else augmented()
        if config.mode == "sentence":
            return SentenceBatches(self.corpus, text, augmentation=augmentation, **sizes, **common)
        if config.stream_rows < world:
            raise ConfigError(f"stream_rows is {config.stream_rows}; expected a row for each of the {world} processes")
        rows, window = config.stream_rows, config.stream_window
        return StreamBatches(self.corpus, text, rows=rows, window=window, augmentation=augmentation, **common)

    def train(self, *, show_progress: bool, on_step: StepCallback | None = None) -> PretrainResult:
        config, progress = self.config, self.progress
        main = self.accelerator.is_main_process
        if self._finished():
            if main and show_progress:
                why = "stopped early" if self._given_up() else "finished"
                epochs = progress.history[-1]["epoch"]
                line = f"the run in {config.output} has {why} after {epochs:g} epochs: nothing to do"
                print(line, file=sys.stderr)
            return PretrainResult(config.output, progress.history, self._metrics())
        first, known = progress.decay_start or 0, [row["epoch"] for row in progress.history]
        journal = Journal(config.output, active=main, from_step=progress.step, from_epochs=known, first_step=first)
        if progress.step == first:
            journal.write("start", first, **self._description())
        try:
            show = show_progress and main
            with self.interruption, progress_bar(self.total_steps, done=progress.step, show=show) as bar:
                while not self._finished():
                    self._train_epoch(journal, bar, on_step)
                    self._finish_epoch(journal, bar)
        finally:
            journal.close()
        if main:
            write_json(config.output / "metrics.json", self._metrics())
            if self.mirror is not None:
                self.mirror.send()
        return PretrainResult(config.output, progress.history, self._metrics())

    def _metrics(self) -> dict[str, Any]:
        progress = self.progress
        evaluations = {"evaluations": progress.evaluations} if progress.evaluations else {}
        return {**self._description(), "seconds": progress.seconds, "epochs": progress.history, **evaluations}

    def _finished(self) -> bool:
        """Whether all updates are made, or no more are worth it, and the figures of the last epoch are there."""
        progress = self.progress
        figures_there = progress.step_in_epoch == 0 or progress.step in [row.get("step") for row in progress.history]
        return self._given_up() or (progress.step >= self.total_steps and figures_there)

    def _given_up(self) -> bool:
        patience = self.config.patience
        return patience is not None and self.progress.epochs_without_gain >= patience

    def _description(self) -> dict[str, Any]:
        parameters = sum(p.numel() for p in self.bare_model.parameters())
        return {
            "preset": self.config.preset,
            "parameters": parameters,
            "parameters_without_head": sum(p.numel() for p in self.bare_model.elmo.parameters()),
            "vocabulary": len(self.corpus.vocab),
            "train_words": int(self.corpus.train.n_tokens),
            "train_sentences": len(self.corpus.train),
            "valid_words": int(self.corpus.valid.n_tokens),
            "precision": str(self.dtype).removeprefix("torch."),
            "processes": self.accelerator.num_processes,
            "threads": torch.get_num_threads(),
            "seed": self.config.seed,
            "steps": self.total_steps,
            "torch": torch.__version__,
        }

    def _train_epoch(self, journal: Journal, bar: Bar, on_step: StepCallback | None) -> None:
        progress, config, updates, device = self.progress, self.config, self.updates, self.accelerator.device
        self.model.train()
        last_checkpoint = time.monotonic()
        window = _Window(self.directions, device)
        self._evaluate_if_due(journal, bar, window)
        left = max(self.total_steps - progress.step, 0)
        borders = set(updates.borders(progress.epoch)) - {0}
        workers, processes = config.workers, self.accelerator.num_processes
        if workers is None:
            workers = default_workers(device.type, processes=processes, carries_state=updates.carries_state)
        pin = device.type == "cuda"
        for update in read_updates(
            updates, progress.epoch, progress.step_in_epoch, count=left, workers=workers, pin=pin
        ):
            predictions = sum(batch.predictions for batch in update)
            window.add(self._step(update, predictions), predictions)
            progress.step += 1
            progress.step_in_epoch += 1
            progress.tokens += predictions
            wish = None
            if on_step is not None:
                rank = self.accelerator.process_index
                wish = on_step(TrainingStep(progress.step, progress.tokens, rank, self.bare_model))
            if progress.step % config.log_steps == 0:
                self._log(journal, bar, window)
            self._evaluate_if_due(journal, bar, window)
            border = progress.step_in_epoch in borders
            late = time.monotonic() - last_checkpoint > 60 * config.checkpoint_minutes
            due, stop = border or late or wish == "save", wish == "stop" or self.interruption.requested
            if processes > 1:  # the same on all of them: the first's clock counts, and any wish to stop
                flags = torch.tensor([float(due and self.accelerator.is_main_process), float(stop)], device=device)
                due, stop = (self.accelerator.reduce(flags, reduction="sum") > 0).tolist()
            if due or stop:
                self._log(journal, bar, window)
                self._save()
                last_checkpoint = time.monotonic()
            if stop:
                raise KeyboardInterrupt
        self._log(journal, bar, window)

    def _save(self) -> None:
        precision = str(self.dtype).removeprefix("torch.")
        facts = {
            "corpus": self.corpus.fingerprint,
            "precision": precision,
            "processes": self.accelerator.num_processes,
            "learning_rate_factor": self._learning_rate_factor(),
            "border": self.progress.step_in_epoch in self.updates.borders(self.progress.epoch),
        }
        self.checkpoints.save(self.progress.step, self.state, facts=facts)
        if self.mirror is not None and self.accelerator.is_main_process:
            self.mirror.send()
        return_freed_memory()

    def _step(self, update: list[PackedBatch], predictions: int) -> torch.Tensor:
        """One update; returns this process's summed loss of each direction.

        ``predictions`` are those of all batches of the update, over all processes, in one direction.
        """
        set_learning_rates(self.optimizer, self.config, self._learning_rate_factor())
        device = self.accelerator.device
        losses = torch.zeros(self.directions, dtype=torch.float64, device=device)
        # Processes average their gradients: scaled like this the sum is the mean over all predictions of the update.
        share = self.accelerator.num_processes / (predictions * self.directions)
        for number, batch in enumerate((batch.to(device) for batch in update), 1):
            # Processes exchange gradients once per update, with its last batch.
            with nullcontext() if number == len(update) else self.accelerator.no_sync(self.model):
                with torch.autocast(device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
                    output = self.model(batch.chars, batch.index, batch.targets, batch.batch_sizes, self.state)
                sums = output.nll.float().sum(dim=1)  # (D,)
                self.accelerator.backward(sums.sum() * share)
            losses += sums.detach().double()
            if self.updates.carries_state:
                self.state = State(output.state.h.detach(), output.state.c.detach())
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self.bare_model)
        return losses

    def _log(self, journal: Journal, bar: Bar, window: _Window) -> None:
        """Write down and empty what was gathered since the last time."""
        if window.words == 0:
            return
        progress = self.progress
        updates = window.updates
        losses, words, seconds = window.take()
        means = self.accelerator.reduce(losses, reduction="sum").cpu() / words
        loss = float(means.mean())
        if not math.isfinite(loss):
            lower = f"--set learning_rate={self.config.learning_rate / 4:g}"
            raise ModelError(
                f"the loss became {loss} before step {progress.step}: --resume continues from the last checkpoint; "
                f"lower the learning rate ({lower}) or the bound of the gradient (--set clip_norm=…)"
            )
        progress.seconds += seconds
        progress.epoch_loss += loss * words
        progress.epoch_predictions += words
        # A checkpoint, whose time the clock chooses, ends a window early.
        running_loss = progress.smooth(loss, kept=0.9 ** (updates / self.config.log_steps))
        per_direction = dict(zip(("forward", "backward"), means.tolist(), strict=False))
        journal.write(
            "train",
            progress.step,
            epoch=progress.epoch + 1,
            loss=loss,
            **per_direction,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            words_per_second=words / seconds,
        )
        bar.advance(progress.step, words, f"perplexity {math.exp(min(running_loss, 700)):,.1f}")

    def _finish_epoch(self, journal: Journal, bar: Bar) -> None:
        """Held-out figures, the best model, a checkpoint: when an epoch ends, or the run in the middle of one."""
        progress, share = self.progress, self.progress.step_in_epoch / self.updates.steps(self.progress.epoch)
        train_nll = progress.epoch_loss / max(progress.epoch_predictions, 1)
        figures: dict[str, Any] = {
            "epoch": progress.epoch + (1 if share == 1 else share),
            "step": progress.step,
            "train_nll": train_nll,
            "train_perplexity": math.exp(min(train_nll, 700)),
            "seconds": progress.seconds,
            "words": progress.tokens,
        }
        try:
            figures |= self._held_out(next_word=True) if len(self.corpus.valid) else {}
        except KeyboardInterrupt:
            self._save()
            raise
        progress.history = [*progress.history, figures]
        nll = figures.get("valid_nll", figures["train_nll"])
        better = progress.best_nll is None or nll < progress.best_nll
        progress.best_nll = nll if better else progress.best_nll
        progress.epochs_without_gain = 0 if better else progress.epochs_without_gain + 1
        if share == 1:
            progress.epoch, progress.step_in_epoch, self.state = progress.epoch + 1, 0, None
            progress.epoch_loss, progress.epoch_predictions = 0.0, 0
        journal.write("epoch", **figures)
        line = f"epoch {round(figures['epoch'], 2):g}/{self.config.epochs}"
        line += f"  perplexity {figures['train_perplexity']:,.1f}"
        if "valid_perplexity" in figures:
            line += f"  held out {figures['valid_perplexity']:,.1f}"
            if (backward := figures["valid_backward"]) is not None:
                line += f" (forward {figures['valid_forward']:,.1f}, backward {backward:,.1f})"
        bar.say(line)
        if self.config.evaluate_steps is not None and not self._evaluated():
            self._note_evaluation(figures)
        if self.accelerator.is_main_process:
            if better:
                save_model(self.result, self.corpus, self.rows, self.config.output)
            self._draw()
        self._save()

    def _held_out(self, *, next_word: bool) -> dict[str, Any]:
        found, guesses = evaluate_batches(
            self.result,
            self._valid_batches(),
            state="carry" if self.updates.carries_state else "zero",
            next_word=next_word,
        )
        figures: dict[str, Any] = {"valid_nll": found.nll, "valid_perplexity": found.mean}
        figures |= {"valid_forward": found.forward, "valid_backward": found.backward}
        figures |= {"valid_predictions": found.predictions}
        return figures | ({} if guesses is None else {f"next_word_{name}": x for name, x in guesses.as_dict().items()})

    def _evaluated(self) -> bool:
        """Whether the held-out perplexity of this step is known."""
        return any(row["step"] == self.progress.step for row in self.progress.evaluations[-1:])

    def _evaluate_if_due(self, journal: Journal, bar: Bar, window: _Window) -> None:
        """The held-out perplexity between the ends of epochs. Nothing that training depends on is changed."""
        every, step = self.config.evaluate_steps, self.progress.step
        if every is None or step == 0 or step % every or self._evaluated():
            return
        self._log(journal, bar, window)
        try:
            row = self._note_evaluation(self._held_out(next_word=False))
        except KeyboardInterrupt:
            self._save()
            raise
        journal.write("evaluation", **row)
        bar.say(f"update {step:,}  held out: perplexity {row['valid_perplexity']:,.1f}")
        if self.accelerator.is_main_process:
            self._draw()
        window.restart()

    def _note_evaluation(self, figures: dict[str, Any]) -> dict[str, Any]:
        progress = self.progress
        row: dict[str, Any] = {"step": progress.step, "words": progress.tokens}
        if progress.running_loss is not None:
            row["train_perplexity"] = math.exp(min(progress.running_loss, 700))
        row |= {key: figures[key] for key in ("valid_nll", "valid_perplexity", "valid_forward", "valid_backward")}
        progress.evaluations = [*progress.evaluations, row]
        return row

    def _draw(self) -> None:
        progress = self.progress
        draw_learning_curve(progress.history, self.config.output / "learning_curve.png", by_step=progress.evaluations)

    def _valid_batches(self) -> Iterator[PackedBatch]:
        valid = self.corpus.valid
        batches: Batches = SentenceBatches(
            self.corpus, valid, tokens=self.config.valid_batch_tokens, shuffle=False, directions=self.directions
        )
        if self.updates.carries_state:
            rows = min(max(int(valid.n_tokens) // _STREAM_ROW, 1), 16)
            batches = stream_for_evaluation(self.corpus, valid, directions=self.directions, rows=rows)
        for batch in batches.read(0):
            if self.interruption.requested:
                raise KeyboardInterrupt
            yield batch


class _Window:
    """Losses, words and updates since the last log line."""

    def __init__(self, directions: int, device: torch.device) -> None:
        self._directions, self._device = directions, device
        self._clear()

    def restart(self) -> None:
        """Let the time count from now on; for what lies between two windows."""
        self._started = time.perf_counter()

    def _clear(self) -> None:
        self.losses = torch.zeros(self._directions, dtype=torch.float64, device=self._device)
        self.words = self.updates = 0
        self.restart()

    def add(self, losses: torch.Tensor, words: int) -> None:
        self.losses += losses
        self.words += words
        self.updates += 1

    def take(self) -> tuple[torch.Tensor, int, float]:
        """Summed losses (D,), words and seconds; starts anew. On a GPU the updates may still run."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        taken = self.losses, self.words, time.perf_counter() - self._started
        self._clear()
        return taken
