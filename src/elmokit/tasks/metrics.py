"""Classification scores by scikit-learn, in one plain dictionary that goes to JSON as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

AVERAGES: tuple[Literal["micro", "macro", "weighted"], ...] = ("micro", "macro", "weighted")


def classification_scores(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], *, labels: Sequence[str]
) -> dict[str, Any]:
    """Accuracy, precision, recall and F1 (micro, macro, weighted and per class) and the confusion matrix.

    `gold` and `predicted` are class indices (N,); `labels` names every class, also those that do not occur.
    A class that is never predicted counts with precision 0 (scikit-learn's `zero_division=0`).
    Rows of `confusion` are the gold classes, columns the predicted ones.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    classes = list(range(len(labels)))
    scores: dict[str, Any] = {"accuracy": float(np.mean(gold == predicted)), "rows": len(gold)}
    for average in AVERAGES:
        precision, recall, f1, _ = precision_recall_fscore_support(
            gold, predicted, labels=classes, average=average, zero_division=0
        )
        scores[average] = {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
    each = precision_recall_fscore_support(gold, predicted, labels=classes, average=None, zero_division=0)
    scores["per_class"] = {
        label: {
            "precision": float(each[0][index]),
            "recall": float(each[1][index]),
            "f1": float(each[2][index]),
            "rows": int(each[3][index]),
        }
        for index, label in enumerate(labels)
    }
    scores["confusion"] = confusion_matrix(gold, predicted, labels=classes).tolist()
    return scores


def accuracy_and_f1(gold: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, float]:
    """The two figures watched while training: accuracy and macro F1 over the classes that occur."""
    from sklearn.metrics import f1_score

    return {
        "accuracy": float(np.mean(gold == predicted)),
        "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0)),
    }
