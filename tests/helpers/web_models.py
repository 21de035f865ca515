"""What the models and corpora of these tests hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from elmokit.models import (
    ElmoConfig,
    ElmoForPreTraining,
    ElmoForQuestionAnswering,
    ElmoForSequenceClassification,
    ElmoTokenizer,
)
from elmokit.static.vectors import WordVectors
from elmokit.tasks.pairs.task import ElmoForTextPairs
from elmokit.text.vocab import Vocabulary

WORDS = ["the", "bank", "of", "river", "was", "wet", "and", "cell"]
CORPUS = [
    "The bank of the river was wet .", "A bank lends money .", "The Bank closed at noon .", "No such word here .",
    "They robbed a bank .", "The cell divided .",
]  # fmt: skip
HOST = "http://127.0.0.1"


def save_bilm(path: Path) -> Path:
    """A folder as of `elmo pretrain`."""
    torch.manual_seed(3)
    vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 9))
    model = ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=len(vocabulary)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform
    model.save_pretrained(path)
    vocabulary.save(path / "vocab.txt")
    ElmoTokenizer().save_pretrained(path)
    return path


def save_classifier(path: Path) -> Path:
    """A folder as of `elmo train classify`."""
    torch.manual_seed(5)
    labels = {0: "money", 1: "water", 2: "<b>odd</b>"}
    config = ElmoConfig.preset("tiny", num_labels=3, head_hidden_dim=8, id2label=labels)
    model = ElmoForSequenceClassification(config)
    with torch.no_grad():
        model.mix.w.copy_(torch.linspace(-1, 1, len(model.mix.w)))
        for parameter in model.parameters():
            parameter.mul_(2)
    model.save_pretrained(path)
    ElmoTokenizer().save_pretrained(path)
    return path


def save_pair_classifier(path: Path) -> Path:
    """A folder as of `elmo train pairs`."""
    torch.manual_seed(5)
    config = ElmoConfig.preset("tiny", num_labels=2, head_hidden_dim=6, id2label={0: "same", 1: "other"})
    ElmoForTextPairs(config).save_pretrained(path)
    ElmoTokenizer().save_pretrained(path)
    return path


def save_question_answerer(path: Path) -> Path:
    """A folder as of `elmo train qa`."""
    torch.manual_seed(5)
    ElmoForQuestionAnswering(ElmoConfig.preset("tiny", head_hidden_dim=6)).save_pretrained(path)
    ElmoTokenizer().save_pretrained(path)
    return path


def static_vectors() -> WordVectors:
    return WordVectors(WORDS, np.random.default_rng(1).normal(size=(len(WORDS), 5)).astype(np.float32))


def value(mean: float) -> dict[str, Any]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "seeds": [mean]}


def study() -> dict[str, Any]:
    """A study with one method."""
    row = {
        "name": "<i>ELMo</i>", "kind": "model", "note": "<script>alert(1)</script>",
        "metrics": {"test": {"accuracy": value(0.9)}}, "confusion": {"test": [[4, 1], [0, 5]]},
        "history": [{"epoch": 1, "validation_accuracy": 0.8}], "lambdas": [value(1)],
    }  # fmt: skip
    return {"title": "A <b>study</b>", "labels": ["a", "b"], "rows": [row], "unknown": 1}
