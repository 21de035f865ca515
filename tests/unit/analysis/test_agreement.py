"""Neighbours with the same label, counted by hand."""

from __future__ import annotations

import numpy as np

from elmokit.analysis.agreement import agreement, neighbours_agree

# Along a line: a and b alternate, except for the last two.
SIMILARITY = np.array(
    [[1.0, 0.9, 0.5, 0.1], [0.9, 1.0, 0.6, 0.2], [0.5, 0.6, 1.0, 0.95], [0.1, 0.2, 0.95, 1.0]], dtype=np.float32
)


def test_an_item_is_not_its_own_neighbour() -> None:
    assert neighbours_agree(SIMILARITY, ["a", "b", "a", "a"])[:, 0].tolist() == [False, False, True, True]
    assert agreement(SIMILARITY, ["a", "b", "a", "a"]) == 0.5
    assert SIMILARITY[0, 0] == 1.0  # the argument is unchanged


def test_several_neighbours_nearest_first() -> None:
    found = neighbours_agree(SIMILARITY, ["a", "b", "a", "a"], count=2)
    assert found.tolist() == [[False, True], [False, False], [True, False], [True, False]]
    assert agreement(SIMILARITY, ["a", "b", "a", "a"], count=2) == 3 / 8


def test_pairs_may_be_left_out_and_candidates_may_be_others() -> None:
    apart = SIMILARITY.copy()
    apart[2, 3] = apart[3, 2] = -np.inf
    assert neighbours_agree(apart, ["a", "b", "a", "a"])[:, 0].tolist() == [False, False, False, False]
    layers = np.stack([SIMILARITY[:2], SIMILARITY[2:]])  # (L, n, m)
    assert neighbours_agree(layers, ["x", "y"], ["x", "y", "y", "x"])[..., 0].tolist() == [[True, True], [False, False]]
