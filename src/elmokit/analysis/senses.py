"""Word senses in real text: the occurrences of a word, grouped by their contextual vectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import unit
from elmokit.encode.encoder import Encoder
from elmokit.encode.layer_choice import Layers

LEAST = 4  # occurrences; fewer cannot be grouped
_ONE_GROUP = 0.05  # a mean silhouette below this separates nothing
_TELLING = 2.0  # a keyword's share in its group over that in the others
_KEYWORDS = 6  # of a group, at most

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Group:
    """Similar occurrences, the most typical first; `keywords` are more frequent around them than elsewhere."""

    occurrences: list[Occurrence]
    keywords: list[str]


@dataclass(frozen=True)
class Groups:
    """The groups that `group_occurrences` found.

    Attributes:
        word: The word, in lower case.
        groups: The largest first.
        silhouette: How well they are separated, −1 to 1 (Rousseeuw 1987); 0 for a single group.
    """

    word: str
    groups: list[Group]
    silhouette: float


def group_occurrences(
    word: str,
    occurrences: list[Occurrence],
    encoder: Encoder,
    *,
    layer: Layers = "top",
    groups: int | None = None,
    most: int = 6,
    seed: int = 1,
) -> Groups:
    """Group occurrences by the cosine of their vectors, with k-means on vectors minus their mean.

    Args:
        word: The word.
        occurrences: As from `find_occurrences`.
        encoder: Computes the vectors.
        layer: Which vectors, not "all".
        groups: Number of groups; None: the number from 2 to `most` with the best silhouette, or 1 where none separates
            them.
        most: See `groups`.
        seed: Of k-means.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    vectors = occurrence_vectors(encoder, occurrences, layers=layer)  # (n, D)
    vectors = unit(vectors - vectors.mean(axis=0))
    distinct = len(np.unique(vectors.round(5), axis=0))
    tried: dict[int, tuple[float, NDArray[np.int32]]] = {1: (0.0, np.zeros(len(occurrences), dtype=np.int32))}
    for count in [groups] if groups is not None else range(2, most + 1):
        if 2 <= count < distinct:
            labels = KMeans(count, n_init=10, random_state=seed).fit_predict(vectors)
            tried[count] = (float(silhouette_score(vectors, labels, metric="cosine")), labels)
    best = max(tried, key=lambda count: tried[count][0])
    if groups is None and tried[best][0] < _ONE_GROUP:
        best = 1
    elif groups is not None:
        best = groups if groups in tried else best
    score, labels = tried[best]
    parts = [np.flatnonzero(labels == label) for label in range(best)]
    parts.sort(key=len, reverse=True)
    return Groups(word.lower(), [_group(part, occurrences, vectors) for part in parts], score)


def _group(part: NDArray[np.intp], occurrences: list[Occurrence], vectors: Array) -> Group:
    """The occurrences of a group by their cosine with its centre (`vectors` have length 1), and its keywords.

    These are words near occurrences of the group and not near the others, frequent ones first, no function words.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    centre = unit(vectors[part].mean(axis=0))
    typical = part[np.argsort(-(vectors[part] @ centre), kind="stable")]

    members = set(part.tolist())
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for number, each in enumerate(occurrences):
        near = each.words[max(0, each.place - 10) : each.place] + each.words[each.place + 1 : each.place + 11]
        (inside if number in members else outside).update({word.lower() for word in near if word.isalpha()})
    size, rest = len(members), len(occurrences) - len(members)
    ratios = {
        word: (number + 0.5) / (size + 1) / ((outside[word] + 0.5) / (rest + 1))
        for word, number in inside.items()
        if number > 1 and word not in ENGLISH_STOP_WORDS
    }
    telling = [word for word, ratio in ratios.items() if ratio > _TELLING]
    telling.sort(key=lambda word: (-inside[word] * float(np.log(ratios[word])), word))
    return Group([occurrences[number] for number in typical], telling[:_KEYWORDS])
