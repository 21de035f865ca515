"""Counts, PPMI and SVD against plain loops and dense NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from elmokit.errors import ConfigError, DataError
from elmokit.static.numbered import NumberedText, number_text
from elmokit.static.svd import cooccurrences, ppmi, svd_vectors

SENTENCES = st.lists(st.lists(st.sampled_from("abcde"), max_size=7), min_size=1, max_size=6)


def by_loops(text: NumberedText, window: int) -> np.ndarray:
    counts = np.zeros((len(text.words), len(text.words)))
    for start, end in zip(text.offsets[:-1], text.offsets[1:], strict=True):
        ids = text.ids[start:end]
        for i, left in enumerate(ids):
            for j, right in enumerate(ids):
                if i != j and abs(i - j) <= window and left >= 0 and right >= 0:
                    counts[left, right] += 1
    return counts


@given(SENTENCES, st.integers(1, 4), st.integers(1, 2))
def test_counts_are_those_of_a_loop(sentences: list[list[str]], window: int, min_count: int) -> None:
    assume(any(sum(sentence.count(word) for sentence in sentences) >= min_count for word in "abcde"))
    text = number_text(sentences, min_count=min_count)
    np.testing.assert_array_equal(cooccurrences(text, window=window).toarray(), by_loops(text, window))


@given(st.integers(0, 99), st.sampled_from([0.75, 1.0]))
def test_ppmi_is_that_of_dense_numpy(seed: int, smoothing: float) -> None:
    draw = np.random.default_rng(seed)
    half = draw.integers(0, 4, (6, 6))
    counts = (half + half.T).astype(float)
    from scipy.sparse import csr_matrix

    words = counts.sum(axis=1)
    contexts = words**smoothing / (words**smoothing).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(counts / counts.sum() / ((words / counts.sum())[:, None] * contexts[None, :]))
    expected = np.maximum(np.nan_to_num(information, nan=0.0, neginf=0.0), 0.0)
    np.testing.assert_allclose(ppmi(csr_matrix(counts), smoothing=smoothing).toarray(), expected, atol=1e-12)


def test_vectors_span_the_matrix() -> None:
    """With the power 1 the products of the vectors are those of the rows of the best approximation."""
    draw = np.random.default_rng(0)
    text = number_text([list(draw.choice(list("abcdefghij"), 8)) for _ in range(60)])
    dense = ppmi(cooccurrences(text, window=2)).toarray()
    u, s, _ = np.linalg.svd(dense)
    vectors = svd_vectors(text, dim=4, window=2, power=1.0).matrix
    np.testing.assert_allclose(vectors @ vectors.T, (u[:, :4] * s[:4] ** 2) @ u[:, :4].T, atol=1e-3)
    assert np.array_equal(vectors, svd_vectors(text, dim=4, window=2, power=1.0).matrix)
    with pytest.raises(ConfigError, match="dim is 10; expected fewer than the 10 words"):
        svd_vectors(text, dim=10)


def test_numbering() -> None:
    text = number_text([["b", "a", "a"], [], ["c", "b", "a"]], min_count=2)
    assert (text.words, text.counts.tolist()) == (["a", "b"], [3, 2])
    assert text.ids.tolist() == [1, 0, 0, -1, 1, 0]
    assert list(text.sentences()) == [["b", "a", "a"], [], ["b", "a"]]
    assert number_text([["b", "a"]], max_vocab=1).words == ["a"]
    with pytest.raises(DataError, match="no word occurs 3 times in 1 sentences"):
        number_text([["a"]], min_count=3)
