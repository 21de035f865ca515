"""The floor: TF-IDF of words and word pairs into a linear SVM, scored on the very rows of a run."""

from __future__ import annotations

import logging
import time
from typing import Any

from elmokit.tasks.classification.data import ClassificationData
from elmokit.tasks.metrics import classification_scores

log = logging.getLogger(__name__)


def tfidf_svm(data: ClassificationData, *, seed: int = 1, with_validation: bool = True) -> dict[str, Any]:
    """Scores of TF-IDF (1-2-grams, sublinear counts, min_df 2) + LinearSVC on train, validation and test.

    A method without early stopping needs no validation rows, so by default it learns from those too, as one would use
    it; `with_validation=False` holds them out and then reports them.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    began = time.perf_counter()
    parts = ("train", "validation") if with_validation else ("train",)
    texts = [text for part in parts for text in data.texts(part)]
    classes = np.concatenate([data.classes(part) for part in parts])
    # On a handful of rows no word may occur twice; every word counts then.
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(texts) >= 100 else 1)
    machine = LinearSVC(random_state=seed)
    machine.fit(vectorizer.fit_transform(texts), classes)
    scores: dict[str, Any] = {"method": "TF-IDF (1-2-grams, sublinear, min_df 2) + LinearSVC", "rows": len(texts)}
    for part in ("train", "test") if with_validation else ("train", "validation", "test"):
        predicted = machine.predict(vectorizer.transform(data.texts(part))).astype(np.int64)
        scores[part] = classification_scores(data.classes(part), predicted, labels=data.labels)
    scores["seconds"] = round(time.perf_counter() - began, 2)
    log.info("TF-IDF + linear SVM: test accuracy %.4f in %.0f s", scores["test"]["accuracy"], scores["seconds"])
    return scores
