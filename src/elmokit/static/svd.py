"""Vectors by counting: positive pointwise mutual information of neighbours, reduced by a truncated SVD.

The choices follow Levy, Goldberg and Dagan (2015): context counts smoothed with the power 0.75, and singular values
taken to a power p, where p = 0.5 does better than the p = 1 of textbooks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd

from elmokit.errors import ConfigError
from elmokit.static.numbered import NumberedText
from elmokit.static.vectors import WordVectors

_PAIRS_AT_ONCE = 1 << 22


def cooccurrences(text: NumberedText, *, window: int = 4) -> csr_matrix:
    """(V, V) how often two words are at most `window` places apart in a sentence; symmetric.

    Rare words keep their places, so they widen no window.
    """
    size = len(text.words)
    sentence = np.repeat(np.arange(len(text), dtype=np.int64), np.diff(text.offsets))
    total = csr_matrix((size, size), dtype=np.float64)
    for distance in range(1, window + 1):
        left, right = text.ids[:-distance], text.ids[distance:]
        together = (sentence[:-distance] == sentence[distance:]) & (left >= 0) & (right >= 0)
        places = np.flatnonzero(together)
        for start in range(0, len(places), _PAIRS_AT_ONCE):
            chosen = places[start : start + _PAIRS_AT_ONCE]
            ones = np.ones(len(chosen))
            total = total + coo_matrix((ones, (left[chosen], right[chosen])), shape=(size, size)).tocsr()
    both: csr_matrix = (total + total.T).tocsr()
    return both


def ppmi(counts: csr_matrix, *, smoothing: float = 0.75) -> csr_matrix:
    """max(0, log(p(w, c) / (p(w) p(c)))) where two words met, p(c) taken from counts to the power `smoothing`."""
    words = np.asarray(counts.sum(axis=1)).ravel()
    contexts = words**smoothing
    pairs = counts.tocoo()
    information = np.log(pairs.data * contexts.sum() / (words[pairs.row] * contexts[pairs.col]))
    kept = information > 0
    positive: csr_matrix = csr_matrix((information[kept], (pairs.row[kept], pairs.col[kept])), shape=counts.shape)
    return positive


def svd_vectors(
    text: NumberedText, *, dim: int = 256, window: int = 4, smoothing: float = 0.75, power: float = 0.5, seed: int = 1
) -> WordVectors:
    """U Σ^power of the PPMI matrix, by scikit-learn's randomized SVD.

    Raises:
        ConfigError: More dimensions than words.
    """
    if dim >= len(text.words):
        raise ConfigError(f"dim is {dim}; expected fewer than the {len(text.words)} words of the vocabulary")
    matrix = ppmi(cooccurrences(text, window=window), smoothing=smoothing)
    left, values, _ = randomized_svd(matrix, n_components=dim, random_state=seed)
    vectors: NDArray[np.float64] = left * values**power
    return WordVectors(text.words, vectors.astype(np.float32))
