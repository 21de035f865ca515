"""Cosines against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from elmokit.cosines import cosines, paired_cosines, unit

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_cosines_are_those_of_scikit_learn(kind: type[np.floating]) -> None:
    one, other = RANDOM.normal(size=(2, 5, 7)).astype(kind), RANDOM.normal(size=(2, 4, 7)).astype(kind)
    before = one.copy()
    for layer in range(2):
        np.testing.assert_allclose(cosines(one, other)[layer], cosine_similarity(one[layer], other[layer]), atol=1e-3)
        np.testing.assert_allclose(cosines(one)[layer], unit(one[layer]) @ unit(one[layer]).T, atol=1e-5)
    expected = np.stack([np.diagonal(found) for found in cosines(one[:, :4], other)])
    np.testing.assert_allclose(paired_cosines(one[:, :4], other), expected, atol=1e-5)
    np.testing.assert_array_equal(one, before)


def test_a_vector_of_zeros_is_similar_to_nothing() -> None:
    vectors = np.array([[0, 0], [3, 4]], dtype=np.float32)
    assert cosines(vectors).tolist() == [[0, 0], [0, 1]]
    assert paired_cosines(vectors[0], vectors[1]) == 0
    np.testing.assert_allclose(unit(vectors), [[0.0, 0.0], [0.6, 0.8]], atol=1e-6)
