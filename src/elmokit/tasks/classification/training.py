"""A classification run from files to a finished folder: `train_classifier(config)`."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EvalPrediction

from elmokit.models.loading import load
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.tasks.building import (
    build_head,
    read_vectors,
    start_scale,
    task_tokenizer,
    with_preparation,
    word_splitter,
)
from elmokit.tasks.classification.baseline import tfidf_svm
from elmokit.tasks.classification.card import classifier_card
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import ClassificationData, Source, load_data, seen_in_training
from elmokit.tasks.classification.evaluation import draw, logits_of, split_scores
from elmokit.tasks.head_training import Stopwatch, begin, run_facts, run_folder, run_title, save_run, train_head
from elmokit.tasks.inputs.batches import RowDataset
from elmokit.tasks.inputs.datasets import dataset_maker, stored_layers
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.metrics import accuracy_and_f1
from elmokit.tasks.run_folder import versions
from elmokit.tasks.trainer import HeadTrainer, history

log = logging.getLogger(__name__)

Datasets = dict[str, RowDataset]


def train_classifier(config: ClassifyConfig) -> dict[str, Any]:
    """Train, measure and save a classifier; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer, the resolved config with versions (`training.yaml`), the
    test predictions, pictures, TensorBoard events and a model card. It appears when all of it is there.
    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    watch = Stopwatch()
    config = with_preparation(config)
    with run_folder(config, free=["baseline"]) as work:
        data = load_data(config)
        _announce(data, config)
        watch.lap("read")
        config = begin(config, work)
        vectors = read_vectors(config)
        model, fresh = build_head(
            ElmoForSequenceClassification, config, data.labels, vectors, problem_type="single_label_classification"
        )
        tokenizer = task_tokenizer(config, vectors)
        datasets = _datasets(model, tokenizer, data, config)
        if fresh:
            factor = start_scale(model, datasets["train"].__getitems__(range(min(256, len(datasets["train"])))))
            log.info("word vectors are scaled by %.3g at the start", factor)
        watch.lap("layers")
        trainer = train_head(model, datasets["train"], datasets["validation"], config, work, epoch_scores)
        watch.lap("train")
        metrics = _measure(model, datasets, data, config, trainer, work)
        watch.lap("evaluate")
        if config.baseline:
            metrics["baseline"] = tfidf_svm(data, seed=config.seed).scores
            watch.lap("baseline")
        metrics["seconds"] = watch.seconds()
        draw(work, history=metrics["history"], scores=metrics, labels=data.labels, title=run_title(config))
        save_run(model, tokenizer, metrics, work, card=classifier_card(metrics, config.model_dump(mode="json")))
    return metrics


def _announce(data: ClassificationData, config: ClassifyConfig) -> None:
    rows = ", ".join(f"{len(part.rows):,} {name}" for name, part in data.splits.items())
    log.info("rows: %s; classes: %s; seed %d", rows, ", ".join(data.labels), config.seed)
    leaked = seen_in_training(data)
    if leaked:
        log.warning("%d of the test texts also stand in the training rows, word for word", leaked)


def compute_layers(config: ClassifyConfig) -> None:
    """Put the layers of all texts of `config` into its cache, where a run with a frozen biLM finds them."""
    config = with_preparation(config)
    model = load(ElmoModel, config.model)
    tokens = _tokens(task_tokenizer(config), load_data(config), config)
    for texts in tokens.values():
        stored_layers(model, texts, config)


def _datasets(
    model: ElmoForSequenceClassification, tokenizer: ElmoTokenizer, data: ClassificationData, config: ClassifyConfig
) -> Datasets:
    """The three splits."""
    tokens = _tokens(tokenizer, data, config)
    makers = {name: dataset_maker(model, texts, config) for name, texts in tokens.items()}
    return {name: makers[part.source](rows=part.rows, labels=data.classes(name)) for name, part in data.splits.items()}


def _tokens(tokenizer: ElmoTokenizer, data: ClassificationData, config: ClassifyConfig) -> dict[Source, TokenizedTexts]:
    split = word_splitter(tokenizer)
    return {
        name: tokenize(source.texts, max_words=config.max_words, word_rows=tokenizer.word_rows, split=split)
        for name, source in data.sources.items()
    }


def _measure(
    model: ElmoForSequenceClassification,
    datasets: Datasets,
    data: ClassificationData,
    config: ClassifyConfig,
    trainer: HeadTrainer,
    work: Path,
) -> dict[str, Any]:
    """Scores of the best epoch's weights on all three splits, and what is known of the run."""
    records = history(trainer.state.log_history)
    metrics = run_facts("classification", model, config, records)
    metrics |= {
        "labels": data.labels,
        "label_keys": data.keys,
        "rows": {name: len(part.rows) for name, part in data.splits.items()},
        "left_out": {name: source.counts.troubles() for name, source in data.sources.items()},
        "test_texts_seen_in_training": seen_in_training(data),
    }
    for name, dataset in datasets.items():
        gold = data.classes(name)
        if name == "train" and config.train_report_rows is not None and len(dataset) > config.train_report_rows:
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


def epoch_scores(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy and macro F1 of the validation rows."""
    logits = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    return accuracy_and_f1(np.asarray(prediction.label_ids), np.asarray(logits).argmax(axis=-1))


def _write_predictions(path: Path, logits: np.ndarray, data: ClassificationData) -> None:
    """Row number (from 1, of the rows kept), gold label, predicted label and its probability."""
    probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
    predicted = logits.argmax(axis=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "gold", "predicted", "probability"])
        for row, (gold, guess) in enumerate(zip(data.classes("test"), predicted, strict=True)):
            writer.writerow([row + 1, data.labels[gold], data.labels[guess], f"{probabilities[row, guess]:.4f}"])
