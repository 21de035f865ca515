"""Text pairs as a `Task`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from transformers.modeling_outputs import SequenceClassifierOutput

from elmokit.errors import DataError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.heads.text_pairs import TextPairsNetwork
from elmokit.report import plots
from elmokit.tasks.inputs.batches import Batch
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.metrics import correlation_by_chance, share_by_chance, target_scores
from elmokit.tasks.model_card import Card, label_table, rows_of, split_table, what_it_is
from elmokit.tasks.pairs import PairsConfig
from elmokit.tasks.pairs.predict import COLUMNS, PairDataset, Pairs, read_pairs, targets_of, tokens_of
from elmokit.tasks.report import RunMetrics, Scored, Scores, score_table
from elmokit.tasks.run import run_task, run_title
from elmokit.tasks.splits import Split, SplitData, scored_rows, split_up
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.tasks.trained import logits_of, word_splitter
from elmokit.text.normalize import normalize
from elmokit.whole_files import JsonObject

_CODE = """from elmokit.tasks.pairs import PairClassifier

classifier = PairClassifier.from_pretrained("THIS_FOLDER")
classifier.predict([("A dog runs.", "An animal moves.")])  # per pair: label, its probability, all probabilities"""


class ElmoForTextPairs(ElmoMixedModel):  # type: ignore[no-untyped-call]
    """A `TextPairsNetwork` as transformers sees it."""

    network: TextPairsNetwork

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.wrap(TextPairsNetwork(config))

    def forward(self, **inputs: Tensor) -> SequenceClassifierOutput:
        """See `TextPairsNetwork.forward`."""
        found = self.network(**inputs)
        return SequenceClassifierOutput(loss=found.loss, logits=found.logits)


@dataclass(frozen=True)
class PairsData(SplitData):
    """Pairs by the files they came from, the splits over them, and the labels; none where numbers are learned."""

    sources: dict[str, Pairs]
    targets: dict[str, NDArray[Any]]
    splits: dict[str, Split]
    labels: list[str]

    def gold(self, split: str) -> NDArray[Any]:
        """(N,) class numbers or values of a split."""
        part = self.splits[split]
        return self.targets[part.source][part.rows]


_Run = Run[PairsConfig, PairsData]


class TextPairs:
    """See `Task`."""

    name = "pairs"
    unit = "pairs"
    Model = ElmoForTextPairs
    curves: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "pearson": "Pearson's r"}
    evaluation_factor = 2

    def load(self, config: PairsConfig, work: Path) -> PairsData:
        """See `Task`. A text pair that stands in train several times is held out with all its rows."""
        columns = {name: getattr(config, name) for name in COLUMNS}
        sources = {
            name: read_pairs(getattr(config, name), flag=name, target=config.target, **columns)
            for name in ("train", "valid", "test")
            if getattr(config, name)
        }
        train = sources["train"]
        labels = sorted(set(train.labels)) if config.target == "label" else []
        if len(labels) == 1:
            raise DataError(
                f"all {len(train)} training pairs have the label {labels[0]!r}; two are needed (--label-column)"
            )
        if len(labels) > 50 and len(labels) > len(train) / 20:
            raise DataError(
                f"{len(labels)} different labels in {len(train)} training pairs, e.g. {labels[0][:40]!r}: "
                "numbers are learned with --target number, other labels are chosen with --label-column"
            )
        targets = {name: targets_of(pairs, labels, flag=name) for name, pairs in sources.items()}
        numbers: dict[tuple[str, str], int] = {}
        texts = [numbers.setdefault(pair, len(numbers)) for pair in zip(train.first, train.second, strict=True)]
        splits = split_up(
            {name: len(pairs) for name, pairs in sources.items()},
            config,
            units=np.array(texts),
            few=lambda _, __: "--train contains one pair; give --valid or more of them",
        )
        return PairsData(sources, targets, splits, labels)

    def shape(self, data: PairsData) -> HeadShape:
        if not data.labels:
            return HeadShape(["value"], problem_type="regression")
        return HeadShape(data.labels, problem_type="single_label_classification")

    def words(self, data: PairsData, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        split, steps = word_splitter(tokenizer), tokenizer.text_steps
        return (
            split(normalize(text, steps)) for pairs in data.sources.values() for text in (*pairs.first, *pairs.second)
        )

    def datasets(self, run: _Run) -> Datasets:
        """See `Task`. Every distinct text is stored once, however many pairs it is in."""
        config, data = run.config, run.data
        if not data.labels:
            known = data.gold("train")
            run.model.network.standardize(float(known.mean()), float(known.std()))
        whole = {}
        for name, pairs in data.sources.items():
            tokens, numbers = tokens_of(
                pairs.first, pairs.second, run.tokenizer, steps=config.clean or [], max_words=config.max_words
            )
            texts = dataset_maker(run.model, tokens, config)(rows=np.arange(len(tokens)))
            whole[name] = PairDataset(texts, numbers, data.targets[name])
        found = {name: whole[part.source].part(part.rows) for name, part in data.splits.items()}
        scored = scored_rows(len(found["train"]), config.train_report_rows)
        return Datasets(found["train"], found["validation"], {**found, "train": found["train"].part(scored)})

    def step(self, model: Any, inputs: Batch, config: PairsConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: logits or values (B, K), and class numbers or values (B,)."""
        output = model(**inputs)
        return output.loss, output.logits, inputs["labels"]

    def epoch_scores(self, run: _Run, found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """Accuracy, or Pearson's r."""
        scores = target_scores(run.config.target, gold, found, labels=run.data.labels)
        return {run.config.figure: Scores.from_json(scores).figure(run.config.figure)}

    def scores(self, run: _Run) -> Scored:
        """See `Task`; also draws the confusion matrices of labels.

        Of test pairs it writes row number (from 1, of the rows kept), gold and predicted label or number, id and texts.
        """
        data, outputs, scores = run.data, {}, {}
        for name, dataset in run.datasets.scored.items():
            outputs[name] = logits_of(run.model.network, dataset, batch_size=128)
            found = target_scores(run.config.target, dataset.labels, outputs[name], labels=data.labels)
            scores[name] = Scores.from_json(found)
        pairs = data.sources["test"]
        rows = zip(data.gold("test"), outputs["test"], pairs.ids, pairs.first, pairs.second, strict=True)
        with (run.work / "test_predictions.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "gold", "predicted", "id", "first", "second"])
            for row, (wanted, output, *given) in enumerate(rows, 1):
                named = [wanted, f"{output[0]:.4f}"]
                if data.labels:
                    named = [data.labels[wanted], data.labels[output.argmax()]]
                writer.writerow([row, *named, *given])
        if data.labels:
            matrices = {name: each.details["confusion"] for name, each in scores.items()}
            title = run_title(run.config)
            plots.confusion_matrices(run.work / "confusion.png", matrices, labels=data.labels, title=title)
        return Scored(scores, {"labels": data.labels, "target": run.config.target})

    def chance(self, metrics: RunMetrics) -> float:
        """The share of the most frequent label with two standard errors, or a small correlation."""
        test = metrics.scores["test"]
        if "confusion" not in test.details:
            return correlation_by_chance(test.counts["rows"])
        return share_by_chance([sum(row) for row in test.details["confusion"]])

    def summary(self, metrics: RunMetrics) -> str:
        return score_table(metrics.scores, _columns(metrics), unit="rows")

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        sections = {"Scores": split_table(metrics, {"rows": "pairs"}, _columns(metrics))}
        if metrics.facts["labels"]:
            figures = {"rows": "pairs", "precision": "precision", "recall": "recall", "f1": "F1"}
            sections["Per label (test)"] = label_table(metrics, figures)
        sections["Data"] = "\n".join(rows_of(metrics, settings, unit="pairs"))
        return Card(
            "text-classification",
            "Text pairs on ELMo",
            what_it_is(metrics, head="An enhanced sequential inference model (ESIM, Chen et al. 2017)"),
            sections,
            scored_by=["accuracy"] if metrics.facts["labels"] else ["pearsonr", "spearmanr"],
            code=_CODE,
            command='elmo predict THIS_FOLDER --first "A dog runs." --second "An animal moves."',
            limits="The scores hold for pairs like the test's. The order of the two texts matters.",
        )


TASK = TextPairs()


def train_pairs(config: PairsConfig) -> JsonObject:
    """Train, measure and save a model of text pairs; returns what `metrics.json` in `config.output` holds.

    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    return run_task(TASK, config).to_json()


def _columns(metrics: RunMetrics) -> dict[str, str]:
    if metrics.facts["labels"]:
        return {"accuracy": "accuracy", "macro.f1": "macro F1"}
    return {"pearson": "Pearson", "spearman": "Spearman", "mse": "MSE"}
