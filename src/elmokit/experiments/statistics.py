"""What a few seeds and a test set allow to say: intervals, gains, and tests of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from elmokit.report.study import Interval
from elmokit.tasks.row_scores import CONFIDENCE, RowScores, difference_interval
from elmokit.whole_files import JsonObject

_SIGNED = ("pearson", "spearman")
_WITHOUT_LIMIT = ("mse", "length_ratio")


def limits_of(figure: str, highest: float | None) -> tuple[float, float] | None:
    """The least and the greatest value of a figure, where the best possible one of the task's scores is `highest`."""
    if highest is None:
        return None
    if figure in _WITHOUT_LIMIT:
        return 0.0, math.inf
    return (-highest if figure in _SIGNED else 0.0), highest


def interval(values: Sequence[float], *, limits: tuple[float, float] | None = None) -> Interval:
    """Mean and 95 % interval of one figure over seeds.

    Student's t over the seeds: it holds for the mean over other seeds on the same rows, not over other rows. For a
    single seed there is no interval: `low` and `high` are None.

    Args:
        values: One per seed.
        limits: The figure is between these, and so is its interval.

    Returns:
        `mean`, `low`, `high`, and `seeds`: the values themselves.
    """
    from scipy.stats import t

    numbers = [float(value) for value in values]
    mean = float(np.mean(numbers))
    if len(numbers) < 2:
        return {"mean": mean, "low": None, "high": None, "seeds": numbers}
    half = float(t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1) * np.std(numbers, ddof=1) / len(numbers) ** 0.5)
    low, high = mean - half, mean + half
    if limits is not None:
        low, high = max(limits[0], low), min(limits[1], high)
    return {"mean": mean, "low": low, "high": high, "seeds": numbers}


@dataclass(frozen=True)
class Pair:
    """Two methods on the same test rows.

    Attributes:
        first, second: Their names.
        difference: Score of the first minus that of the second, means over seeds.
        low, high: 95 % bootstrap interval of the difference over the test rows.
        mcnemar: The exact p of McNemar's test on the first seed of each, where rows are right or wrong.
        only_first, only_second: Test rows of the first seed that only one of them got right.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    mcnemar: float | None = None
    only_first: int | None = None
    only_second: int | None = None

    def as_json(self) -> JsonObject:
        """Plain values, without those that are not known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def compare_pair(
    names: tuple[str, str], first: Sequence[RowScores], second: Sequence[RowScores], *, seed: int = 0
) -> Pair:
    """Test two methods on the same rows.

    Args:
        names: Of the two.
        first, second: One per seed.
        seed: Of the bootstrap.

    Raises:
        ValueError: They were measured on different numbers of rows.
    """
    from scipy.stats import binomtest

    try:
        low, high = difference_interval(first, second, seed=seed)
    except ValueError as error:
        raise ValueError(f"{names[0]} and {names[1]} were measured on different rows") from error
    scores = [np.mean([model.score(model.statistics.sum(axis=0)) for model in models]) for models in (first, second)]
    pair = Pair(*names, float(scores[0] - scores[1]), low, high)
    one, other = first[0].right, second[0].right
    if one is None or other is None:  # McNemar's test is for rows that are right or wrong
        return pair
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    split = only_first + only_second
    p = float(binomtest(only_first, split).pvalue) if split else 1.0
    return replace(pair, mcnemar=p, only_first=only_first, only_second=only_second)
