"""Which rows a run trains on, chooses by and scores: one way for all tasks, and a function of the seed alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The rows of one part of the data: which files they came from ("train", "valid" or "test"), and their numbers."""

    source: str
    rows: Rows


class SplitData:
    """Rows in splits: the part that all tasks' data have in common."""

    splits: dict[str, Split]

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: len(part.rows) for name, part in self.splits.items()}


class Fractions(Protocol):
    """The settings of a task that say how its rows are split."""

    valid_fraction: float
    train_fraction: float
    seed: int


def split_up(
    sizes: Mapping[str, int],
    config: Fractions,
    *,
    few: Callable[[int, int], str],
    units: NDArray[Any] | None = None,
    strata: Rows | None = None,
) -> dict[str, Split]:
    """Train, validation and test. Where there are no validation files, a part of train is held out.

    Args:
        sizes: Rows of the files: "train", "test", and "valid" where there are some.
        config: How much of train is held out, how much of the rest is used, and the seed that draws them.
        few, units, strata: As of `hold_out`; by default each row is a unit.

    Raises:
        DataError: As `hold_out`.
    """
    train = np.arange(sizes["train"])
    units = train if units is None else units
    validation = Split("valid", np.arange(sizes.get("valid", 0)))
    if "valid" not in sizes:
        train, held = hold_out(units, fraction=config.valid_fraction, seed=config.seed, few=few, strata=strata)
        validation = Split("train", held)
    train = sample(units, train, fraction=config.train_fraction, seed=config.seed, strata=strata)
    return {"train": Split("train", train), "validation": validation, "test": Split("test", np.arange(sizes["test"]))}


def hold_out(
    units: NDArray[Any], *, fraction: float, seed: int, few: Callable[[int, int], str], strata: Rows | None = None
) -> tuple[Rows, Rows]:
    """Row numbers (kept, held out) in rising order.

    Args:
        units: (rows,) what is held out as a whole: the document or passage of each row, or the row itself.
        fraction: Share of the units held out, at least one and never all.
        seed: Draws them.
        few: The message for a class, by its number, with fewer than two units, by their count.
        strata: (rows,) the class of each row: the same share is held out of every class. Without it all are class 0.

    Raises:
        DataError: A class, or the whole, has fewer than two units.
    """
    random = np.random.default_rng([seed, 1])
    held = []
    for number, own in _by_stratum(units, strata):
        if len(own) < 2:
            raise DataError(few(number, len(own)))
        count = min(max(1, round(len(own) * fraction)), len(own) - 1)
        held.append(random.permutation(own)[:count])
    out = np.isin(units, np.concatenate(held))
    return np.flatnonzero(~out), np.flatnonzero(out)


def sample(units: NDArray[Any], rows: Rows, *, fraction: float, seed: int, strata: Rows | None = None) -> Rows:
    """A share of `rows`, whole units of them, the same share of every class and at least one; in rising order.

    A smaller share is a subset of a larger one. Arguments as of `hold_out`.
    """
    if fraction >= 1.0:
        return rows
    random = np.random.default_rng([seed, 2])
    picked = []
    for _, own in _by_stratum(units[rows], None if strata is None else strata[rows]):
        picked.append(random.permutation(own)[: max(1, round(len(own) * fraction))])
    kept: Rows = rows[np.isin(units[rows], np.concatenate(picked))]
    return kept


def scored_rows(rows: int, wanted: int | None) -> Rows:
    """Numbers below `rows` of the training rows that the report scores: the same ones for every seed, in rising order.

    `wanted` of them, or all where it is None or there are no more.
    """
    if wanted is None or rows <= wanted:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).permutation(rows)[:wanted])


def _by_stratum(units: NDArray[Any], strata: Rows | None) -> list[tuple[int, NDArray[Any]]]:
    if strata is None:
        return [(0, np.unique(units))]
    return [(int(number), np.unique(units[strata == number])) for number in np.unique(strata)]
