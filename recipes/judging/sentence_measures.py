"""What vectors of sentences are worth: cosines against people's scores, and two classes by logistic regression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from judging.sentence_sets import Labelled
from judging.sets import SentencePair

Matrix = Any  # (n, D) as NumPy or SciPy's sparse has it
Vectorizer = Callable[[Sequence[str]], Matrix]
Fitted = Callable[[Sequence[str]], Vectorizer]  # from training texts; vectors that need none ignore them
Metric = Callable[[Sequence[int], NDArray[Any]], float]

_FOLDS, _SEED = 5, 1
_DENSE, _SPARSE = (1e-4, 1e-3, 1e-2, 1e-1, 1.0), (0.1, 1.0, 10.0, 100.0)  # C, on scaled and on TF-IDF features


def spearman(vectors: Vectorizer, files: Mapping[str, Sequence[SentencePair]]) -> float:
    """Spearman's ρ of cosines and people's scores, the mean over files."""
    found = []
    for pairs in files.values():
        one, other = vectors([pair.one for pair in pairs]), vectors([pair.other for pair in pairs])
        cosines = _inner(one, other) / np.maximum(np.sqrt(_inner(one, one) * _inner(other, other)), 1e-9)
        found.append(float(spearmanr(cosines, [pair.score for pair in pairs]).statistic))
    return fmean(found)


def fold_score(
    fitted: Fitted, data: Labelled, metric: Metric = accuracy_score, *, penalty: float | None = None
) -> float:
    """The mean over five fixed folds."""
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(data.labels, data.labels)
    return fmean(
        held_out_score(fitted, _rows(data, train), _rows(data, test), metric, penalty=penalty) for train, test in folds
    )


def held_out_score(
    fitted: Fitted, train: Labelled, test: Labelled, metric: Metric = accuracy_score, *, penalty: float | None = None
) -> float:
    """Logistic regression; of pairs it sees |u − v| and u · v, side by side.

    `penalty` is its C; None: the best by `metric` on a fifth of `train`.
    """
    vectors = fitted([*train.texts, *(train.others or ())])
    x = _features(vectors, train)
    sparse = sp.issparse(x)
    classifier = make_pipeline("passthrough" if sparse else StandardScaler(), LogisticRegression(max_iter=1000))
    if penalty is None:
        split = StratifiedShuffleSplit(1, test_size=0.2, random_state=_SEED)
        choices = {"logisticregression__C": _SPARSE if sparse else _DENSE}
        classifier = GridSearchCV(classifier, choices, cv=split, scoring=make_scorer(metric))
    else:
        classifier.set_params(logisticregression__C=penalty)
    classifier.fit(x, train.labels)
    return float(metric(test.labels, classifier.predict(_features(vectors, test))))


def _features(vectors: Vectorizer, data: Labelled) -> Matrix:
    one = vectors(data.texts)
    if data.others is None:
        return one
    other = vectors(data.others)
    parts = [abs(one - other), one.multiply(other) if sp.issparse(one) else one * other]
    return sp.hstack(parts).tocsr() if sp.issparse(one) else np.concatenate(parts, axis=1)


def _inner(one: Matrix, other: Matrix) -> NDArray[np.float64]:
    product = one.multiply(other) if sp.issparse(one) else one * other
    return np.asarray(product.sum(axis=1), dtype=np.float64).ravel()


def _rows(data: Labelled, numbers: NDArray[np.intp]) -> Labelled:
    others = None if data.others is None else [data.others[number] for number in numbers]
    return Labelled([data.texts[n] for n in numbers], [data.labels[n] for n in numbers], others)
