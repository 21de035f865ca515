"""The measures of a judgement: word similarity, sentence similarity, sentiment of reviews, named entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from elmokit import Encoder
from elmokit.analysis.probes import Tagged, predicted_tags
from elmokit.analysis.similarity import Pair, RankCorrelation, alone, rank_correlation, static
from elmokit.cosines import paired_cosines
from elmokit.tasks.tagging.scores import span_scores
from judging.candidates import Candidate
from judging.sets import Review, SentencePair

AVERAGE = "average"
ByLayer = dict[str, float]  # "0", "1", … and AVERAGE, the mean of the layers

_FOLDS, _FOLD_SEED = 5, 1
_PENALTY = 0.01  # C on scaled features; the best of 1e-4 to 1 for elmo-mini, with little between its neighbours


@dataclass(frozen=True)
class StsScores:
    """Correlation of cosines with people's scores, the mean over the files of a year."""

    spearman: ByLayer
    pearson: ByLayer


def word_similarity(candidate: Candidate, pairs: Sequence[Pair]) -> RankCorrelation:
    """Spearman's ρ by layer: words are sentences by themselves; pairs that static vectors lack are left out."""
    if candidate.vectors is not None:
        return rank_correlation(pairs, {"0": static(candidate.vectors)})
    lookups = alone(candidate.encoder, [word for pair in pairs for word in pair[:2]])
    return rank_correlation(pairs, {str(layer): lookup for layer, lookup in enumerate(lookups)})


def sentence_similarity(encoder: Encoder, files: Mapping[str, Sequence[SentencePair]]) -> StsScores:
    """Cosines of mean-pooled vectors."""
    spearman: list[ByLayer] = []
    pearson: list[ByLayer] = []
    for pairs in files.values():
        one = _pooled(encoder, [pair.one for pair in pairs])
        other = _pooled(encoder, [pair.other for pair in pairs])
        cosines = {name: paired_cosines(one[name], other[name]) for name in one}
        scores = [pair.score for pair in pairs]
        spearman.append({name: float(spearmanr(found, scores).statistic) for name, found in cosines.items()})
        pearson.append({name: float(pearsonr(found, scores).statistic) for name, found in cosines.items()})
    return StsScores(_mean(spearman), _mean(pearson))


def review_accuracy(encoder: Encoder, reviews: Sequence[Review]) -> float:
    """Logistic regression on the mean-pooled average of the layers: the mean over five fixed folds."""
    vectors = _pooled(encoder, [review.text for review in reviews])[AVERAGE]
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=_PENALTY, max_iter=1000))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_FOLD_SEED)
    return float(cross_val_score(classifier, vectors, [review.positive for review in reviews], cv=folds).mean())


def entity_f1(encoder: Encoder, train: Sequence[Tagged], test: Sequence[Tagged]) -> ByLayer:
    """Strict F1 of entities of a linear classifier of tags, word by word, on each layer."""
    gold = [[tag for _, tag in sentence] for sentence in test]
    guesses = predicted_tags(encoder, train, test)
    return {str(layer): float(span_scores(gold, tags)["f1"]) for layer, tags in enumerate(guesses)}


def _pooled(encoder: Encoder, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """(n, D) means over the words of each text: of each layer, and of their average."""
    layers = encoder.encode(texts, level="sentence", pooling="mean")  # (n, L, D)
    return {str(layer): layers[:, layer] for layer in range(layers.shape[1])} | {AVERAGE: layers.mean(axis=1)}


def _mean(found: Iterable[ByLayer]) -> ByLayer:
    rows = list(found)
    return {name: fmean(row[name] for row in rows) for name in rows[0]}
