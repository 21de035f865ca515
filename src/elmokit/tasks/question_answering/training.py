"""A question-answering run from files to a finished folder: `train_question_answerer(config)`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import EvalPrediction

from elmokit.errors import DataError
from elmokit.models.modeling_question_answering import IGNORED, ElmoForQuestionAnswering
from elmokit.tasks.building import build_head, read_vectors, start_scale, task_tokenizer, with_preparation
from elmokit.tasks.head_training import Stopwatch, begin, run_facts, run_folder, run_title, save_run, train_head
from elmokit.tasks.inputs.batches import LongestFirstSampler
from elmokit.tasks.pictures import draw_history
from elmokit.tasks.question_answering.answers import as_rows, best_answers, decode_all
from elmokit.tasks.question_answering.card import question_answerer_card
from elmokit.tasks.question_answering.config import QuestionAnsweringConfig
from elmokit.tasks.question_answering.data import (
    Preparation,
    PreparedQuestions,
    all_examples,
    answered_examples,
    load_splits,
    prepare,
)
from elmokit.tasks.question_answering.datasets import PairDataset, training_pairs
from elmokit.tasks.question_answering.scores import answer_scores, question_scores
from elmokit.tasks.question_answering.squad import Questions, gold_answers
from elmokit.tasks.run_folder import versions, write_json
from elmokit.tasks.trainer import HeadTrainer, history

log = logging.getLogger(__name__)

LABELS = ["start", "end"]
"""The two scores that a word gets."""
TRAIN_REPORT_QUESTIONS = 2000
"""Training questions on which the report's training scores are measured."""


def train_question_answerer(config: QuestionAnsweringConfig) -> dict[str, Any]:
    """Train, measure and save a question answerer; returns what `metrics.json` in `config.output` holds.

    The folder also gets the whole model with its tokenizer, the resolved config with versions (`training.yaml`), the
    answers to the test questions as SQuAD's script reads them, pictures, TensorBoard events and a model card.
    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    watch = Stopwatch()
    config = with_preparation(config)
    with run_folder(config) as work:
        splits = load_splits(config)
        log.info("questions: %s; seed %d", ", ".join(f"{len(s):,} {name}" for name, s in splits.items()), config.seed)
        watch.lap("read")
        config = begin(config, work)
        vectors = read_vectors(config)
        model, fresh = build_head(ElmoForQuestionAnswering, config, LABELS, vectors)
        tokenizer = task_tokenizer(config, vectors)
        preparation = Preparation.of(
            model.config, tokenizer, max_words=config.max_words, stride=config.stride,
            max_question_words=config.max_question_words,
        )  # fmt: skip
        prepared = {name: prepare(split, preparation) for name, split in splits.items()}
        datasets = _datasets(model, splits, prepared, config)
        if fresh:
            start_scale(model, datasets["train"].__getitems__(range(min(64, len(datasets["train"])))))
        watch.lap("layers")
        trainer = train_head(
            model, datasets["train"], datasets["validation"], config, work,
            _epoch_scores(splits["validation"], prepared["validation"], datasets["validation"]),
            trainer=partial(AnswerTrainer, max_answer_words=config.max_answer_words),
        )  # fmt: skip
        watch.lap("train")
        metrics = _measure(model, splits, prepared, datasets, config, trainer, work)
        watch.lap("evaluate")
        metrics["seconds"] = watch.seconds()
        draw_history(
            work, metrics["history"], {"f1": "F1 (%)", "exact_match": "exact match (%)"}, title=run_title(config)
        )
        save_run(model, tokenizer, metrics, work, card=question_answerer_card(metrics, config.model_dump(mode="json")))
    return metrics


class AnswerTrainer(HeadTrainer):
    """Predicts the best span of each passage (B, 4), see `as_rows`, instead of scores of words."""

    def __init__(self, *, max_answer_words: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_answer_words = max_answer_words
        self.args.per_device_eval_batch_size = self.args.per_device_train_batch_size  # attention grows with (B, P, P)

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """See `transformers.Trainer`."""
        inputs = self._prepare_inputs(inputs)
        answerer: Any = self.accelerator.unwrap_model(model)
        with torch.no_grad():
            output = answerer(**inputs)
            spans = answerer.spans(output, max_answer_words=self.max_answer_words)
        return output.loss, as_rows(spans), torch.stack([inputs["start_positions"], inputs["end_positions"]], dim=1)


def _epoch_scores(
    split: Questions, prepared: PreparedQuestions, data: PairDataset
) -> Callable[[EvalPrediction], dict[str, float]]:
    """Exact match and F1 on validation questions, whose windows come in the order of the trainer's sampler."""
    order = np.asarray(LongestFirstSampler(data.lengths).order)
    gold = gold_answers(split)

    def scores(prediction: EvalPrediction) -> dict[str, float]:
        found = np.empty((len(order), 4))
        found[order] = np.asarray(prediction.predictions)
        answers = best_answers(split, prepared, data.examples, found)
        exact, f1 = question_scores(gold, {name: answer.text for name, answer in answers.items()}).mean(axis=0)
        return {"f1": float(f1), "exact_match": float(exact)}

    return scores


def _datasets(
    model: ElmoForQuestionAnswering, splits: Mapping[str, Questions], prepared: Mapping[str, PreparedQuestions],
    config: QuestionAnsweringConfig,
) -> dict[str, PairDataset]:  # fmt: skip
    """Training reads the windows that hold the answer, the other splits read all."""
    examples = {name: answered_examples(split, prepared[name], name=name) for name, split in splits.items()}
    examples["train"] = examples["train"].only(examples["train"].starts != IGNORED)
    if not len(examples["train"]):
        raise DataError(f"no window of {config.max_words} words holds an answer as a whole: raise --max-words")
    return {name: training_pairs(model, prepared[name], own, config) for name, own in examples.items()}


def _measure(
    model: ElmoForQuestionAnswering, splits: Mapping[str, Questions], prepared: Mapping[str, PreparedQuestions],
    datasets: Mapping[str, PairDataset], config: QuestionAnsweringConfig, trainer: HeadTrainer, work: Path,
) -> dict[str, Any]:  # fmt: skip
    """Scores of the best epoch's weights on all three splits, and what is known of the run."""
    records = history(trainer.state.log_history)
    metrics = run_facts("question answering", model, config, records)
    metrics |= {
        "rows": {name: len(split) for name, split in splits.items()},
        "passages": {name: len(split.passages) for name, split in splits.items()},
    }
    for name, split in splits.items():
        kept = np.arange(len(split))
        if name == "train" and len(split) > TRAIN_REPORT_QUESTIONS:
            kept = np.random.default_rng([config.seed, 3]).permutation(kept)[:TRAIN_REPORT_QUESTIONS]
        examples = all_examples(split, prepared[name])
        examples = examples.only(np.isin(examples.questions, kept))
        found = decode_all(model, datasets[name].of(examples), max_answer_words=config.max_answer_words)
        answers = best_answers(split, prepared[name], examples, found)
        texts = {question: answer.text for question, answer in answers.items()}
        gold = gold_answers(split)
        metrics[name] = answer_scores({question: gold[question] for question in texts}, texts)
        if name == "test":
            write_json(work / "test_predictions.json", texts)
    return {**metrics, "history": records, "versions": versions()}
