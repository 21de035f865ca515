"""What a comparison found, as `results.json` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from elmokit.whole_files import JsonObject


class Interval(TypedDict):
    """A figure over seeds: its mean, the ends of the 95 % interval (None of a single seed), and the values."""

    mean: float
    low: float | None
    high: float | None
    seeds: list[float]


def ends(value: Interval) -> tuple[float, float] | None:
    """The ends of the interval; None of a single seed."""
    return None if value["low"] is None or value["high"] is None else (value["low"], value["high"])


class Bounds(TypedDict):
    """The ends of a 95 % interval over test rows."""

    low: float
    high: float


class RowResult(TypedDict):
    """One method.

    Attributes:
        name, kind, note, start, settings: As in the settings of the comparison.
        metrics: Figures of each split by name; none where no run ended.
        failed: How many seeds failed, and why the first did.
        parameters, trained_parameters: How many numbers a model has.
        seconds: Of training one, on stored layers or vectors.
        history: The epochs of the first seed.
        epochs: How many there were, by seed.
        words_per_second: From raw text to labels, on one thread.
        confusion, per_class: Of the first seed; the matrices by split.
        over_rows: Of one seed: the interval of the main score over test rows.
        preparation_seconds: Of its vectors or biLM.
        lambdas, gamma: The layer mix, where it has weights.
    """

    name: str
    kind: str
    note: str
    start: str | None
    settings: Mapping[str, Any]
    metrics: dict[str, dict[str, Interval]]
    failed: NotRequired[str]
    parameters: NotRequired[int]
    trained_parameters: NotRequired[int]
    seconds: NotRequired[float]
    history: NotRequired[list[JsonObject]]
    epochs: NotRequired[list[int]]
    words_per_second: NotRequired[float]
    confusion: NotRequired[dict[str, list[list[int]]]]
    per_class: NotRequired[JsonObject]
    over_rows: NotRequired[Bounds]
    preparation_seconds: NotRequired[float]
    lambdas: NotRequired[list[Interval]]
    gamma: NotRequired[Interval]


class Gain(Interval):
    """Main test score of a row minus that of a baseline, over `seeds` or, of one seed, over test `rows`."""

    row: str
    baseline: str
    over: str


class ShareGain(Interval):
    """Best model minus best static vectors at a share of the labels."""

    share: float
    model: str
    static: str


class Efficiency(TypedDict):
    """Main test score by share of the labels; None where no run ended."""

    shares: list[float]
    curves: dict[str, list[Interval | None]]
    gains: list[ShareGain | None]


class WordMap(TypedDict):
    """Occurrences of a word on a plane, by row: `points` (n, 2), `classes` (n,) and the variance `explained`."""

    word: str | None
    planes: dict[str, JsonObject]
    failed: NotRequired[str]


class Study(TypedDict):
    """A whole comparison.

    Attributes:
        title, task, seeds, settings: As in its settings; `classifier` is the earlier name of `settings`.
        figure, highest: The main score, and its best possible value.
        unit: What rows of the data are called.
        labels: Of classes or tags.
        data: Rows of each split.
        files: Names of the training, validation and test files, and of the text for vectors.
        left_out, seen_in_training: Rows that were left out and why; test texts that are also training rows.
        rows: One for each method.
        gains: Of the rows over the baselines.
        pairs: The best rows compared pairwise, as `elmokit.experiments.statistics.Pair` has it.
        efficiency, map: The curve over the share of labels, and one word's occurrences.
        versions: Of the packages that shape a result.
    """

    title: str
    task: str
    figure: str
    highest: float | None
    unit: str
    labels: list[str]
    data: dict[str, int]
    files: dict[str, list[str]]
    left_out: JsonObject
    seen_in_training: int | None
    seeds: list[int]
    settings: Mapping[str, Any]
    classifier: NotRequired[Mapping[str, Any]]
    rows: list[RowResult]
    gains: list[Gain]
    pairs: list[JsonObject]
    efficiency: Efficiency
    map: WordMap | None
    versions: dict[str, str]
