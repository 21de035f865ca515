"""Text classification as a `Task`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.models.loading import load
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.report import plots
from elmokit.saved_model import SavedModel
from elmokit.tasks.building import task_tokenizer, with_preparation
from elmokit.tasks.classification.baseline import tfidf_svm
from elmokit.tasks.classification.config import SCORES, ClassifyConfig
from elmokit.tasks.classification.data import ClassificationData, Source, load_data, seen_in_training
from elmokit.tasks.classification.predict import probabilities_of
from elmokit.tasks.classification.scores import COLUMNS, chance_of, row_scores_of, scores_of, write_predictions
from elmokit.tasks.classification.thresholds import chosen_thresholds
from elmokit.tasks.classification.weights import class_weights
from elmokit.tasks.config import Target
from elmokit.tasks.inputs.batches import Batch
from elmokit.tasks.inputs.datasets import dataset_maker, stored_layers
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.metrics import accuracy_and_f1, target_scores
from elmokit.tasks.model_card import Card, label_table, rows_of, split_table, what_it_is
from elmokit.tasks.report import Baseline, RunMetrics, Scored, Scores, score_table
from elmokit.tasks.row_scores import RowScores
from elmokit.tasks.run import run_task, run_title
from elmokit.tasks.splits import scored_rows
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.tasks.trained import logits_of, word_splitter
from elmokit.whole_files import JsonObject

log = logging.getLogger(__name__)

_CODE = """from elmokit.tasks.classification import Classifier

classifier = Classifier.from_pretrained("THIS_FOLDER")
classifier.predict(["Stocks rose on Friday."])  # per text: labels with probabilities, best first"""

PREDICTIONS = "test_predictions.csv"

_Run = Run[ClassifyConfig, ClassificationData]


class Classification:
    """See `Task`."""

    name = "classify"
    unit = "rows"
    Model = ElmoForSequenceClassification
    curves: ClassVar[Mapping[str, str]] = {
        "accuracy": "accuracy",
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "lrap": "label ranking",
        "pearson": "Pearson's r",
        "spearman": "Spearman's ρ",
    }
    evaluation_factor = 4
    highest = 1.0

    def load(self, config: ClassifyConfig, work: Path) -> ClassificationData:
        data = load_data(config)
        leaked = seen_in_training(data)
        if leaked:
            log.warning("%d test texts also occur verbatim in the training rows", leaked)
        return data

    def shape(self, data: ClassificationData) -> HeadShape:
        if not data.labels:
            return HeadShape(["value"], problem_type="regression")
        several = data.targets("train").ndim == 2
        return HeadShape(
            data.labels, problem_type="multi_label_classification" if several else "single_label_classification"
        )

    def words(self, data: ClassificationData, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        split = word_splitter(tokenizer)
        return (split(text) for source in data.sources.values() for text in source.texts)

    def datasets(self, run: _Run) -> Datasets:
        """See `Task`. The network learns what its loss needs to know of the training rows."""
        config, data, network = run.config, run.data, run.model.network
        weights = class_weights(config, data)
        if weights is not None:
            network.class_weights = torch.from_numpy(weights)
            log.info("%s", ", ".join(f"{label} weighs {w:.3g}" for label, w in zip(data.labels, weights, strict=True)))
        if config.target == "number":
            known = data.targets("train")
            network.standardize(float(known.mean()), float(known.std()))
        tokens = tokens_of(run.tokenizer, data, config)
        makers = {name: dataset_maker(run.model, texts, config) for name, texts in tokens.items()}
        found = {
            name: makers[part.source](rows=part.rows, labels=data.targets(name)) for name, part in data.splits.items()
        }
        scored = scored_rows(len(found["train"]), config.train_report_rows)
        return Datasets(found["train"], found["validation"], {**found, "train": found["train"].part(scored)})

    def step(self, model: Any, inputs: Batch, config: ClassifyConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: logits (B, K), or values (B, 1), and what is to be learned (B,) or (B, K)."""
        output = model(**inputs)
        return output.loss, output.logits, inputs["labels"]

    def epoch_scores(self, run: _Run, found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """Accuracy and macro F1, of several labels micro F1 and ranking, of numbers correlations.

        Thresholds are chosen anew after each epoch.
        """
        if run.config.target == "label":
            return accuracy_and_f1(gold, found.argmax(axis=-1))
        thresholds, values = None, probabilities_of(found.astype(np.float32), run.config.target)
        if run.config.target == "labels":
            thresholds = chosen_thresholds(gold, values, given=run.config.threshold)
        scores = target_scores(run.config.target, gold, values, labels=run.data.labels, thresholds=thresholds)
        whole = Scores.from_json(scores)
        return {name: whole.figures[name] for name in SCORES[run.config.target]}

    def scores(self, run: _Run) -> Scored:
        """See `Task`; chooses the thresholds of several labels, and draws the confusion matrices of one."""
        config, data, scores = run.config, run.data, {}
        logits = {name: logits_of(run.model, dataset) for name, dataset in run.datasets.scored.items()}
        thresholds = None
        if config.target == "labels":
            found = probabilities_of(logits["validation"], config.target)
            thresholds = chosen_thresholds(data.targets("validation"), found, given=config.threshold)
        for name, dataset in run.datasets.scored.items():
            scores[name] = scores_of(
                logits[name], dataset.labels, target=config.target, labels=data.labels, thresholds=thresholds
            )
        write_predictions(
            run.work / PREDICTIONS,
            probabilities_of(logits["test"], config.target),
            data.targets("test"),
            target=config.target,
            labels=data.labels,
            thresholds=thresholds,
            ids=data.ids("test"),
            texts=data.texts("test"),
        )
        if config.target == "label":
            matrices = {name: found.details["confusion"] for name, found in scores.items()}
            plots.confusion_matrices(run.work / "confusion.png", matrices, labels=data.labels, title=run_title(config))
        facts = {
            "labels": data.labels,
            "label_keys": data.keys,
            "left_out": {name: source.counts.troubles() for name, source in data.sources.items()},
            "test_texts_seen_in_training": seen_in_training(data),
        }
        return Scored(scores, facts if thresholds is None else {**facts, "thresholds": thresholds.tolist()})

    def baseline(self, run: _Run) -> Baseline | None:
        """TF-IDF and a linear model on the same rows, where the settings ask for it."""
        config = run.config
        return tfidf_svm(run.data, target=config.target, seed=config.seed).scores if config.baseline else None

    def chance(self, metrics: RunMetrics) -> float:
        """See `chance_of`."""
        return chance_of(metrics.scores["test"], target_of(metrics))

    def row_scores(self, config: ClassifyConfig, folder: Path) -> RowScores:
        """See `RowScored`."""
        return row_scores_of(folder / PREDICTIONS, config.target)

    def summary(self, metrics: RunMetrics) -> str:
        rows = dict(metrics.scores)
        if metrics.baseline is not None:
            name = "TF-IDF ridge" if target_of(metrics) == "number" else "TF-IDF SVM"
            rows[name] = Scores.from_json(metrics.baseline["test"])
        return score_table(rows, COLUMNS[target_of(metrics)], unit="rows")

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        target = target_of(metrics)
        figures = dict(COLUMNS[target])
        if target == "label":
            figures = {"accuracy": "accuracy", "macro.precision": "macro precision", "macro.recall": "macro recall"}
            figures |= {"macro.f1": "macro F1", "loss": "loss"}
        sections = {"Scores": split_table(metrics, {"rows": "rows"}, figures)}
        if metrics.baseline is not None:
            score, method = metrics.baseline["test"][metrics.figure], metrics.baseline["method"].partition(") + ")[2]
            sections["Scores"] += (
                f"\n\nTF-IDF + {method} on {metrics.baseline['rows']:,} of these rows: test "
                f"{COLUMNS[target][metrics.figure]} {score:.4f}."
            )
        if target != "number":
            columns = {"rows": "rows", "precision": "precision", "recall": "recall", "f1": "F1"}
            if target == "labels":
                columns["threshold"] = "threshold"
            sections["Per class (test)"] = label_table(metrics, columns, heading="class")
        sections["Data"] = _data(metrics, settings)
        limits = {
            "label": "Every text gets one of the trained labels, even if none fits.",
            "labels": "A text gets every label whose probability reaches its threshold, possibly none.",
            "number": "Its predictions stay near the range of the training values.",
        }
        title = (
            f"classifier on ELMo: {', '.join(metrics.facts['labels'][:8])}" if target != "number" else "scorer on ELMo"
        )
        return Card(
            "text-classification",
            f"Text {title}",
            what_it_is(metrics),
            sections,
            scored_by={"label": ["accuracy", "f1"], "labels": ["f1"], "number": ["pearsonr", "spearmanr"]}[target],
            code=_CODE,
            command='elmo predict THIS_FOLDER "Stocks rose on Friday."',
            limits=f"The scores hold for texts like the test rows. {limits[target]}",
        )


TASK = Classification()


def train_classifier(config: ClassifyConfig) -> JsonObject:
    """Train, measure and save a classifier; returns what `metrics.json` in `config.output` holds.

    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    return run_task(TASK, config).to_json()


def compute_layers(config: ClassifyConfig) -> None:
    """Put the layers of all texts of `config` into its cache, where a run with a frozen biLM finds them."""
    start = SavedModel.open(config.model)
    config = with_preparation(config, start)
    model = load(ElmoModel, start)
    for texts in tokens_of(task_tokenizer(config), load_data(config), config).values():
        stored_layers(model, texts, config)


def tokens_of(
    tokenizer: ElmoTokenizer, data: ClassificationData, config: ClassifyConfig
) -> dict[Source, TokenizedTexts]:
    """The texts of every source in numbers."""
    split = word_splitter(tokenizer)
    return {
        name: tokenize(source.texts, max_words=config.max_words, word_rows=tokenizer.word_rows, split=split)
        for name, source in data.sources.items()
    }


def target_of(metrics: RunMetrics) -> Target:
    """What a run learned."""
    return next(target for target, scores in SCORES.items() if scores[0] == metrics.figure)


def _data(metrics: RunMetrics, settings: Mapping[str, Any]) -> str:
    lines = rows_of(metrics, settings, unit="rows")
    scored = metrics.scores["train"].counts["rows"]
    if scored < metrics.rows["train"]:
        lines.append(f"- the scores of train are those of {scored:,} of its rows, drawn at random")
    for source, troubles in metrics.facts["left_out"].items():
        lines += [f"- {source} files: {count:,} {trouble}" for trouble, count in troubles.items()]
    if metrics.facts["test_texts_seen_in_training"]:
        lines.append(
            f"- {metrics.facts['test_texts_seen_in_training']:,} test texts also occur verbatim in the training rows"
        )
    return "\n".join(lines)
