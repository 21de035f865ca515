"""The uses of a word in real text, grouped by their contextual vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.cosines import unit
from elmokit.encode.encoder import Encoder, Layers
from elmokit.errors import DataError
from elmokit.text.concordance import concordance

LEAST = 4  # uses; fewer cannot be grouped
_ONE_GROUP = 0.05  # a mean silhouette below this is no grouping at all
_TELLING = 2.0  # a keyword's share in its group over that in the others

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Use:
    """A sentence and the place of the word in it."""

    words: list[str]
    place: int

    def in_context(self, width: int) -> str:
        """The word with up to `width` characters on either side."""
        before, after = " ".join([*self.words[: self.place], ""]), " ".join(["", *self.words[self.place + 1 :]])
        return concordance(before, self.words[self.place], after, width=width)


@dataclass(frozen=True)
class Group:
    """Uses that are like each other, the most typical first; `keywords` are commoner around them than elsewhere."""

    uses: list[Use]
    keywords: list[str]


@dataclass(frozen=True)
class Groups:
    """What `group_uses` found.

    Attributes:
        word: The word, in lower case.
        groups: The largest first.
        silhouette: How well they are parted, −1 to 1 (Rousseeuw 1987); 0 for a single group.
    """

    word: str
    groups: list[Group]
    silhouette: float


def find_uses(
    word: str, sentences: Iterable[list[str]], *, most: int = 1000, longest: int = 200, least: int = LEAST
) -> list[Use]:
    """The first `most` uses of a word, whatever its case, one a sentence; longer sentences are cut around it.

    Raises:
        DataError: There are fewer than `least`.
    """
    wanted, uses = word.lower(), []
    for words in sentences:
        place = next((place for place, each in enumerate(words) if each.lower() == wanted), None)
        if place is None:
            continue
        start = max(0, min(place - longest // 2, len(words) - longest))
        uses.append(Use(words[start : start + longest], place - start))
        if len(uses) == most:
            break
    if len(uses) < least:
        raise DataError(f"{word!r} stands in {len(uses)} sentences; expected at least {least}")
    return uses


def group_uses(
    word: str, uses: list[Use], encoder: Encoder, *, layer: Layers = "top", groups: int | None = None, most: int = 6,
    seed: int = 1,
) -> Groups:  # fmt: skip
    """Group uses by the cosine of their vectors, k-means on vectors less their mean.

    Args:
        word: The word.
        uses: As from `find_uses`.
        encoder: Gives the vectors.
        layer: Which of them, but not "all".
        groups: How many; None: the number from 2 to `most` with the best silhouette, or 1 where none parts them.
        most: See `groups`.
        seed: Of k-means.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    arrays = encoder.encode([use.words for use in uses], layers=layer, is_split_into_words=True)
    vectors = np.stack([array[use.place] for array, use in zip(arrays, uses, strict=True)])  # (n, D)
    vectors = unit(vectors - vectors.mean(axis=0))
    distinct = len(np.unique(vectors.round(5), axis=0))
    tried: dict[int, tuple[float, NDArray[np.int32]]] = {1: (0.0, np.zeros(len(uses), dtype=np.int32))}
    counts = [groups] if groups is not None else range(2, most + 1)
    for count in counts:
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
    return Groups(word.lower(), [_group(part, uses, vectors) for part in parts], score)


def _group(part: NDArray[np.intp], uses: list[Use], vectors: Array) -> Group:
    centre = unit(vectors[part].mean(axis=0, keepdims=True))[0]
    typical = part[np.argsort(-(vectors[part] @ centre), kind="stable")]
    return Group([uses[number] for number in typical], _keywords(part, uses))


def _keywords(part: NDArray[np.intp], uses: list[Use], *, count: int = 6) -> list[str]:
    """Words near the uses of the group and not near the others, frequent ones first; English function words aside."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    members = set(part.tolist())
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for number, use in enumerate(uses):
        near = use.words[max(0, use.place - 10) : use.place] + use.words[use.place + 1 : use.place + 11]
        (inside if number in members else outside).update({word.lower() for word in near if word.isalpha()})
    size, rest = len(members), len(uses) - len(members)
    ratios = {
        word: (number + 0.5) / (size + 1) / ((outside[word] + 0.5) / (rest + 1))
        for word, number in inside.items()
        if number > 1 and word not in ENGLISH_STOP_WORDS
    }
    telling = [word for word, ratio in ratios.items() if ratio > _TELLING]
    return sorted(telling, key=lambda word: (-inside[word] * float(np.log(ratios[word])), word))[:count]
