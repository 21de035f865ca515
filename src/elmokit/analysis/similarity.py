"""Do vectors of words agree with people on how similar two words are? Rank correlation on word similarity sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.encoder import Encoder
from elmokit.errors import DataError
from elmokit.static.vectors import WordVectors
from elmokit.text.files import SourceStats, opened, read_lines

Lookup = Callable[[str], NDArray[np.float32] | None]
Pair = tuple[str, str, float]


@dataclass(frozen=True)
class Agreement:
    """Spearman's ρ between cosines and people's scores on `pairs` of `all_pairs`, those that every model knows."""

    rho: dict[str, float]
    pairs: int
    all_pairs: int


def read_pairs(path: Path) -> list[Pair]:
    """Lines of `word1 word2 score`, separated by white space.

    Raises:
        DataError: The file cannot be read or has another format.
    """
    pairs: list[Pair] = []
    with opened(path) as file:
        for number, line in enumerate(read_lines(file, SourceStats()), 1):
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
    """Each layer of a model on these words, each a sentence by itself; other words are a `KeyError`."""
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


def agreement(pairs: Sequence[Pair], models: Mapping[str, Lookup]) -> Agreement:
    """All models on the same pairs.

    Raises:
        DataError: Fewer than three pairs are known to every model.
    """
    from scipy.stats import spearmanr

    words = {word for one, other, _ in pairs for word in (one, other)}
    tables = {name: {word: lookup(word) for word in words} for name, lookup in models.items()}
    known = [pair for pair in pairs if all(table[word] is not None for table in tables.values() for word in pair[:2])]
    if len(known) < 3:
        raise DataError(f"{len(known)} of {len(pairs)} pairs are known to every model; expected at least 3")
    scores = [score for _, _, score in known]
    rho = {
        name: float(spearmanr([_cosine(table[one], table[other]) for one, other, _ in known], scores).statistic)
        for name, table in tables.items()
    }
    return Agreement(rho, len(known), len(pairs))


def _cosine(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> float:
    assert one is not None
    assert other is not None
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))
