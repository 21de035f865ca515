"""A tagging run from files to a finished folder: `train_tagger(config)`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import EvalPrediction

from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.tasks.building import build_head, read_vectors, start_scale, task_tokenizer, with_preparation
from elmokit.tasks.head_training import Stopwatch, begin, run_facts, run_folder, run_title, save_run, train_head
from elmokit.tasks.inputs.batches import IGNORED, RowDataset
from elmokit.tasks.inputs.contexts import Contexts
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.pictures import draw_history
from elmokit.tasks.run_folder import versions
from elmokit.tasks.tagging.card import tagger_card
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.data import TaggedSentences, TaggingData, load_tagged
from elmokit.tasks.tagging.pieces import Pieces
from elmokit.tasks.tagging.schemes import allowed_steps, converted
from elmokit.tasks.tagging.scores import span_scores
from elmokit.tasks.trainer import HeadTrainer, history
from elmokit.text.normalize import normalize_words
from elmokit.text.word_rows import WordRows
from elmokit.whole_files import write_text

log = logging.getLogger(__name__)

Datasets = dict[str, RowDataset]


def train_tagger(config: TagConfig) -> dict[str, Any]:
    """Train, measure and save a tagger; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer, the resolved config with versions (`training.yaml`), the
    test sentences with gold and predicted tags, pictures, TensorBoard events and a model card.
    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    watch = Stopwatch()
    config = with_preparation(config)
    with run_folder(config) as work:
        data = load_tagged(config)
        counts = ", ".join(f"{len(rows):,} {name}" for name, (_, rows) in data.splits.items())
        log.info("sentences: %s; %d tags; seed %d", counts, len(data.tags), config.seed)
        watch.lap("read")
        config = begin(config, work)
        vectors = read_vectors(config)
        model, fresh = build_head(ElmoForTokenClassification, config, data.tags, vectors)
        model.allow(*allowed_steps(data.tags))
        tokenizer = task_tokenizer(config, vectors, spelled=model.config.char_features > 0)
        texts = {
            name: _Texts.of(sentences, config, flag=name, read=model.config.n_layers > 0)
            for name, sentences in data.sources.items()
        }
        datasets = _datasets(model, tokenizer.word_rows, data, texts, config)
        if fresh:
            start_scale(model, datasets["train"].__getitems__(range(min(256, len(datasets["train"])))))
        watch.lap("layers")
        scores = partial(_epoch_scores, tags=data.tags)
        trainer = train_head(
            model, datasets["train"], datasets["validation"], _by_rows(config, texts["train"]), work, scores,
            trainer=TaggerTrainer,
        )  # fmt: skip
        watch.lap("train")
        metrics = _measure(model, datasets, data, texts, config, trainer, work)
        watch.lap("evaluate")
        metrics["seconds"] = watch.seconds()
        draw_history(work, metrics["history"], {"f1": "F1 of spans", "accuracy": "tags right"}, title=run_title(config))
        save_run(model, tokenizer, metrics, work, card=tagger_card(metrics, config.model_dump(mode="json")))
    return metrics


class TaggerTrainer(HeadTrainer):
    """Predicts the best sequence of tags (B, W), padded with -100, instead of scores."""

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """See `transformers.Trainer`."""
        inputs = self._prepare_inputs(inputs)
        labels = inputs.pop("labels")
        tagger: Any = self.accelerator.unwrap_model(model)
        with torch.no_grad():
            loss = tagger(**inputs, labels=labels).loss
            found = padded_tags(tagger.decode(**inputs), labels.shape[1])
        return loss, found.to(labels.device), labels


def padded_tags(sequences: Sequence[Sequence[int]], width: int) -> Tensor:
    """Tag numbers of sentences as (B, W), -100 behind each."""
    rows = torch.full((len(sequences), width), IGNORED, dtype=torch.long)
    for row, tags in zip(rows, sequences, strict=True):
        row[: len(tags)] = torch.tensor(tags, dtype=torch.long)
    return rows


def _epoch_scores(prediction: EvalPrediction, *, tags: Sequence[str]) -> dict[str, float]:
    found, gold = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    names = [[[tags[number] for number in row if number != IGNORED] for row in rows] for rows in (gold, found)]
    scores = span_scores(*names)
    return {name: scores[name] for name in ("f1", "precision", "recall", "accuracy")}


@dataclass(frozen=True)
class _Texts:
    """The sentences of a source as they are read: in pieces, and these, where documents are read, in runs.

    The rows of a data set are pieces; where the biLM learns (`by_run`) they are runs.
    """

    pieces: Pieces
    contexts: Contexts
    by_run: bool

    @classmethod
    def of(cls, sentences: TaggedSentences, config: TagConfig, *, flag: str, read: bool) -> _Texts:
        """`read`: there is a biLM to read runs. Scores are those of whole sentences."""
        cut = sum(len(words) > config.max_words for words in sentences.words)
        if cut:
            log.warning("%s: %d sentences are longer than %d words and are read in pieces", flag, cut, config.max_words)
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


def _by_rows(config: TagConfig, texts: _Texts) -> TagConfig:
    """The settings with as many rows a batch as hold about `batch_size` sentences."""
    if not texts.by_run:
        return config
    runs, pieces = len(texts.contexts.borders) - 1, len(texts.pieces.parts)
    return config.model_copy(update={"batch_size": max(1, round(config.batch_size * runs / pieces))})


def _datasets(
    model: ElmoForTokenClassification, word_rows: WordRows, data: TaggingData, texts: dict[str, _Texts],
    config: TagConfig,
) -> Datasets:  # fmt: skip
    makers, classes = {}, {}
    for name, own in texts.items():
        words = [normalize_words(part, config.clean or []) for part in own.pieces.parts]
        tokens = tokenize(words, max_words=config.max_words, word_rows=word_rows)
        makers[name] = dataset_maker(model, tokens, config, own.contexts)
        tags = Pieces.cut(data.sources[name].tags, max_words=config.max_words).parts
        classes[name] = data.classes([converted(part, config.scheme) for part in tags])  # a span that is cut is two
    return {
        name: makers[source](rows=texts[source].rows(rows), word_labels=classes[source])
        for name, (source, rows) in data.splits.items()
    }


@torch.no_grad()
def tag_all(model: ElmoForTokenClassification, data: RowDataset, *, batch_size: int = 128) -> list[list[int]]:
    """The best tag numbers of every row, in the order of `data`, computed by falling length."""
    model.train(False)
    order: NDArray[np.int64] = np.argsort(-data.lengths, kind="stable")
    found: list[list[int]] = [[] for _ in order]
    for start in range(0, len(order), batch_size):
        picked = order[start : start + batch_size]
        batch = data.__getitems__(picked.tolist())
        batch.pop("labels", None)
        sequences = model.decode(**{name: tensor.to(model.device) for name, tensor in batch.items()})
        for row, tags in zip(picked, sequences, strict=True):
            found[row] = tags
    return found


def _measure(
    model: ElmoForTokenClassification, datasets: Datasets, data: TaggingData, texts: dict[str, _Texts],
    config: TagConfig, trainer: HeadTrainer, work: Path,
) -> dict[str, Any]:  # fmt: skip
    """Scores of the best epoch's weights on all three splits, and what is known of the run."""
    records = history(trainer.state.log_history)
    metrics = run_facts("tagging", model, config, records)
    metrics |= {
        "labels": sorted({tag.partition("-")[2] for tag in data.tags if tag != "O"}),
        "rows": {name: len(rows) for name, (_, rows) in data.splits.items()},
    }
    for name, dataset in datasets.items():
        source, rows = data.splits[name]
        tags = [[data.tags[number] for number in numbers] for numbers in tag_all(model, dataset)]
        predicted = texts[source].joined(tags, rows)
        metrics[name] = span_scores(data.gold(name), predicted)
        if name == "test":
            _write_predictions(work / "test_predictions.conll", data, predicted)
    return {**metrics, "history": records, "versions": versions()}


def _write_predictions(path: Path, data: TaggingData, predicted: Sequence[Sequence[str]]) -> None:
    """`word gold predicted` a line, a blank line between sentences: what `conlleval` reads.

    It parts columns at single blanks and knows BIO and IOB1 alone: tags are BIO, and blanks inside a word become `_`.
    """
    blocks = []
    for words, gold, found in zip(data.words("test"), data.gold("test"), predicted, strict=True):
        columns = (["_".join(word.split()) for word in words], converted(gold, "BIO"), converted(found, "BIO"))
        blocks.append("".join(f"{' '.join(row)}\n" for row in zip(*columns, strict=True)))
    write_text(path, "\n".join(blocks))
