"""Scores of one label, of several labels and of numbers, and the files they are read from again."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from elmokit.tasks.classification.predict import probabilities_of
from elmokit.tasks.config import Target
from elmokit.tasks.metrics import (
    correlation_by_chance,
    f1_of_counts,
    pearson_of_sums,
    pearson_sums,
    share_by_chance,
    target_scores,
)
from elmokit.tasks.report import Scores
from elmokit.tasks.row_scores import RowScores

COLUMNS: dict[Target, dict[str, str]] = {
    "label": {"accuracy": "accuracy", "macro.f1": "macro F1"},
    "labels": {"micro_f1": "micro F1", "macro_f1": "macro F1", "lrap": "LRAP", "exact_match": "all right"},
    "number": {"pearson": "Pearson", "spearman": "Spearman", "mse": "MSE"},
}
"""The figures that are shown, with their headings."""


def scores_of(
    logits: NDArray[np.float32],
    gold: NDArray[Any],
    *,
    target: Target,
    labels: Sequence[str] = (),
    thresholds: NDArray[np.float64] | None = None,
) -> Scores:
    """The scores of logits (N, K), or of numbers (N, 1), with the mean loss of labels.

    Args:
        logits: As of the model.
        gold: As of `ClassificationData.targets`.
        target: What is learned.
        labels: Their names.
        thresholds: (K,) of several labels.
    """
    values = logits if target == "label" else probabilities_of(logits, target)
    found = target_scores(target, gold, values, labels=labels, thresholds=thresholds)
    outputs, wanted = torch.from_numpy(logits), torch.from_numpy(gold)
    if target == "label":
        return Scores.from_json({"loss": float(functional.cross_entropy(outputs, wanted)), **found})
    if target == "labels":
        loss = functional.binary_cross_entropy_with_logits(outputs, wanted.float())
        return Scores.from_json({"loss": float(loss), **found})
    return Scores.from_json(found)


def chance_of(test: Scores, target: Target) -> float:
    """The main score up to which a result is no better than a guess.

    Of several labels it is the micro F1 of giving each text the most frequent one.
    """
    rows = test.counts["rows"]
    if target == "number":
        return correlation_by_chance(rows)
    often: list[int] = [each["rows"] for each in test.details["per_class"].values()]
    return float(2 * max(often) / (rows + sum(often))) if target == "labels" else share_by_chance(often)


def write_predictions(
    path: Path,
    found: NDArray[Any],
    gold: NDArray[Any],
    *,
    target: Target,
    labels: Sequence[str],
    thresholds: NDArray[np.float64] | None,
    ids: Sequence[str],
    texts: Sequence[str],
) -> None:
    """Row number (from 1, of the rows kept), gold and predicted: a label with its probability, labels, or a number.

    Behind them the id of the row and its text, after clean-up.

    Args:
        path: Of the file.
        found: (N, K) the probability of each label, or (N,) class numbers, for which no probability is written; of
            several labels (N, K), those from their thresholds on are given; of numbers (N,) or (N, 1).
        gold: As `target_scores` takes it.
        target, labels, thresholds: What is learned.
        ids, texts: Of the rows.
    """
    scored = target == "label" and found.ndim == 2
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "gold", "predicted", *(["probability"] if scored else []), "id", "text"])
        for row, (wanted, each, *given) in enumerate(zip(gold, found, ids, texts, strict=True), 1):
            if target == "number":
                writer.writerow([row, f"{wanted:.7g}", f"{np.ravel(each)[0]:.7g}", *given])
            elif target == "label":
                best = int(each.argmax()) if scored else int(each)
                probability = [f"{each[best]:.4f}"] if scored else []
                writer.writerow([row, labels[wanted], labels[best], *probability, *given])
            else:
                both = [np.flatnonzero(wanted), np.flatnonzero(each >= thresholds)]
                shown = (json.dumps([labels[int(n)] for n in numbers], ensure_ascii=False) for numbers in both)
                writer.writerow([row, *shown, *given])


def row_scores_of(path: Path, target: Target) -> RowScores:
    """What each row of `write_predictions` contributes to the main score."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["gold"], row["predicted"]) for row in csv.DictReader(file)]
    if target == "label":
        return RowScores.of_right(np.array([gold == found for gold, found in rows], dtype=np.bool_))
    if target == "number":
        values = np.array(rows, dtype=np.float64)
        return RowScores(pearson_sums(values[:, 0], values[:, 1]), pearson_of_sums)
    sets = [(set(json.loads(gold)), set(json.loads(found))) for gold, found in rows]
    counts = [(len(gold & found), len(found), len(gold)) for gold, found in sets]
    return RowScores(np.array(counts, dtype=np.float64), f1_of_counts)
