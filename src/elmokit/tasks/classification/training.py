"""A classification run from files to a finished folder: `train_classifier(config)`."""

from __future__ import annotations

import csv
import logging
import math
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed
from transformers.integrations.integration_utils import TensorBoardCallback

from elmokit.cache import cache_folder
from elmokit.errors import ConfigError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load, load_config
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrained import located
from elmokit.tasks.classification.baseline import tfidf_svm
from elmokit.tasks.classification.batches import CharDataset, LayerDataset, RowDataset
from elmokit.tasks.classification.building import (
    build_classifier,
    load_tokenizer,
    read_vectors,
    start_scale,
    text_steps,
    word_splitter,
)
from elmokit.tasks.classification.config import HOUSEKEEPING, ClassifyConfig
from elmokit.tasks.classification.data import ClassificationData, Source, load_data, seen_in_training
from elmokit.tasks.classification.evaluation import draw, logits_of, split_scores
from elmokit.tasks.classification.features import LayerStore, layer_store
from elmokit.tasks.classification.tokens import TokenizedTexts, tokenize
from elmokit.tasks.classification.trainer import ClassifierTrainer, history, optimizer_for, training_arguments
from elmokit.tasks.model_card import classifier_card
from elmokit.tasks.run_folder import RunFolder, read_yaml, versions, write_json, write_yaml
from elmokit.whole_files import write_text

log = logging.getLogger(__name__)

Datasets = dict[str, RowDataset]


def train_classifier(config: ClassifyConfig) -> dict[str, Any]:
    """Train, measure and save a classifier; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer, the resolved config with versions (`training.yaml`), the
    test predictions, pictures, TensorBoard events and a model card. It appears when all of it is there.
    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    watch = Stopwatch()
    load_config(config.model)
    if not config.clean:  # text is prepared as the text of the pretraining was
        config = config.model_copy(update={"clean": load_config(config.model).text_steps or []})
    if config.clean is None:
        config = config.model_copy(update={"clean": text_steps(located(config.model))})
    folder = RunFolder(config.output)
    resumed = folder.open(overwrite=config.overwrite, resume=config.resume)
    settings = _settings(config)
    try:
        if resumed:
            _check_same_run(folder.work, settings)
        data = load_data(config)
        _announce(data, config)
        watch.lap("read")
        write_yaml(folder.work / "training.yaml", settings)
        if config.threads:
            torch.set_num_threads(config.threads)
        set_seed(config.seed)
        vectors = read_vectors(config)
        model, fresh = build_classifier(config, data.labels, vectors)
        tokenizer = load_tokenizer(located(config.model), vectors)
        datasets = _datasets(model, tokenizer, data, config)
        if fresh:
            factor = start_scale(model, datasets["train"].__getitems__(range(min(256, len(datasets["train"])))))
            log.info("word vectors are scaled by %.3g at the start", factor)
        watch.lap("layers")
        trainer = _train(model, datasets, config, folder.work)
        watch.lap("train")
        metrics = _measure(model, datasets, data, config, trainer, folder.work)
        watch.lap("evaluate")
        if config.baseline:
            metrics["baseline"] = tfidf_svm(data, seed=config.seed).scores
            watch.lap("baseline")
        metrics["seconds"] = watch.seconds()
        _write(model, tokenizer, data, config, metrics, folder.work)
    finally:
        folder.discard_if_without(_checkpoints(folder.work))
    shutil.rmtree(_checkpoints(folder.work))
    folder.finish()
    return metrics


def _settings(config: ClassifyConfig) -> dict[str, Any]:
    return {**config.model_dump(mode="json"), "versions": versions()}


def _check_same_run(work: Path, settings: dict[str, Any]) -> None:
    if not (work / "training.yaml").is_file():
        return
    before = read_yaml(work / "training.yaml")
    for key, value in settings.items():
        if key not in HOUSEKEEPING | {"versions"} and before.get(key) != value:
            raise ConfigError(
                f"the unfinished run in {work} has {key} = {before.get(key)!r}, this one {value!r}: "
                "give the same settings, or --overwrite to start afresh"
            )


def _announce(data: ClassificationData, config: ClassifyConfig) -> None:
    rows = ", ".join(f"{len(part.rows):,} {name}" for name, part in data.splits.items())
    log.info("rows: %s; classes: %s; seed %d", rows, ", ".join(data.labels), config.seed)
    leaked = seen_in_training(data)
    if leaked:
        log.warning("%d of the test texts also stand in the training rows, word for word", leaked)


def compute_layers(config: ClassifyConfig) -> None:
    """Put the layers of all texts of `config` into its cache, where a run with a frozen biLM finds them."""
    model = load(ElmoModel, config.model)
    tokens = _tokens(model.config, load_tokenizer(located(config.model)), load_data(config), config)
    _stores(model, tokens, config)


def _datasets(
    model: ElmoForSequenceClassification, tokenizer: ElmoTokenizer, data: ClassificationData, config: ClassifyConfig
) -> Datasets:
    """The three splits, as stored layers (frozen biLM) or as the model reads them.

    So that static vectors, which are quicker looked up than read from disk, are not stored.
    """
    model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))  # type: ignore[arg-type]
    tokens = _tokens(model.config, tokenizer, data, config)
    parts = data.splits.items()
    if config.finetune or model.config.n_layers == 0:
        return {name: CharDataset(tokens[part.source], data.classes(name), rows=part.rows) for name, part in parts}
    stores = _stores(model.elmo, tokens, config)
    static = {}
    if model.static is not None:
        static = {name: words.rows[words.ids, -1].astype(np.int64) for name, words in tokens.items()}
    return {
        name: LayerDataset(stores[part.source], data.classes(name), rows=part.rows, static_ids=static.get(part.source))
        for name, part in parts
    }


def _tokens(
    shape: ElmoConfig, tokenizer: ElmoTokenizer, data: ClassificationData, config: ClassifyConfig
) -> dict[Source, TokenizedTexts]:
    split = word_splitter(shape, tokenizer)
    return {
        name: tokenize(source.texts, max_words=config.max_words, word_rows=tokenizer.word_rows, split=split)
        for name, source in data.sources.items()
    }


def _stores(model: ElmoModel, tokens: dict[Source, TokenizedTexts], config: ClassifyConfig) -> dict[Source, LayerStore]:
    cache, width = config.cache or cache_folder("layers"), model.config.row_width
    return {
        name: layer_store(model, replace(words, rows=words.rows[:, :width]), cache=cache, progress=config.progress)
        for name, words in tokens.items()
    }


def _checkpoints(work: Path) -> Path:
    return work / "checkpoints"


def _train(
    model: ElmoForSequenceClassification, datasets: Datasets, config: ClassifyConfig, work: Path
) -> ClassifierTrainer:
    from torch.utils.tensorboard import SummaryWriter

    steps = math.ceil(len(datasets["train"]) / config.batch_size) * config.epochs
    trainer = ClassifierTrainer(
        model=model,
        args=training_arguments(config, folder=str(_checkpoints(work)), steps=steps),
        train_dataset=datasets["train"],
        eval_dataset=datasets["validation"],
        optimizers=(optimizer_for(model, config), None),
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=config.patience),
            TensorBoardCallback(SummaryWriter(work / "tensorboard")),  # type: ignore[no-untyped-call]
        ],
        show=config.progress,
    )
    trainer.remove_callback(PrinterCallback)
    with quiet_transformers():
        trainer.train(resume_from_checkpoint=last_checkpoint(_checkpoints(work)))
    return trainer


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint (a kill while saving leaves one without its state file)."""
    found = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    found.sort(key=lambda path: int(path.name.rpartition("-")[2]))
    return str(found[-1]) if found else None


def _measure(
    model: ElmoForSequenceClassification,
    datasets: Datasets,
    data: ClassificationData,
    config: ClassifyConfig,
    trainer: ClassifierTrainer,
    work: Path,
) -> dict[str, Any]:
    """Scores of the best epoch's weights on all three splits, and what is known of the run."""
    records = history(trainer.state.log_history)
    best = max(records, key=lambda record: _goodness(record, config.best_by))
    metrics: dict[str, Any] = {
        "task": "classification",
        "model": config.model,
        "combine": config.combine,
        "finetune": config.finetune,
        "vectors": None if config.vectors is None else str(config.vectors),
        "seed": config.seed,
        "labels": data.labels,
        "rows": {name: len(part.rows) for name, part in data.splits.items()},
        "left_out": {name: source.counts.troubles() for name, source in data.sources.items()},
        "test_texts_seen_in_training": seen_in_training(data),
        "parameters": {
            "total": sum(parameter.numel() for parameter in model.parameters()),
            "trained": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        },
        "epochs": len(records),
        "best_epoch": best["epoch"],
        "texts_per_second": float(np.median([record["texts_per_second"] for record in records])),
    }
    mixed = model.mix.weights()
    if mixed is not None:
        metrics |= {"lambdas": [float(value) for value in mixed[0]], "gamma": float(mixed[1])}
    for name, dataset in datasets.items():
        gold = data.classes(name)
        if name == "train" and len(dataset) > config.train_report_rows:
            part = report_part(len(dataset), config.train_report_rows)
            dataset, gold = dataset.part(part), gold[part]
        logits = logits_of(model, dataset)
        metrics[name] = split_scores(logits, gold, labels=data.labels)
        if name == "test":
            _write_predictions(work / "test_predictions.csv", logits, data)
    return {**metrics, "history": records, "versions": versions()}


def report_part(rows: int, wanted: int) -> NDArray[np.int64]:
    """`wanted` numbers below `rows`, the same ones for every seed, in rising order."""
    return np.sort(np.random.default_rng(0).permutation(rows)[:wanted])


def _goodness(record: dict[str, Any], best_by: str) -> float:
    score = float(record[f"validation_{best_by}"])
    return -score if best_by == "loss" else score


def _write_predictions(path: Path, logits: np.ndarray, data: ClassificationData) -> None:
    """Row number (from 1, of the rows kept), gold label, predicted label and its probability."""
    probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
    predicted = logits.argmax(axis=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "gold", "predicted", "probability"])
        for row, (gold, guess) in enumerate(zip(data.classes("test"), predicted, strict=True)):
            writer.writerow([row + 1, data.labels[gold], data.labels[guess], f"{probabilities[row, guess]:.4f}"])


def _write(
    model: ElmoForSequenceClassification,
    tokenizer: ElmoTokenizer,
    data: ClassificationData,
    config: ClassifyConfig,
    metrics: dict[str, Any],
    work: Path,
) -> None:
    with quiet_transformers():
        model.save_pretrained(work)
    tokenizer.save_pretrained(work)
    write_json(work / "metrics.json", metrics)
    mode = f"{config.combine} mix, biLM {'fine-tuned' if config.finetune else 'frozen'}, seed {config.seed}"
    draw(work, history=metrics["history"], scores=metrics, labels=data.labels, title=mode)
    write_text(work / "README.md", classifier_card(metrics, config.model_dump(mode="json")))


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
