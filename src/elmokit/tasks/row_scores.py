"""What each test row contributes to a score, so that two models can be compared on the same rows (Koehn 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from elmokit.tasks.config import HeadConfig

CONFIDENCE = 0.95
DRAWS = 10_000
_DRAWS_AT_ONCE = 100

Sums = NDArray[np.float64]


def mean_of_rows(sums: Sums) -> float:
    """The score of statistics (value, 1): the mean of the values."""
    return float(sums[0] / sums[1])


@dataclass(frozen=True)
class RowScores:
    """Of one model on its test rows.

    Attributes:
        statistics: (N, k) numbers that add up over rows: counts, or the score of a row and a 1.
        score: The score from their sums (k,).
        right: (N,) whether each row is right, where the score is the share of right rows.
    """

    statistics: NDArray[np.float64]
    score: Callable[[Sums], float] = mean_of_rows
    right: NDArray[np.bool_] | None = field(default=None, repr=False)

    @classmethod
    def of_values(cls, values: NDArray[np.float64]) -> RowScores:
        """For a score that is the mean of the values (N,) of the rows."""
        return cls(np.stack([values, np.ones_like(values)], axis=1))

    @classmethod
    def of_right(cls, right: NDArray[np.bool_]) -> RowScores:
        """For the share of rows that are right (N,)."""
        wide = right.astype(np.float64)
        return cls(np.stack([wide, np.ones_like(wide)], axis=1), right=right)


@runtime_checkable
class RowScored(Protocol):
    """A `Task` whose test predictions can be compared row by row.

    Attributes:
        highest: The best possible value of its main figure: 1, or 100 for figures in percent.
    """

    highest: float

    def row_scores(self, config: HeadConfig, folder: Path) -> RowScores:
        """Of the main figure, from what a finished run in `folder` wrote about the test files of `config`."""


def difference_interval(
    first: Sequence[RowScores], second: Sequence[RowScores] = (), *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval over test rows of the score of `first`, or of how much it exceeds that of `second`.

    Args:
        first, second: Models on the same rows, one per seed; scores are means over them.
        draws: How often rows are drawn, with replacement.
        seed: Of the draws.

    Raises:
        ValueError: The numbers of rows differ.
    """
    models = [*first, *second]
    if len({len(model.statistics) for model in models}) != 1:
        raise ValueError("scores of different rows cannot be compared")
    together = np.stack([model.statistics for model in models])  # (models, N, k)
    rows = together.shape[1]

    def differences(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        often = np.stack([np.bincount(draw, minlength=rows) for draw in drawn])  # (draws, N)
        sums = np.einsum("dn,mnk->dmk", often, together, optimize=True)
        scores = np.array([[model.score(part) for model, part in zip(models, draw, strict=True)] for draw in sums])
        gains: NDArray[np.float64] = scores[:, : len(first)].mean(axis=1)
        return gains - scores[:, len(first) :].mean(axis=1) if second else gains

    return bootstrap(differences, rows, draws=draws, seed=seed)


def mean_interval(values: NDArray[np.float64], *, draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of values (N,); 0 to 0 without any.

    It says how the mean would change with other rows of the same kind, not with another seed of the training.
    """
    if not len(values):
        return 0.0, 0.0
    return bootstrap(lambda drawn: values[drawn].mean(axis=-1), len(values), draws=draws, seed=seed)


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], rows: int, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a statistic over draws of row numbers.

    Args:
        statistic: (draws, rows) row numbers to (draws,) values.
        rows: How many there are.
        draws: How often they are drawn, with replacement.
        seed: Of the draws.
    """
    from scipy.stats import bootstrap as scipy_bootstrap

    if rows < 2:  # nothing to draw, and an error in SciPy
        (only,) = statistic(np.zeros((1, rows), dtype=np.int64))
        return float(only), float(only)
    found = scipy_bootstrap(
        (np.arange(rows),),
        lambda drawn, axis: statistic(np.atleast_2d(drawn)),
        n_resamples=draws,
        batch=_DRAWS_AT_ONCE,
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
