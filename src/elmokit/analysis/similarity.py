"""Word similarity: the rank correlation between cosines and human scores on word pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.cosines import paired_cosines
from elmokit.encode.encoder import Encoder
from elmokit.errors import DataError
from elmokit.static.vectors import WordVectors
from elmokit.text.files import counted, opened, read_lines

Lookup = Callable[[str], NDArray[np.float32] | None]
Pair = tuple[str, str, float]


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's ρ between cosines and human scores on `pairs` of `all_pairs`: those whose words every model knows."""

    rho: dict[str, float]
    pairs: int
    all_pairs: int


def read_pairs(path: Path) -> list[Pair]:
    """Lines of `word1 word2 score`, separated by white space.

    Raises:
        DataError: The file cannot be read or has another format.
    """
    pairs: list[Pair] = []
    with opened(path) as file, counted(None) as stats:
        for number, line in enumerate(read_lines(file, stats), 1):
            fields = line.split()
            if not fields:
                continue
            try:
                one, other, score = fields
                pairs.append((one, other, float(score)))
            except ValueError as error:
                raise DataError(f"{path} line {number}: expected word1 word2 score, got {line[:60]!r}") from error
    return pairs


def context_free(encoder: Encoder) -> Lookup:
    """The token layer of a model: it has a vector for any word."""

    def vector(word: str) -> NDArray[np.float32] | None:
        (found,) = encoder.encode([[word]], layers=0, is_split_into_words=True)
        row: NDArray[np.float32] = found[0]
        return row

    return vector


def alone(encoder: Encoder, words: Iterable[str]) -> list[Lookup]:
    """Each layer of a model on these words, each encoded as a sentence of one word; other words are a `KeyError`."""
    distinct = sorted(set(words))
    arrays = encoder.stream([[word] for word in distinct], is_split_into_words=True)  # (L, 1, D) each
    rows = {word: array[:, 0] for word, array in zip(distinct, arrays, strict=True)}

    def of(layer: int) -> Lookup:
        return lambda word: rows[word][layer]

    return [of(layer) for layer in range(encoder.n_layers)]


def static(vectors: WordVectors) -> Lookup:
    """Static vectors; unknown words have none."""

    def vector(word: str) -> NDArray[np.float32] | None:
        if word not in vectors:
            return None
        return vectors[word]

    return vector


def rank_correlation(pairs: Sequence[Pair], models: Mapping[str, Lookup]) -> RankCorrelation:
    """All models on the same pairs.

    Raises:
        DataError: Fewer than three pairs are known to every model.
    """
    from scipy.stats import spearmanr

    words = {word for one, other, _ in pairs for word in (one, other)}
    tables = {
        name: {word: vector for word in words if (vector := lookup(word)) is not None}
        for name, lookup in models.items()
    }
    known = [pair for pair in pairs if all(word in table for table in tables.values() for word in pair[:2])]
    if len(known) < 3:
        raise DataError(f"{len(known)} of {len(pairs)} pairs are known to every model; expected at least 3")
    scores = [score for _, _, score in known]
    rho = {}
    for name, table in tables.items():
        left = np.stack([table[one] for one, _, _ in known])  # (pairs, D)
        right = np.stack([table[other] for _, other, _ in known])
        rho[name] = float(spearmanr(paired_cosines(left, right), scores).statistic)
    return RankCorrelation(rho, len(known), len(pairs))
