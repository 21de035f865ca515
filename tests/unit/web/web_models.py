"""What the models and corpora of these tests hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from elmokit.static.vectors import WordVectors

WORDS = ["the", "bank", "of", "river", "was", "wet", "and", "cell"]
CORPUS = [
    "The bank of the river was wet .", "A bank lends money .", "The Bank closed at noon .", "No such word here .",
    "They robbed a bank .", "The cell divided .",
]  # fmt: skip
HOST = "http://127.0.0.1"


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
