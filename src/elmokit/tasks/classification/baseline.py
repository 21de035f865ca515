"""The baseline: TF-IDF of words and word pairs into a linear SVM, scored on the very rows of a run."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.classification.config import SCORES
from elmokit.tasks.classification.data import ClassificationData
from elmokit.tasks.config import Target
from elmokit.tasks.metrics import target_scores
from elmokit.tasks.report import Baseline

log = logging.getLogger(__name__)

_FEW_TEXTS = 100  # among fewer no word may be in two


@dataclass(frozen=True)
class TfidfResult:
    """What the baseline reached.

    Attributes:
        scores: As of the task.
        predicted: (N,) the class number of each test row, or its number; (N, K) of several labels how likely they are.
        predict_seconds: From the test texts to these.
    """

    scores: Baseline
    predicted: NDArray[Any]
    predict_seconds: float


def tfidf_svm(data: ClassificationData, *, target: Target = "label", seed: int = 1) -> TfidfResult:
    """TF-IDF (1-2-grams, sublinear counts, min_df 2) + LinearSVC, one for each of several labels; Ridge for numbers.

    A method without early stopping needs no validation rows, so it learns from those too, as one would use it.
    Where no word is in two texts (a handful of rows, texts without blanks), every word counts; where no text has a word
    of two letters or digits (emoji, single characters), words are what blanks separate.
    """
    from sklearn.linear_model import Ridge
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import LinearSVC

    began = time.perf_counter()
    texts = [text for part in ("train", "validation") for text in data.texts(part)]
    wanted = np.concatenate([data.targets(part) for part in ("train", "validation")])
    vectorizer, rows = _fitted(texts)
    machine: Any
    if target == "number":
        machine, name = Ridge(), "ridge regression"
    elif target == "labels":
        machine, name = OneVsRestClassifier(LinearSVC(random_state=seed)), "a LinearSVC for each label"
    else:
        machine, name = LinearSVC(random_state=seed), "LinearSVC"
    machine.fit(rows, wanted)
    found: dict[str, Mapping[str, Any]] = {}
    predicted: dict[str, NDArray[Any]] = {}
    predict_seconds = 0.0
    for part in ("train", "test"):
        asked = time.perf_counter()
        rows = vectorizer.transform(data.texts(part))
        predicted[part] = machine.decision_function(rows) if target == "labels" else machine.predict(rows)
        predict_seconds = time.perf_counter() - asked
        found[part] = target_scores(
            target, data.targets(part), predicted[part], labels=data.labels, thresholds=np.zeros(len(data.labels))
        )
    parts = machine.estimators_ if target == "labels" else [machine]
    scores: Baseline = {
        "method": f"TF-IDF (1-2-grams, sublinear, min_df {vectorizer.min_df}) + {name}",
        "rows": len(texts),
        "train": found["train"],
        "test": found["test"],
        "parameters": sum(np.size(part.coef_) + np.size(part.intercept_) for part in parts if hasattr(part, "coef_")),
        "seconds": round(time.perf_counter() - began, 2),
    }
    figure = SCORES[target][0]
    log.info("TF-IDF + linear model: test %s %.4f in %.0f s", figure, scores["test"][figure], scores["seconds"])
    return TfidfResult(scores, predicted["test"], predict_seconds)


def _fitted(texts: list[str]) -> tuple[Any, Any]:
    """A `TfidfVectorizer` and the rows (texts, terms) of these texts, by the first of three settings that finds terms.

    Raises:
        DataError: All texts are blank.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    usual: dict[str, Any] = {"ngram_range": (1, 2), "sublinear_tf": True}
    several: list[dict[str, Any]] = [{"min_df": 2}] if len(texts) >= _FEW_TEXTS else []
    for settings in (*several, {"min_df": 1}, {"min_df": 1, "token_pattern": r"\S+"}):
        vectorizer = TfidfVectorizer(**usual, **settings)
        with suppress(ValueError):  # no terms remain
            return vectorizer, vectorizer.fit_transform(texts)
    raise DataError("TF-IDF found no word in the training texts: --no-baseline leaves it out")
