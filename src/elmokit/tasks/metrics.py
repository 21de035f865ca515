"""Classification scores by scikit-learn, in plain dictionaries that go to JSON as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from elmokit.tasks.config import Target


class Average(TypedDict):
    """Precision, recall and F1 from 0, of one label or an average over them."""

    precision: float
    recall: float
    f1: float


class LabelScores(Average):
    """Of one label: also the rows that have it, and from which probability it is given."""

    rows: int
    threshold: NotRequired[float]


class ClassificationScores(TypedDict):
    """See `classification_scores`."""

    accuracy: float
    rows: int
    micro: Average
    macro: Average
    weighted: Average
    per_class: dict[str, LabelScores]
    confusion: list[list[int]]


class SeveralLabelScores(TypedDict):
    """See `several_label_scores`."""

    exact_match: float
    lrap: float
    rows: int
    micro: Average
    micro_f1: float
    macro: Average
    macro_f1: float
    per_class: dict[str, LabelScores]


class NumberScores(TypedDict):
    """See `number_scores`."""

    rows: int
    pearson: float
    spearman: float
    mse: float


def target_scores(
    target: Target,
    gold: NDArray[Any],
    found: NDArray[Any],
    *,
    labels: Sequence[str] = (),
    thresholds: NDArray[Any] | None = None,
) -> ClassificationScores | SeveralLabelScores | NumberScores:
    """The scores of what is learned.

    Args:
        target: What that is.
        gold: (N,) class numbers, (N, K) 1 where a row has one of several labels, or (N,) numbers.
        found: (N, K) a value for each label: one label is that of the highest, several are those from their thresholds
            on. Also (N,) class numbers. Of numbers (N,) or (N, 1).
        labels: The names of the labels.
        thresholds: (K,) of several labels.
    """
    if target == "number":
        return number_scores(gold, found.reshape(len(gold)))
    if target == "labels":
        assert thresholds is not None
        return several_label_scores(gold, found, thresholds=thresholds, labels=labels)
    classes = found if found.ndim == 1 else found.argmax(axis=1)
    return classification_scores(gold, classes.astype(np.int64), labels=labels)


def classification_scores(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], *, labels: Sequence[str]
) -> ClassificationScores:
    """Accuracy, precision, recall and F1 (micro, macro, weighted and per class) and the confusion matrix.

    `gold` and `predicted` are class indices (N,); `labels` names every class, also those that do not occur.
    A class that is never predicted counts with precision 0 (scikit-learn's `zero_division=0`).
    Rows of `confusion` are the gold classes, columns the predicted ones.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    classes = list(range(len(labels)))
    each = precision_recall_fscore_support(gold, predicted, labels=classes, average=None, zero_division=0)
    return {
        "accuracy": float(np.mean(gold == predicted)),
        "rows": len(gold),
        "micro": average(gold, predicted, "micro", classes=classes),
        "macro": average(gold, predicted, "macro", classes=classes),
        "weighted": average(gold, predicted, "weighted", classes=classes),
        "per_class": label_scores(labels, *each),
        "confusion": confusion_matrix(gold, predicted, labels=classes).tolist(),
    }


def label_scores(labels: Sequence[str], *each: Iterable[float]) -> dict[str, LabelScores]:
    """Precision, recall, F1 and rows (K,) by label."""
    return {
        label: {"precision": float(precision), "recall": float(recall), "f1": float(f1), "rows": int(rows)}
        for label, precision, recall, f1, rows in zip(labels, *each, strict=True)
    }


def average(
    gold: NDArray[np.int64],
    predicted: NDArray[np.int64],
    kind: Literal["micro", "macro", "weighted"],
    *,
    classes: Sequence[int] | None = None,
) -> Average:
    """Precision, recall and F1 over `classes`, by default those that occur; see `classification_scores`."""
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(
        gold, predicted, labels=classes, average=kind, zero_division=0
    )
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1)}


def several_label_scores(
    gold: NDArray[Any], probabilities: NDArray[Any], *, thresholds: NDArray[Any], labels: Sequence[str]
) -> SeveralLabelScores:
    """Scores where a text may have several labels: F1 (micro, macro and of each label), and label ranking.

    Args:
        gold: (N, K) 1 where a row has a label.
        probabilities: (N, K).
        thresholds: (K,) from which a label is given.
        labels: Their names.

    Returns:
        `micro_f1`, `macro_f1`, `exact_match` (rows with all labels right), `lrap` (label ranking average precision over
        rows that have a label), `rows`, `micro`, `macro` and `per_class` as in `classification_scores`.
    """
    from sklearn.metrics import label_ranking_average_precision_score, precision_recall_fscore_support

    wanted, found = gold.astype(np.int64), (probabilities >= thresholds).astype(np.int64)
    some = wanted.any(axis=1)
    micro, macro = average(wanted, found, "micro"), average(wanted, found, "macro")
    each = label_scores(labels, *precision_recall_fscore_support(wanted, found, average=None, zero_division=0))
    for scores, threshold in zip(each.values(), thresholds, strict=True):
        scores["threshold"] = float(threshold)
    return {
        "exact_match": float((wanted == found).all(axis=1).mean()),
        "lrap": float(label_ranking_average_precision_score(wanted[some], probabilities[some])) if some.any() else 0.0,
        "rows": len(wanted),
        "micro": micro,
        "micro_f1": micro["f1"],
        "macro": macro,
        "macro_f1": macro["f1"],
        "per_class": each,
    }


def number_scores(gold: NDArray[Any], values: NDArray[Any]) -> NumberScores:
    """Pearson's r, Spearman's ρ and the mean squared error of `values` (N,); a constant has correlation 0."""
    from scipy.stats import pearsonr, spearmanr

    values = values.astype(np.float64)
    defined = len(gold) > 1 and float(np.std(values)) > 0 and float(np.std(gold)) > 0
    return {
        "rows": len(gold),
        "pearson": float(pearsonr(values, gold).statistic) if defined else 0.0,
        "spearman": float(spearmanr(values, gold).statistic) if defined else 0.0,
        "mse": float(np.mean((values - gold) ** 2)),
    }


def pearson_sums(gold: NDArray[Any], values: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 6) what each row adds to the sums of `pearson_of_sums`."""
    x, y = gold.astype(np.float64), values.astype(np.float64)
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def pearson_of_sums(sums: NDArray[np.float64]) -> float:
    """Pearson's r from sums over rows of `pearson_sums`."""
    n, x, y, xx, yy, xy = sums
    spread = (n * xx - x * x) * (n * yy - y * y)
    return float((n * xy - x * y) / np.sqrt(spread)) if spread > 0 else 0.0


def accuracy_and_f1(gold: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, float]:
    """The two figures watched while training: accuracy and macro F1 over the classes that occur."""
    from sklearn.metrics import f1_score

    return {
        "accuracy": float(np.mean(gold == predicted)),
        "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
    }


def f1_of_counts(counts: NDArray[np.float64]) -> float:
    """F1 from three sums: what is right, what was predicted, what is gold."""
    right, predicted, gold = counts.tolist()
    return 2 * right / (predicted + gold) if right else 0.0


def share_by_chance(rows: Sequence[int]) -> float:
    """Up to this accuracy a result is no better than a guess: the share of the most frequent label, two errors above.

    `rows` (K,) has each label's.
    """
    share = max(rows) / sum(rows)
    return float(share + 2 * np.sqrt(share * (1 - share) / sum(rows)))


def correlation_by_chance(rows: int) -> float:
    """Up to this correlation over so many rows a result is no better than a guess."""
    return float(2 / np.sqrt(max(rows, 1)))


def line_of_average(scores: Mapping[str, Any]) -> str:
    """An `Average` for people."""
    return f"precision {scores['precision']:.4f}  recall {scores['recall']:.4f}  F1 {scores['f1']:.4f}"


def line_of_numbers(scores: Mapping[str, Any]) -> str:
    """`NumberScores` for people."""
    return f"Pearson {scores['pearson']:.4f}  Spearman {scores['spearman']:.4f}  MSE {scores['mse']:.4f}"
