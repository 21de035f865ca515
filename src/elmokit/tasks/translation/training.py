"""A translation run from files to a finished folder: `train_translator(config)`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import EvalPrediction

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load_config
from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.pretrained import located
from elmokit.tasks.building import (
    build_head,
    read_vectors,
    start_scale,
    task_tokenizer,
    with_preparation,
    word_splitter,
)
from elmokit.tasks.head_training import (
    Stopwatch,
    begin,
    best_of,
    run_facts,
    run_folder,
    run_title,
    save_run,
    train_head,
)
from elmokit.tasks.inputs.batches import IGNORED, RowDataset
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.pictures import draw_history
from elmokit.tasks.run_folder import settings_of, versions
from elmokit.tasks.trainer import HeadTrainer, history
from elmokit.tasks.translation.card import translator_card
from elmokit.tasks.translation.config import TranslationConfig
from elmokit.tasks.translation.data import PairDataset, Pairs, TranslationData, load_pairs, read_pairs
from elmokit.tasks.translation.predict import Translator
from elmokit.tasks.translation.scores import bleu, bleu_scores
from elmokit.text.sentence_pieces import END, PIECES_FILE, SentencePieces
from elmokit.text.word_rows import WordRows
from elmokit.whole_files import write_text

log = logging.getLogger(__name__)

Datasets = dict[str, RowDataset]


def train_translator(config: TranslationConfig) -> dict[str, Any]:
    """Train, measure and save a translator; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer and target pieces, the resolved config with versions
    (`training.yaml`), the translations of the test sentences, pictures, TensorBoard events and a model card.
    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    watch = Stopwatch()
    start = located(config.model)
    saved = load_config(start)
    config = with_preparation(config).model_copy(update=_sizes_of(saved, config))
    with run_folder(config) as work:
        vectors = read_vectors(config)
        tokenizer = task_tokenizer(config, vectors)
        data = load_pairs(config, word_splitter(tokenizer), _pieces_of(work, start))
        earlier = settings_of(start).get("n_pieces", config.n_pieces) if (start / PIECES_FILE).is_file() else None
        if earlier is not None and "n_pieces" in config.model_fields_set and config.n_pieces != earlier:
            log.warning("n_pieces = %d is passed over: the pieces are those of %s", config.n_pieces, start)
        test = read_pairs(
            config.test_source, config.test_target, flags=("--test-source", "--test-target"),
            skip_empty=config.skip_empty,
        )  # fmt: skip
        counts = {name: len(rows) for name, (_, rows) in data.splits.items()} | {"test": len(test)}
        counted = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        log.info("pairs: %s; %d target pieces; seed %d", counted, len(data.pieces), config.seed)
        watch.lap("read")
        config = begin(config, work)
        data.pieces.save(work)
        sizes = {"n_target_pieces": len(data.pieces)}
        model, fresh = build_head(ElmoForTranslation, config, [], vectors, sizes=sizes)
        datasets = _datasets(model, tokenizer.word_rows, data, config)
        if fresh:
            start_scale(model, datasets["train"].__getitems__(range(min(256, len(datasets["train"])))))
        watch.lap("layers")
        scores = partial(_epoch_scores, pieces=data.pieces)
        trainer = train_head(
            model, datasets["train"], datasets["validation"], config, work, scores, trainer=TranslatorTrainer
        )
        watch.lap("train")
        translator = Translator(
            model, tokenizer, data.pieces, max_words=config.max_words, beam_size=config.beam_size,
            length_norm=config.length_norm, length_penalty=config.length_penalty, max_ratio=config.max_ratio,
        )  # fmt: skip
        metrics = _measure(translator, test, counts, config, trainer, work)
        metrics["left_out"] = data.left_out
        watch.lap("evaluate")
        metrics["seconds"] = watch.seconds()
        draw_history(work, metrics["history"], {"bleu": "BLEU, greedy"}, title=run_title(config))
        save_run(model, tokenizer, metrics, work, card=translator_card(metrics, config.model_dump(mode="json")))
    return metrics


class TranslatorTrainer(HeadTrainer):
    """Predicts the pieces (B, T) that greedy search writes, padded with -100, instead of scores."""

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """See `transformers.Trainer`."""
        inputs = self._prepare_inputs(inputs)
        labels = inputs.pop("labels")
        translator: Any = self.accelerator.unwrap_model(model)
        with torch.no_grad():
            loss = translator.loss(**inputs, labels=labels)
            best = [hypotheses[0].pieces for hypotheses in translator.translate(**inputs, beam=1)]
        found = labels.new_full((len(best), max(1, *map(len, best))), IGNORED)
        for row, pieces in zip(found, best, strict=True):
            row[: len(pieces)] = labels.new_tensor(pieces)
        return loss, found, labels


def _epoch_scores(prediction: EvalPrediction, *, pieces: SentencePieces) -> dict[str, float]:
    found, gold = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    texts = [
        [pieces.decode([n for n in row if n not in (IGNORED, END)]) for row in rows.tolist()] for rows in (gold, found)
    ]
    return {"bleu": bleu(*texts)}


def _pieces_of(*folders: Path) -> SentencePieces | None:
    """The target pieces of an unfinished run, or of the translator it goes on from."""
    found = next((folder for folder in folders if (folder / PIECES_FILE).is_file()), None)
    return None if found is None else SentencePieces.load(found)


def _sizes_of(saved: ElmoConfig, config: TranslationConfig) -> dict[str, int]:
    """The encoder's sizes of a translator to go on from, where the run does not set them: its head is the start."""
    if "ElmoForTranslation" not in (saved.architectures or []):
        return {}
    names = {"head_hidden_dim", "head_layers"} - config.model_fields_set
    return {name: getattr(saved, name) for name in names}


def _datasets(
    model: ElmoForTranslation, word_rows: WordRows, data: TranslationData, config: TranslationConfig
) -> Datasets:
    makers = {}
    for name, words in data.words.items():
        tokens = tokenize(words, max_words=config.max_words, word_rows=word_rows)
        makers[name] = dataset_maker(model, tokens, config)
    return {
        name: PairDataset(makers[source](rows=rows), data.targets[source])
        for name, (source, rows) in data.splits.items()
    }


def _measure(
    translator: Translator, test: Pairs, counts: dict[str, int], config: TranslationConfig, trainer: HeadTrainer,
    work: Path,
) -> dict[str, Any]:  # fmt: skip
    """Test scores of the best epoch's weights, and what is known of the run."""
    model = translator.model
    records = history(trainer.state.log_history)
    metrics = run_facts("translation", model, config, records)
    best = best_of(records, config.watched)
    metrics |= {
        "rows": counts,
        "target_pieces": len(translator.pieces),
        "validation": {"bleu_greedy": best["validation_bleu"], "loss": best["validation_loss"]},
    }
    translations = translator.translate(test.source)
    metrics["test"] = bleu_scores(test.target, translations)
    _write_lines(work / "test_translations.txt", translations)
    return {**metrics, "history": records, "versions": versions()}


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))
