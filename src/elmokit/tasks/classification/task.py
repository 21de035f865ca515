"""Text classification as a `Task`."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import EvalPrediction

from elmokit.models.loading import load
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.report import plots
from elmokit.saved_model import SavedModel
from elmokit.tasks.building import task_tokenizer, with_preparation
from elmokit.tasks.classification.baseline import tfidf_svm
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import ClassificationData, Source, load_data, seen_in_training
from elmokit.tasks.classification.predict import Classifier, logits_of
from elmokit.tasks.inputs.datasets import dataset_maker, stored_layers
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.metrics import accuracy_and_f1, classification_scores
from elmokit.tasks.model_card import Card, rows_of, table, what_it_is
from elmokit.tasks.report import RunMetrics, Scores, score_table
from elmokit.tasks.row_scores import RowScores
from elmokit.tasks.run import run_task, run_title
from elmokit.tasks.splits import scored_rows
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.tasks.trained import word_splitter

log = logging.getLogger(__name__)

_CODE = """from elmokit.tasks.classification import Classifier

classifier = Classifier.from_pretrained("THIS_FOLDER")
classifier.predict(["Stocks rose on Friday."])  # per text: labels with probabilities, best first"""


class Classification:
    """See `Task`."""

    name = "classify"
    unit = "rows"
    Config = ClassifyConfig
    Model = ElmoForSequenceClassification
    Predictor = Classifier
    curves: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "macro_f1": "macro F1"}
    evaluation_factor = 4
    highest = 1.0

    def load(self, config: ClassifyConfig, work: Path) -> ClassificationData:
        """See `Task`."""
        data = load_data(config)
        leaked = seen_in_training(data)
        if leaked:
            log.warning("%d of the test texts also stand in the training rows, word for word", leaked)
        return data

    def shape(self, data: ClassificationData) -> HeadShape:
        """See `Task`."""
        return HeadShape(data.labels, problem_type="single_label_classification")

    def datasets(self, run: Run[ClassifyConfig, ClassificationData]) -> Datasets:
        """See `Task`."""
        tokens = tokens_of(run.tokenizer, run.data, run.config)
        makers = {name: dataset_maker(run.model, texts, run.config) for name, texts in tokens.items()}
        found = {
            name: makers[part.source](rows=part.rows, labels=run.data.classes(name))
            for name, part in run.data.splits.items()
        }
        scored = scored_rows(len(found["train"]), run.config.train_report_rows)
        return Datasets(found["train"], found["validation"], {**found, "train": found["train"].part(scored)})

    def step(self, model: Any, inputs: dict[str, Any], config: ClassifyConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: logits (B, classes) and class numbers (B,)."""
        output = model(**inputs)
        return output.loss, output.logits, inputs["labels"]

    def epoch_scores(
        self, run: Run[ClassifyConfig, ClassificationData]
    ) -> Callable[[EvalPrediction], dict[str, float]]:
        """Accuracy and macro F1."""
        return epoch_scores

    def scores(self, run: Run[ClassifyConfig, ClassificationData]) -> tuple[dict[str, Scores], dict[str, Any]]:
        """See `Task`; also draws the confusion matrices."""
        data, scores = run.data, {}
        for name, dataset in run.datasets.scored.items():
            gold = dataset.labels
            logits = logits_of(run.model, dataset)
            scores[name] = split_scores(logits, gold, labels=data.labels)
            if name == "test":
                _write_predictions(run.work / "test_predictions.csv", logits, data)
        matrices = {name: found.details["confusion"] for name, found in scores.items()}
        plots.confusion_matrices(
            run.work / "confusion.png", matrices, labels=data.labels, title=run_title(run.config)
        )  # fmt: skip
        facts = {
            "labels": data.labels,
            "label_keys": data.keys,
            "left_out": {name: source.counts.troubles() for name, source in data.sources.items()},
            "test_texts_seen_in_training": seen_in_training(data),
        }
        return scores, facts

    def baseline(self, run: Run[ClassifyConfig, ClassificationData]) -> dict[str, Any] | None:
        """TF-IDF and a linear SVM on the same rows, where the settings ask for it."""
        return tfidf_svm(run.data, seed=run.config.seed).scores if run.config.baseline else None

    def chance(self, metrics: RunMetrics) -> float:
        """The share of the most frequent class, and two standard errors of it."""
        confusion = np.array(metrics.scores["test"].details["confusion"])
        share, rows = confusion.sum(axis=1).max() / confusion.sum(), confusion.sum()
        return float(share + 2 * np.sqrt(share * (1 - share) / rows))

    def row_scores(self, config: ClassifyConfig, folder: Path) -> RowScores:
        """See `RowScored`."""
        with (folder / "test_predictions.csv").open(encoding="utf-8", newline="") as file:
            right = [row["gold"] == row["predicted"] for row in csv.DictReader(file)]
        return RowScores.of_right(np.array(right, dtype=np.bool_))

    def summary(self, metrics: RunMetrics) -> str:
        """See `Task`."""
        rows = dict(metrics.scores)
        if metrics.baseline is not None:
            rows["TF-IDF SVM"] = Scores.from_json(metrics.baseline["test"])
        return score_table(rows, {"accuracy": "accuracy", "macro.f1": "macro F1"}, unit="rows")

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        """See `Task`."""
        return Card(
            "text-classification", f"Text classifier on ELMo: {', '.join(metrics.facts['labels'][:8])}",
            what_it_is(metrics),
            {
                "Scores": _scores(metrics),
                "Per class (test)": table(
                    ["class", "rows", "precision", "recall", "F1"],
                    [[label, each["rows"], each["precision"], each["recall"], each["f1"]]
                     for label, each in metrics.scores["test"].details["per_class"].items()],
                ),
                "Data": _data(metrics, settings),
            },
            scored_by=["accuracy", "f1"], code=_CODE, command='elmo predict THIS_FOLDER "Stocks rose on Friday."',
            limits="The scores hold for texts like the test rows. Classes it was not trained on do not exist for it: "
            "any text gets one of its labels.",
        )  # fmt: skip


TASK = Classification()


def train_classifier(config: ClassifyConfig) -> dict[str, Any]:
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


def epoch_scores(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy and macro F1 of the validation rows."""
    return accuracy_and_f1(np.asarray(prediction.label_ids), np.asarray(prediction.predictions).argmax(axis=-1))


def split_scores(logits: NDArray[np.float32], gold: NDArray[np.int64], *, labels: list[str]) -> Scores:
    """`classification_scores` and the mean cross-entropy of logits (N, classes)."""
    loss = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(gold))
    found = classification_scores(gold, logits.argmax(axis=1).astype(np.int64), labels=labels)
    return Scores.from_json({"loss": float(loss), **found})


def _write_predictions(path: Path, logits: NDArray[np.float32], data: ClassificationData) -> None:
    """Row number (from 1, of the rows kept), gold label, predicted label and its probability."""
    probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
    predicted = logits.argmax(axis=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "gold", "predicted", "probability"])
        for row, (gold, guess) in enumerate(zip(data.classes("test"), predicted, strict=True)):
            writer.writerow([row + 1, data.labels[gold], data.labels[guess], f"{probabilities[row, guess]:.4f}"])


def _scores(metrics: RunMetrics) -> str:
    rows = [
        [name, found.counts["rows"], found.figures["accuracy"],
         *(found.figure(f"macro.{figure}") for figure in ("precision", "recall", "f1")), found.figures["loss"]]
        for name, found in metrics.scores.items()
    ]  # fmt: skip
    text = table(["split", "rows", "accuracy", "macro precision", "macro recall", "macro F1", "loss"], rows)
    if metrics.baseline is not None:
        accuracy = metrics.baseline["test"]["accuracy"]
        text += f"\n\nTF-IDF + linear SVM on {metrics.baseline['rows']:,} of these rows: test accuracy {accuracy:.4f}."
    return text


def _data(metrics: RunMetrics, settings: Mapping[str, Any]) -> str:
    lines = rows_of(metrics, settings, unit="rows")
    if metrics.scores["train"].counts["rows"] < metrics.rows["train"]:
        scored = metrics.scores["train"].counts["rows"]
        lines.append(f"- the scores of train are those of {scored:,} of its rows, drawn at random")
    for source, troubles in metrics.facts["left_out"].items():
        lines += [f"- {source} files: {count:,} {trouble}" for trouble, count in troubles.items()]
    if metrics.facts["test_texts_seen_in_training"]:
        lines.append(f"- {metrics.facts['test_texts_seen_in_training']:,} test texts also stand in the training rows")
    return "\n".join(lines)
