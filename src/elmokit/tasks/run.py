"""A run of any task, from files to a finished folder: `run_task(task, config)`."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import set_seed

from elmokit.models.quiet import quiet_transformers
from elmokit.run_folder import files_of, read_yaml, refuse_other_run, run_in, sums_of, versions, write_json, write_yaml
from elmokit.saved_model import SavedModel
from elmokit.tasks.building import build_head, start_scale, task_tokenizer, with_head_of_start, with_preparation
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.model_card import card_text
from elmokit.tasks.notes import notes_on
from elmokit.tasks.pictures import draw_history
from elmokit.tasks.plan import schedule_for, with_head_of_few, with_schedule
from elmokit.tasks.precision import decided_precision
from elmokit.tasks.report import EpochRecord, RunMetrics, Scores, Stopwatch, best_of
from elmokit.tasks.static_vectors import read_vectors
from elmokit.tasks.task import HasBaseline, Run, Task
from elmokit.tasks.trainer import CHECKPOINTS, train_head
from elmokit.whole_files import JsonObject, write_text

log = logging.getLogger(__name__)

SETTINGS_FILE = "training.yaml"
_SCALE_ROWS = 64  # times the rows that a pass without gradients holds for one of training
_Config = TypeVar("_Config", bound=HeadConfig)


def run_task(task: Task[Any, Any], config: HeadConfig, start: SavedModel | None = None) -> RunMetrics:
    """Train, measure and save what a task makes; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer, the resolved settings with versions (`training.yaml`), the
    test predictions, pictures, TensorBoard events and a model card. It appears when all of it is there.

    Args:
        task: An entry of the table of tasks.
        config: The settings.
        start: The folder of `config.model`, where it is open already.

    Raises:
        DataError, ModelError, ConfigError: What the user can mend.
    """
    watch = Stopwatch()
    start = start or SavedModel.open(config.model)
    config = with_head_of_start(with_preparation(config, start), task.Model, start)
    with run_in(config.output, progress=CHECKPOINTS, overwrite=config.overwrite, resume=config.resume) as work:
        data = task.load(config, work)
        counts = ", ".join(f"{count:,} {name}" for name, count in data.counts.items())
        log.info("%s: %s; seed %d", task.unit, counts, config.seed)
        watch.lap("read")
        schedule = schedule_for(config, data.counts["train"])
        config = with_head_of_few(with_schedule(config, schedule), data.counts["train"])
        log.info(
            "at most %d epochs in batches of %d, learning rate %g",
            schedule.epochs,
            schedule.batch_size,
            schedule.learning_rate,
        )
        config = begin(config, work, task=task.name)
        vectors = coverage = None
        if config.vectors is not None:
            words = task.words(data, task_tokenizer(config))
            vectors, coverage = read_vectors(config, config.vectors, start, words)
        shape = task.shape(data)
        model, fresh = build_head(
            task.Model, config, start, list(shape.labels), vectors, problem_type=shape.problem_type, sizes=shape.sizes
        )
        tokenizer = task_tokenizer(config, vectors, spelled=model.config.char_features > 0)
        run = Run(config, schedule, work, data, model, tokenizer)
        run.datasets = task.datasets(run)
        if fresh:
            rows = range(min(_SCALE_ROWS * task.evaluation_factor, len(run.datasets.train)))
            factor = start_scale(model, run.datasets.train.__getitems__(rows))
            log.info("word vectors are scaled by %.3g at the start", factor)
        watch.lap("layers")
        records = train_head(
            model,
            run.datasets,
            config,
            work,
            schedule=schedule,
            step=partial(task.step, config=config),
            scores=partial(task.epoch_scores, run),
            evaluation_factor=task.evaluation_factor,
        )
        watch.lap("train")
        scores, facts = task.scores(run)
        watch.lap("evaluate")
        if coverage is not None:
            facts |= {"vector_coverage": coverage.as_dict()}
        metrics = _metrics(task, run, records, scores, facts)
        metrics.baseline = task.baseline(run) if isinstance(task, HasBaseline) else None
        if metrics.baseline is not None:
            watch.lap("baseline")
        chance = task.chance(metrics)
        metrics.notes = notes_on(metrics, schedule, figure=config.figure, chance=chance, finetuned=config.finetune)
        metrics.seconds = watch.seconds()
        draw_history(work, records, task.curves, title=run_title(config))
        with quiet_transformers():
            model.save_pretrained(work)
        tokenizer.save_pretrained(work)
        write_json(work / "metrics.json", metrics.to_json())
        settings = config.model_dump(mode="json")
        write_text(work / "README.md", card_text(task.report_sections(metrics, settings), metrics, settings))
    return metrics


def begin(config: _Config, work: Path, *, task: str = "") -> _Config:
    """Write `training.yaml`, set threads and seed; an unfinished run in `work` must have been the same.

    The file has every setting, the task, versions, the checksums of the files that are read, and `trained_in`, the
    type of the products.

    Returns:
        The settings with that type for `precision: auto`. It is measured once: a resumed run stays with it.

    Raises:
        ConfigError: The unfinished run had other settings or other data.
    """
    file = work / SETTINGS_FILE
    before = read_yaml(file) if file.is_file() else {}
    files_read = sums_of(files_of(config))
    refuse_other_run(before, config, files_read, where=work)
    if config.threads:
        torch.set_num_threads(config.threads)
    set_seed(config.seed)
    precision = before.get("trained_in") or decided_precision(config)
    recorded = {"task": task, "trained_in": precision, "versions": versions(), "files_read": files_read}
    write_yaml(file, {**config.model_dump(mode="json"), **recorded})
    return config.model_copy(update={"precision": precision})


def run_title(config: HeadConfig) -> str:
    """What tells a run from others, over its pictures."""
    return f"{config.combine} mix, biLM {'fine-tuned' if config.finetune else 'frozen'}, seed {config.seed}"


def _metrics(
    task: Task[Any, Any], run: Run[Any, Any], records: list[EpochRecord], scores: dict[str, Scores], facts: JsonObject
) -> RunMetrics:
    config, model = run.config, run.model
    mixed = model.mix.weights()
    return RunMetrics(
        task=task.name,
        model=config.model,
        combine=config.combine,
        finetune=config.finetune,
        vectors=None if config.vectors is None else str(config.vectors),
        seed=config.seed,
        figure=config.figure,
        precision=config.precision,
        parameters={
            "total": sum(parameter.numel() for parameter in model.parameters()),
            "trained": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        },
        epochs=len(records),
        best_epoch=best_of(records, config.watched).epoch,
        texts_per_second=float(np.median([record.texts_per_second or 0.0 for record in records])),
        rows=dict(run.data.counts),
        scores=scores,
        history=records,
        versions=versions(),
        lambdas=None if mixed is None else [float(value) for value in mixed[0]],
        gamma=None if mixed is None else float(mixed[1]),
        facts=facts,
    )
