"""Intervals over seeds and tests of pairs, against hand-made figures and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from elmokit.experiments.statistics import compare_pair, interval, limits_of
from elmokit.tasks.row_scores import RowScores


def of(right: NDArray[np.bool_]) -> list[RowScores]:
    return [RowScores.of_right(right)]


def test_the_interval_is_students() -> None:
    values = [0.91, 0.93, 0.92]
    found = interval(values)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert found["mean"] == pytest.approx(0.92)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["seeds"] == values
    assert interval([0.5]) == {"mean": 0.5, "low": None, "high": None, "seeds": [0.5]}
    bounded = interval([0.1, 0.9], limits=(0.0, 1.0))
    assert (bounded["low"], bounded["high"]) == (0.0, 1.0)
    assert interval([0.3], limits=(0.0, 1.0))["low"] is None


def test_a_pair_on_the_same_rows() -> None:
    random = np.random.default_rng(0)
    second = random.random(2000) < 0.8
    first = second | (random.random(2000) < 0.3)  # never worse
    pair = compare_pair(("a", "b"), of(first) * 2, of(second) * 2)
    assert pair.difference == pytest.approx(first.mean() - second.mean())
    assert 0 < pair.low < pair.difference < pair.high
    error = np.std(first.astype(float) - second) / 2000**0.5
    assert pair.high - pair.low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert pair.only_second == 0
    assert pair.only_first == (first & ~second).sum()
    assert pair.mcnemar < 1e-6
    turned = compare_pair(("b", "a"), of(second), of(first))
    assert turned.difference == pytest.approx(-pair.difference)


def test_mcnemar_counts_the_rows_they_disagree_on() -> None:
    first = np.array([True] * 5 + [False] + [True] * 4)
    second = np.array([False] * 5 + [True] + [True] * 4)
    assert compare_pair(("a", "b"), of(first), of(second)).mcnemar == pytest.approx(2 * 7 / 64)  # 5 : 1 of six coins
    assert compare_pair(("a", "a"), of(first), of(first)).mcnemar == 1.0


def test_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="a and b were measured on different rows"):
        compare_pair(("a", "b"), of(np.ones(3, dtype=bool)), of(np.ones(4, dtype=bool)))


@pytest.mark.parametrize(
    ("figure", "values", "inside"),
    [
        ("mse", [2.0, 4.0, 9.0], (0.0, 20.0)),
        ("pearson", [-0.3, -0.32, -0.31], (-0.4, -0.2)),
        ("accuracy", [0.98, 0.99, 0.92], (0.5, 1.0)),
    ],
)
def test_an_interval_keeps_to_the_limits_of_its_figure(
    figure: str, values: list[float], inside: tuple[float, float]
) -> None:
    found = interval(values, limits=limits_of(figure, 1.0))
    assert found["low"] is not None and found["high"] is not None
    assert inside[0] <= found["low"] < found["mean"] < found["high"] <= inside[1]
