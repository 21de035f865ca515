"""Scores of tags: of spans by seqeval, where borders and label must be right, or of plain tags word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np

from elmokit.tasks.metrics import Average, classification_scores, f1_of_counts
from elmokit.tasks.tagging.schemes import converted

__all__ = ["f1_of_counts", "scores_of", "span_counts", "span_scores", "tag_scores"]


class OfLabel(Average):
    """Of one label: also how many gold spans or, of a plain tag, words have it."""

    spans: NotRequired[int]
    words: NotRequired[int]


class SpanScores(TypedDict):
    """See `span_scores`."""

    sentences: int
    words: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    spans: int
    per_label: dict[str, OfLabel]


class TagScores(TypedDict):
    """See `tag_scores`."""

    sentences: int
    words: int
    accuracy: float
    macro_f1: float
    per_label: dict[str, OfLabel]


def scores_of(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], *, plain: bool
) -> SpanScores | TagScores:
    """`tag_scores` of plain tags, else `span_scores`."""
    return tag_scores(gold, predicted) if plain else span_scores(gold, predicted)


def span_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SpanScores:
    """Strict precision, recall and F1 over all spans (micro) and per label, and the share of right tags.

    Args:
        gold, predicted: The tags of each sentence, of any scheme; both are compared as BIO. What is predicted against
            its scheme is read as `conlleval` reads it.

    Returns:
        `precision`, `recall`, `f1`, `accuracy` (of words), `sentences`, `words`, `spans` and `per_label`.
    """
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    real = [converted(tags, "BIO") for tags in gold]
    guesses = [converted(tags, "BIO") for tags in predicted]
    words = sum(map(len, real))
    right = sum(a == b for one, other in zip(real, guesses, strict=True) for a, b in zip(one, other, strict=True))
    report: Mapping[str, Mapping[str, float]] = {
        "micro avg": {"precision": 0, "recall": 0, "f1-score": 0, "support": 0}
    }
    if any(tag != "O" for tags in (*real, *guesses) for tag in tags):  # seqeval wants at least one span
        report = classification_report(real, guesses, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    total = report["micro avg"]
    labels = {name: each for name, each in report.items() if not name.endswith(" avg")}
    return {
        "sentences": len(real),
        "words": words,
        "accuracy": right / max(words, 1),
        "precision": float(total["precision"]),
        "recall": float(total["recall"]),
        "f1": float(total["f1-score"]),
        "spans": int(total["support"]),
        "per_label": {
            name: {
                "precision": float(each["precision"]),
                "recall": float(each["recall"]),
                "f1": float(each["f1-score"]),
                "spans": int(each["support"]),
            }
            for name, each in labels.items()
        },
    }


def tag_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> TagScores:
    """The share of words with the right tag, macro F1 over the tags of `gold`, and the scores of each of these.

    Args:
        gold, predicted: The tags of each sentence.

    Returns:
        `accuracy`, `macro_f1`, `sentences`, `words` and `per_label`.
    """
    real = [tag for tags in gold for tag in tags]
    guesses = [tag for tags in predicted for tag in tags]
    labels = sorted(set(real))
    numbers = {label: number for number, label in enumerate(labels)}
    whole = classification_scores(
        np.array([numbers[tag] for tag in real], dtype=np.int64),
        np.array([numbers.get(tag, len(labels)) for tag in guesses], dtype=np.int64),
        labels=labels,
    )
    return {
        "sentences": len(gold),
        "words": len(real),
        "accuracy": whole["accuracy"],
        "macro_f1": whole["macro"]["f1"],
        "per_label": {
            label: {"words": each["rows"], "precision": each["precision"], "recall": each["recall"], "f1": each["f1"]}
            for label, each in whole["per_class"].items()
        },
    }


def span_counts(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int, int]:
    """Right, predicted and gold spans of a sentence, from its BIO tags."""
    from seqeval.metrics.sequence_labeling import get_entities

    wanted, found = set(get_entities(list(gold))), set(get_entities(list(predicted)))
    return len(wanted & found), len(found), len(wanted)
