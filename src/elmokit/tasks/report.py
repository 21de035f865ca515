"""What a run found, in types: `RunMetrics` is `metrics.json`, and reads it back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self, TypedDict

from elmokit.whole_files import JsonObject, read_json_object

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Scores:
    """Scores on one part of the data.

    Attributes:
        counts: What was scored: rows, sentences, questions …
        figures: Single numbers by name: accuracy, f1, bleu …
        details: All else: averages, scores of each label, the confusion matrix, intervals, signatures.
    """

    counts: dict[str, int]
    figures: dict[str, float]
    details: JsonObject = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """From one flat object, which `to_json` gives."""
        counts = {name: value for name, value in values.items() if isinstance(value, int)}
        figures = {name: value for name, value in values.items() if isinstance(value, float)}
        rest = {name: value for name, value in values.items() if name not in counts and name not in figures}
        return cls(counts, figures, rest)

    def to_json(self) -> JsonObject:
        """One flat object."""
        return {**self.counts, **self.figures, **self.details}

    def figure(self, name: str) -> float:
        """A number by its path: `accuracy`, `macro.f1`, `per_class.sport.recall`.

        Raises:
            KeyError: There is none of this name.
        """
        first, _, rest = name.partition(".")
        value: Any = self.figures[name] if name in self.figures else self.to_json()[first]
        for part in rest.split(".") if rest and name not in self.figures else ():
            value = value[part]
        return float(value)


class Scored(NamedTuple):
    """What a trained model is judged by.

    Attributes:
        scores: Of train (of `scored_rows`), validation and test.
        facts: What else `metrics.json` should say.
    """

    scores: dict[str, Scores]
    facts: JsonObject


class Baseline(TypedDict):
    """Scores of a method without a language model on the same rows.

    Attributes:
        method: What it is, in words.
        rows: How many rows it learned from.
        train, test: Its scores, as `Scores.to_json` has them.
        parameters: How many numbers it learned.
        seconds: Of training and predicting.
    """

    method: str
    rows: int
    train: Mapping[str, Any]
    test: Mapping[str, Any]
    parameters: int
    seconds: float


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: losses, validation scores by name, layer weights where they are known, the pace."""

    epoch: int
    train_loss: float | None
    validation: dict[str, float]
    seconds: float | None = None
    texts_per_second: float | None = None
    gamma: float | None = None
    lambdas: list[float] | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """From what `to_json` gives."""
        known = {item.name for item in fields(cls)} - {"validation"}
        scores = {name.removeprefix("validation_"): value for name, value in values.items() if name not in known}
        return cls(validation=scores, **{name: value for name, value in values.items() if name in known})

    def to_json(self) -> JsonObject:
        """One flat object; scores are `validation_NAME`."""
        values: JsonObject = {"epoch": self.epoch, "train_loss": self.train_loss}
        values |= {f"validation_{name}": value for name, value in self.validation.items()}
        optional = {name: getattr(self, name) for name in ("seconds", "texts_per_second", "gamma", "lambdas")}
        return values | {name: value for name, value in optional.items() if value is not None}


@dataclass
class RunMetrics:
    """What `metrics.json` of every task holds.

    Attributes:
        task: Its name, as `elmo train` has it.
        model, combine, finetune, vectors, seed, precision: Settings that tell runs apart.
        figure: The path of the main test score in `Scores`.
        parameters: How many numbers the model has in `total`, and how many were `trained`.
        epochs, best_epoch: How many there were, and which one the model is of.
        texts_per_second: In training, the median over the epochs.
        rows: Of each part of the data.
        scores: Of each part that was scored, from 0.
        history: Epoch by epoch.
        versions: Of the packages that shape a result.
        seconds: Of each stage, and in total.
        lambdas, gamma: The layer mix, where it has weights.
        facts: What the task knows besides: its labels, what was left out …
        notes: What a reader of the scores should know: near chance, still rising, behind the baseline.
        baseline: Scores of a method without a language model on the same rows.
    """

    task: str
    model: str
    combine: str
    finetune: bool
    vectors: str | None
    seed: int
    precision: str
    parameters: dict[str, int]
    epochs: int
    best_epoch: int
    texts_per_second: float
    rows: dict[str, int]
    scores: dict[str, Scores]
    history: list[EpochRecord]
    versions: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    lambdas: list[float] | None = None
    gamma: float | None = None
    facts: JsonObject = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    baseline: Baseline | None = None
    figure: str = ""

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Of a finished run.

        Raises:
            ModelError: There is no `metrics.json`, or it is damaged.
        """
        return cls.from_json(read_json_object(Path(folder) / "metrics.json"))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """From what `to_json` gives."""
        rest = dict(values)
        scores = {name: Scores.from_json(rest.pop(name)) for name in SPLITS if name in rest}
        history = [EpochRecord.from_json(record) for record in rest.pop("history", [])]
        names = {item.name for item in fields(cls)} - {"scores", "history", "facts"}
        known = {name: rest.pop(name) for name in names if name in rest}
        return cls(scores=scores, history=history, facts=rest, **known)

    def to_json(self) -> JsonObject:
        """One object: the run, the facts of its task, the scores under the names of the parts, the epochs."""
        shown = [item.name for item in fields(self) if item.name not in ("scores", "history", "facts")]
        values = {name: getattr(self, name) for name in shown if getattr(self, name) is not None or name == "vectors"}
        if not self.notes:
            values.pop("notes")
        return {
            **values,
            **self.facts,
            **{name: scores.to_json() for name, scores in self.scores.items()},
            "history": [record.to_json() for record in self.history],
        }


def score_table(scores: Mapping[str, Scores], columns: Mapping[str, str], *, unit: str, places: int = 4) -> str:
    """Scores as a small table of text.

    Args:
        scores: By the name of their row.
        columns: Figures with their headings.
        unit: The count that is shown, and its heading.
        places: Behind the point.
    """
    lines = [f"{'':<12}{unit:>10}" + "".join(f"  {heading:>9}" for heading in columns.values())]
    for name, found in scores.items():
        figures = "".join(
            f"  {found.figure(figure):>{max(9, len(heading))}.{places}f}" for figure, heading in columns.items()
        )
        lines.append(f"{name:<12}{found.counts[unit]:>10,}{figures}")
    return "\n".join(lines)


def best_of(records: Sequence[EpochRecord], watched: str) -> EpochRecord:
    """The record of the best epoch, as `rank` has it; of equal ones the first."""
    return max(records, key=lambda record: rank(record.validation, watched))


def rank(validation: Mapping[str, float], watched: str, *, loss: str = "loss") -> tuple[float, float]:
    """What is greater for a better epoch: its score (of `loss` the lower one is better), then the lower loss.

    With few validation rows, many epochs have the same score, and the first of them has learned the least.

    Args:
        validation: Scores of an epoch.
        watched: The name of the score that chooses.
        loss: The name of the loss.
    """
    return (-validation[loss] if watched == loss else validation[watched]), -validation[loss]


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self._stages[stage], self._last = round(now - self._last, 2), now

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage and of all."""
        return {**self._stages, "total": round(sum(self._stages.values()), 2)}
