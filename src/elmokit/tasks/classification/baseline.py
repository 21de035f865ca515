"""The baseline: TF-IDF of words and word pairs into a linear SVM, scored on the very rows of a run."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.tasks.classification.data import ClassificationData
from elmokit.tasks.metrics import classification_scores

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Floor:
    """What the baseline reached.

    Attributes:
        scores: `classification_scores` of "train" and "test", with "method", "rows" learnt from, "parameters" and
            "seconds".
        predicted: (N,) the class number of each test row.
        predict_seconds: From the test texts to these.
    """

    scores: dict[str, Any]
    predicted: NDArray[np.int64]
    predict_seconds: float


def tfidf_svm(data: ClassificationData, *, seed: int = 1) -> Floor:
    """TF-IDF (1-2-grams, sublinear counts, min_df 2) + LinearSVC.

    A method without early stopping needs no validation rows, so it learns from those too, as one would use it.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    began = time.perf_counter()
    texts = [text for part in ("train", "validation") for text in data.texts(part)]
    classes = np.concatenate([data.classes(part) for part in ("train", "validation")])
    # On a handful of rows no word may occur twice; every word counts then.
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(texts) >= 100 else 1)
    machine = LinearSVC(random_state=seed)
    machine.fit(vectorizer.fit_transform(texts), classes)
    scores: dict[str, Any] = {"method": "TF-IDF (1-2-grams, sublinear, min_df 2) + LinearSVC", "rows": len(texts)}
    predicted: dict[str, NDArray[np.int64]] = {}
    predict_seconds = 0.0
    for part in ("train", "test"):
        asked = time.perf_counter()
        predicted[part] = machine.predict(vectorizer.transform(data.texts(part))).astype(np.int64)
        predict_seconds = time.perf_counter() - asked
        scores[part] = classification_scores(data.classes(part), predicted[part], labels=data.labels)
    scores["parameters"] = int(machine.coef_.size + machine.intercept_.size)
    scores["seconds"] = round(time.perf_counter() - began, 2)
    log.info("TF-IDF + linear SVM: test accuracy %.4f in %.0f s", scores["test"]["accuracy"], scores["seconds"])
    return Floor(scores, predicted["test"], predict_seconds)
