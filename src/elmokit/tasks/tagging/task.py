"""Tagging of names, chunks and single words as a `Task`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.tasks.inputs.batches import IGNORED, Batch, RowDataset
from elmokit.tasks.inputs.contexts import Contexts
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.metrics import share_by_chance
from elmokit.tasks.model_card import Card, label_table, rows_of, split_table, what_it_is
from elmokit.tasks.report import RunMetrics, Scored, Scores, score_table
from elmokit.tasks.row_scores import RowScores
from elmokit.tasks.run import run_task
from elmokit.tasks.splits import scored_rows
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.conll_files import write_scored
from elmokit.tasks.tagging.data import TaggedSentences, TaggingData, load_tagged
from elmokit.tasks.tagging.pieces import Pieces
from elmokit.tasks.tagging.predict import tag_all
from elmokit.tasks.tagging.schemes import allowed_steps, converted
from elmokit.tasks.tagging.scores import f1_of_counts, scores_of, span_counts
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.text.normalize import normalize_words
from elmokit.whole_files import JsonObject

log = logging.getLogger(__name__)

_CODE = """from elmokit.tasks.tagging import Tagger

tagger = Tagger.from_pretrained("THIS_FOLDER")
tagger.predict(["Ada Lovelace lived in London."])  # per text: spans with label, text and character offsets"""
_FIGURES_OF_SPANS = {"precision": "precision", "recall": "recall", "f1": "F1"}
_FIGURES_OF_TAGS = {"accuracy": "accuracy", "macro_f1": "macro F1"}
PREDICTIONS = "test_predictions.conll"

_Run = Run[TagConfig, TaggingData]


class Tagging:
    """See `Task`."""

    name = "tag"
    unit = "sentences"
    Model = ElmoForTokenClassification
    curves: ClassVar[Mapping[str, str]] = {"f1": "F1 of spans", "accuracy": "tags right", "macro_f1": "macro F1"}
    evaluation_factor = 4
    highest = 1.0

    def load(self, config: TagConfig, work: Path) -> TaggingData:
        return load_tagged(config)

    def shape(self, data: TaggingData) -> HeadShape:
        return HeadShape(data.tags)

    def words(self, data: TaggingData, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        steps = tokenizer.text_steps
        return (normalize_words(words, steps) for source in data.sources.values() for words in source.words)

    def datasets(self, run: _Run) -> Datasets:
        """See `Task`. Where the biLM learns and reads documents, rows are runs of sentences: fewer make a batch."""
        config, data, model = run.config, run.data, run.model
        if not config.plain:
            model.allow(*allowed_steps(data.tags))
        texts = texts_of(run)
        makers, classes = {}, {}
        for name, own in texts.items():
            cut = sum(len(words) > config.max_words for words in data.sources[name].words)
            if cut:
                log.warning(
                    "%s: %d sentences are longer than %d words and are read in pieces", name, cut, config.max_words
                )
            words = [normalize_words(part, config.clean or []) for part in own.pieces.parts]
            tokens = tokenize(words, max_words=config.max_words, word_rows=run.tokenizer.word_rows)
            makers[name] = dataset_maker(model, tokens, config, own.contexts)
            tags = Pieces.cut(data.sources[name].tags, max_words=config.max_words).parts
            if not config.plain:
                tags = [converted(part, config.scheme) for part in tags]  # a span that is cut is two
            classes[name] = data.classes(tags)

        def of(split: str, rows: NDArray[np.int64]) -> RowDataset:
            source = data.splits[split].source
            return makers[source](rows=texts[source].rows(rows), word_labels=classes[source])

        found = {name: of(name, part.rows) for name, part in data.splits.items()}
        return Datasets(
            found["train"],
            found["validation"],
            {**found, "train": of("train", _scored(run))},
            batch_size=texts["train"].batch_size(run.schedule.batch_size),
        )

    def step(self, model: Any, inputs: Batch, config: TagConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: the best sequence of tags (B, W), padded with -100. Unseen tags count as tag 0 in the loss."""
        labels = inputs.pop("labels")
        loss = model(**inputs, labels=labels.where(labels < model.config.num_labels, 0)).loss
        return loss, padded_tags(model.decode(**inputs), labels.shape[1]).to(labels.device), labels

    def epoch_scores(self, run: _Run, found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """Of spans precision, recall and F1, of plain tags macro F1; of both the share of right tags."""
        tags = [*run.data.tags, *run.data.unseen]
        names = [[[tags[number] for number in row if number != IGNORED] for row in rows] for rows in (gold, found)]
        whole = Scores.from_json(scores_of(*names, plain=run.config.plain))
        figures = _FIGURES_OF_TAGS if run.config.plain else _FIGURES_OF_SPANS
        return {name: whole.figures[name] for name in (*figures, "accuracy")}

    def scores(self, run: _Run) -> Scored:
        """See `Task`: of whole sentences, also of those that are read in pieces."""
        data, texts, scores = run.data, texts_of(run), {}
        for name, dataset in run.datasets.scored.items():
            part = data.splits[name]
            rows = _scored(run) if name == "train" else part.rows
            numbers = tag_all(run.model, dataset)
            tags = [[data.tags[number] for number in sentence] for sentence in numbers]
            predicted = texts[part.source].joined(tags, rows)
            gold = [data.sources[part.source].tags[row] for row in rows]
            scores[name] = Scores.from_json(scores_of(gold, predicted, plain=run.config.plain))
            if name == "test":
                write_scored(run.work / PREDICTIONS, data.words("test"), gold, predicted, plain=run.config.plain)
        return Scored(scores, {"labels": data.labels})

    def chance(self, metrics: RunMetrics) -> float:
        """A guess finds next to no spans; of plain tags it finds the most frequent one."""
        test = metrics.scores["test"]
        if metrics.figure == "f1":
            return 0.05
        return share_by_chance([each["words"] for each in test.details["per_label"].values()])

    def row_scores(self, config: TagConfig, folder: Path) -> RowScores:
        """See `RowScored`: F1 of spans, or the share of right tags, sentence by sentence."""
        text = (folder / PREDICTIONS).read_text(encoding="utf-8")
        sentences = [[line.split(" ")[1:] for line in block.split("\n")] for block in text.strip("\n").split("\n\n")]
        if config.plain:
            right = [[sum(gold == found for gold, found in tags), len(tags)] for tags in sentences]
            return RowScores(np.array(right, dtype=np.float64))
        counts = [span_counts(*zip(*tags, strict=True)) for tags in sentences]
        return RowScores(np.array(counts, dtype=np.float64), f1_of_counts)

    def summary(self, metrics: RunMetrics) -> str:
        return score_table(metrics.scores, _figures(metrics), unit="sentences")

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        figures = _figures(metrics)
        plain = metrics.figure == "accuracy"
        unit = "words" if plain else "spans"
        scores = split_table(metrics, {"sentences": "sentences", "words": "words"}, figures)
        labels = label_table(metrics, {unit: unit, **_FIGURES_OF_SPANS})
        tags = "one for each word" if plain else settings["scheme"]
        what = f"{what_it_is(metrics)} A CRF chooses the tags of a sentence together ({tags})."
        if settings.get("context_words"):
            what += (
                f" The language model reads a document in runs of sentences, about {settings['context_words']} words "
                "each."
            )
        meaning = "Of words: the share of right tags." if plain else "Of spans: borders and label right."
        return Card(
            "token-classification",
            f"Tagger on ELMo: {', '.join(metrics.facts['labels'][:8])}",
            what,
            {
                "Scores": f"{meaning}\n\n{scores}",
                "Per label (test)": labels,
                "Data": "\n".join(rows_of(metrics, settings, unit="sentences")),
            },
            scored_by=["accuracy"] if plain else ["f1", "precision", "recall"],
            code=_CODE,
            command='elmo predict THIS_FOLDER "Ada Lovelace lived in London."',
            limits="The scores hold for texts like the test sentences.",
        )


TASK = Tagging()


def train_tagger(config: TagConfig) -> JsonObject:
    """Train, measure and save a tagger; returns what `metrics.json` in `config.output` holds.

    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    return run_task(TASK, config).to_json()


def _scored(run: _Run) -> NDArray[np.int64]:
    """The training sentences that the report scores. With documents these are read whole, and all are scored."""
    rows = run.data.splits["train"].rows
    if run.config.context_words:
        return rows
    return rows[scored_rows(len(rows), run.config.train_report_rows)]


def padded_tags(sequences: Sequence[Sequence[int]], width: int) -> Tensor:
    """Tag numbers of sentences as (B, W), -100 behind each."""
    rows = torch.full((len(sequences), width), IGNORED, dtype=torch.long)
    for row, tags in zip(rows, sequences, strict=True):
        row[: len(tags)] = torch.tensor(tags, dtype=torch.long)
    return rows


@dataclass(frozen=True)
class TaggerTexts:
    """The sentences of a source as they are read: in pieces, and these, where documents are read, in runs.

    The rows of a data set are pieces; where the biLM learns (`by_run`) they are runs.
    """

    pieces: Pieces
    contexts: Contexts
    by_run: bool

    @classmethod
    def of(cls, sentences: TaggedSentences, config: TagConfig, *, read: bool) -> TaggerTexts:
        """`read`: there is a biLM to read runs. Scores are those of whole sentences."""
        pieces = Pieces.cut(sentences.words, max_words=config.max_words)
        contexts = pieces.contexts(sentences.documents, words=config.context_words if read else None)
        return cls(pieces, contexts, by_run=config.finetune)

    def rows(self, sentences: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a data set that hold some sentences."""
        pieces = self.pieces.of(sentences)
        return self.contexts.of(pieces) if self.by_run else pieces

    def joined(self, found: Sequence[Sequence[str]], sentences: NDArray[np.int64]) -> list[list[str]]:
        """Whole sentences again, from tags of the words of `rows(sentences)`."""
        if self.by_run:
            found = self.contexts.cut(found, self.rows(sentences))
        return self.pieces.joined(found, sentences)

    def batch_size(self, sentences: int) -> int:
        """How many rows hold about so many sentences."""
        if not self.by_run:
            return sentences
        runs, pieces = len(self.contexts.borders) - 1, len(self.pieces.parts)
        return max(1, round(sentences * runs / pieces))


def texts_of(run: _Run) -> dict[str, TaggerTexts]:
    """The sentences of every source as they are read."""
    read = run.model.config.n_layers > 0
    return {name: TaggerTexts.of(sentences, run.config, read=read) for name, sentences in run.data.sources.items()}


def _figures(metrics: RunMetrics) -> dict[str, str]:
    """The scores that are shown, with their headings."""
    return _FIGURES_OF_TAGS if metrics.figure == "accuracy" else _FIGURES_OF_SPANS
