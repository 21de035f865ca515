"""What a few seeds and a test set allow to say: intervals, and tests of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
DRAWS = 10_000


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean and 95 % interval of one figure over seeds.

    Student's t over the seeds: it holds for the mean over other seeds on the same rows, not over other rows. Of a
    single seed there is no interval: `low` and `high` are None.

    Returns:
        `mean`, `low`, `high`, and `seeds`: the values themselves.
    """
    from scipy.stats import t

    numbers = [float(value) for value in values]
    mean = float(np.mean(numbers))
    if len(numbers) < 2:
        return {"mean": mean, "low": None, "high": None, "seeds": numbers}
    half = float(t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1) * np.std(numbers, ddof=1) / len(numbers) ** 0.5)
    return {"mean": mean, "low": mean - half, "high": mean + half, "seeds": numbers}


def bounded(values: Sequence[float]) -> dict[str, Any]:
    """`interval` of a figure between 0 and 1, whose bounds it keeps."""
    found = interval(values)
    if found["low"] is not None:
        found |= {"low": max(0.0, found["low"]), "high": min(1.0, found["high"])}
    return found


@dataclass(frozen=True)
class Pair:
    """Two methods on the same test rows.

    Attributes:
        first, second: Their names.
        difference: Accuracy of the first less that of the second, means over seeds.
        low, high: 95 % bootstrap interval of the difference over the test rows.
        mcnemar: The exact p of McNemar's test on the first seed of each.
        only_first, only_second: Test rows of the first seed that one alone got right.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    mcnemar: float
    only_first: int
    only_second: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare_pair(
    names: tuple[str, str], first: Sequence[NDArray[np.bool_]], second: Sequence[NDArray[np.bool_]], *, seed: int = 0
) -> Pair:
    """Test two methods on the same rows.

    Args:
        names: Of the two.
        first, second: For each seed (N,) whether a test row was right.
        seed: Of the bootstrap.

    Raises:
        ValueError: They were measured on different numbers of rows.
    """
    from scipy.stats import binomtest

    if len({len(right) for right in (*first, *second)}) != 1:
        raise ValueError(f"{names[0]} and {names[1]} were measured on different rows")
    gain = np.mean(np.stack(first), axis=0) - np.mean(np.stack(second), axis=0)  # (N,)
    random = np.random.default_rng(seed)
    means = [gain[random.integers(0, len(gain), len(gain))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    only_first, only_second = int((first[0] & ~second[0]).sum()), int((second[0] & ~first[0]).sum())
    split = only_first + only_second
    p = float(binomtest(only_first, split).pvalue) if split else 1.0
    return Pair(*names, float(gain.mean()), float(low), float(high), p, only_first, only_second)
