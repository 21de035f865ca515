"""The settings of `elmo compare`: a task, its data, seeds, what all rows share, and one entry per row of the table."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from elmokit.settings import Settings, SettingValues, roles
from elmokit.tasks import TASKS

Kind = Literal["tfidf", "random", "svd", "cbow", "skipgram", "vectors", "model"]
STATIC: tuple[Kind, ...] = ("random", "svd", "cbow", "skipgram", "vectors")
"""Kinds with one vector per word, the random baseline among them."""

_OLD_NAMES = {"classifier": "settings", "common": "settings"}
_SET_BY_COMPARE = {"model", "vectors", "output", "seed", "threads", "cache", "baseline"}
_VARIABLE = re.compile(r"\$(\w+)")


class RowConfig(Settings):
    """One method.

    Attributes:
        name: As the table shows it; `vectors` and `start` of other rows refer to it.
        kind: tfidf (with a linear SVM, classification only), random (vectors), svd, cbow, skipgram (trained on `text`),
            vectors (a file) or model (a biLM, or any model folder).
        file: The vectors of kind `vectors`.
        model: The folder of kind `model`.
        pretrain: Settings of `elmo pretrain` that make the model of kind `model`, instead of `model`.
        vectors: Static vectors, concatenated with the layers of a model: the name of a static row above, or a file.
        start: Name of a row of the same kind: this row continues from its trained models, of the same seed and share of
            labels. With `finetune` in `settings`, the biLM or the static vectors are trained too.
        settings: Of `elmo train` for this row, over those that all rows share.
        seeds: Other seeds than those of the comparison.
        note: A sentence for the report.
    """

    name: str = Field(min_length=1)
    kind: Kind = "model"
    file: Path | None = None
    model: str | None = None
    pretrain: SettingValues | None = None
    vectors: str | None = None
    start: str | None = None
    settings: SettingValues = Field(default={})
    seeds: list[int] | None = Field(default=None, min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> RowConfig:
        if (self.kind == "vectors" and self.start is None) != (self.file is not None):
            raise ValueError("a row of kind vectors, and no other, has a `file`")
        ways = [self.model, self.pretrain, self.start]
        if self.kind == "model" and sum(way is not None for way in ways) != 1:
            raise ValueError("a row of kind model has one of `model`, `pretrain` and `start`")
        if self.kind != "model" and any(way is not None for way in (self.model, self.pretrain, self.vectors)):
            raise ValueError("only rows of kind model have `model`, `pretrain` or `vectors`")
        if self.kind == "tfidf" and self.start is not None:
            raise ValueError("a row of kind tfidf has no `start`")
        return self


class EfficiencyConfig(Settings):
    """The curve over the share of labels.

    Attributes:
        fractions: Shares of the training rows, the same of every class; all rows are always included.
        rows: Names of the rows in it.
        settings: Of `elmo train` for a share, over everything else: fewer rows need more epochs.
    """

    fractions: list[float] = Field(default=[0.01, 0.05, 0.2])
    rows: list[str] = Field(default=[])
    settings: dict[float, SettingValues] = Field(default={})

    @field_validator("fractions")
    @classmethod
    def _shares(cls, fractions: list[float]) -> list[float]:
        if not all(0 < fraction < 1 for fraction in fractions) or sorted(set(fractions)) != fractions:
            raise ValueError("rising shares between 0 and 1 are expected")
        return fractions

    @model_validator(mode="after")
    def _settings_of_shares(self) -> EfficiencyConfig:
        for fraction in self.settings:
            if fraction not in self.fractions:
                raise ValueError(f"{fraction} is none of the fractions")
        return self


class MapConfig(Settings):
    """The picture of one word's occurrences under each method, for classification.

    Attributes:
        word: In any case; None draws none.
        rows: Names of rows; by default all that have vectors.
        uses: Maximum number of occurrences, the first of the test texts.
    """

    word: str | None = None
    rows: list[str] | None = None
    uses: int = Field(default=200, ge=2)


class CompareConfig(Settings):
    """A whole comparison.

    Attributes:
        title: Of the report.
        output: Folder of the report and of everything computed for it.
        task: As in `elmo train TASK`.
        data: The settings of `elmo train TASK` that name the data: files, columns, how they are read.
        text: Text files that static vectors and `pretrain` rows are trained on; by default the texts of the training
            rows (classification only).
        text_column: Column of the text in tables of `text`.
        seeds: Each row is trained once with each.
        settings: Of `elmo train TASK` that all rows share; also called `classifier` or `common`.
        vectors: Settings of `elmo train vectors` that the static rows share.
        rows: The methods, in the order of the table.
        baselines: Rows that the others are compared with, seed by seed; by default the first.
        efficiency: The curve over the share of labels.
        word_map: One word's occurrences under each method.
        processes: Runs at a time, one thread each; by default one per core.
        cache: Folder of the computed biLM layers.
        progress: Show a bar.
    """

    title: str = "Comparison"
    output: Path
    task: str = "classify"
    data: SettingValues
    text: list[str] = Field(default=[])
    text_column: str | None = None
    seeds: list[int] = Field(default=[1, 2, 3], min_length=1)
    settings: SettingValues = Field(default={})
    vectors: SettingValues = Field(default={})
    rows: list[RowConfig] = Field(min_length=1)
    baselines: list[str] = Field(default=[])
    efficiency: EfficiencyConfig = EfficiencyConfig()
    word_map: MapConfig = MapConfig()
    processes: int | None = Field(default=None, ge=1)
    cache: Path | None = None
    progress: bool = True

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, values: Any) -> Any:
        """Old names of settings, and environment variables such as `$ELMOKIT_DATA` in any text."""
        if not isinstance(values, dict):
            return values
        renamed: SettingValues = {}
        for name, value in values.items():
            if name in _OLD_NAMES and _OLD_NAMES[name] in values:
                raise ValueError(f"{name!r} is another name of {_OLD_NAMES[name]!r}: give one of them")
            renamed[_OLD_NAMES.get(name) or name] = value
        return _with_variables(renamed)

    @field_validator("task")
    @classmethod
    def _known_task(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"expected one of {', '.join(TASKS)}")
        return task

    @model_validator(mode="after")
    def _fits_its_task(self) -> CompareConfig:
        for name in self.data:
            self._check_setting(name)
        shares = self.efficiency.settings.values()
        for settings in (self.settings, *(row.settings for row in self.rows), *shares):
            for name in settings:
                self._check_setting(name)
                if roles(TASKS[self.task].settings())[name].files:
                    raise ValueError(f"{name!r} belongs to `data`")
        if self.task != "classify":
            only = [row.name for row in self.rows if row.kind == "tfidf"]
            if only:
                raise ValueError(f"row {only[0]!r}: kind tfidf is for the task classify")
            if self.word_map.word is not None:
                raise ValueError("word_map is for the task classify")
            new = [row for row in self.rows if row.start is None]
            if not self.text and any(row.kind not in ("model", "vectors") or row.pretrain is not None for row in new):
                raise ValueError("`text` is missing: static vectors and `pretrain` rows are trained on it")
        return self

    def _check_setting(self, name: str) -> None:
        """Raises ValueError for an unknown setting of the task, or one that the comparison sets itself."""
        if name in _SET_BY_COMPARE:
            where = ": give it to the row, next to `settings`" if name in ("model", "vectors") else ""
            raise ValueError(f"{name!r} is set by the study{where}")
        if name not in TASKS[self.task].settings().model_fields:
            raise ValueError(f"{name!r} is no setting of elmo train {self.task}")

    @model_validator(mode="after")
    def _names_fit(self) -> CompareConfig:
        kinds: dict[str, Kind] = {}
        for row in self.rows:
            if row.name in kinds:
                raise ValueError(f"two rows have the name {row.name!r}")
            beside = row.vectors
            if beside is not None and not Path(beside).suffix and kinds.get(beside) not in STATIC:
                raise ValueError(f"row {row.name!r}: vectors {beside!r} is no static row above it, and no file")
            if beside is not None and beside in kinds and self.row(beside).start is not None:
                raise ValueError(
                    f"row {row.name!r}: vectors {beside!r} learns within its classifiers; name the row it starts from"
                )
            if row.start is not None and kinds.get(row.start) != row.kind:
                raise ValueError(f"row {row.name!r}: start {row.start!r} is no row of kind {row.kind} above it")
            kinds[row.name] = row.kind
        named = {
            "baselines": self.baselines,
            "efficiency.rows": self.efficiency.rows,
            "word_map.rows": self.word_map.rows or [],
        }
        for place, names in named.items():
            if unknown := [name for name in names if name not in kinds]:
                raise ValueError(f"{place} names {unknown[0]!r}; the rows are {', '.join(kinds)}")
        return self

    def row(self, name: str) -> RowConfig:
        """The row of a name."""
        return next(row for row in self.rows if row.name == name)

    def seeds_of(self, row: RowConfig) -> list[int]:
        """The seeds a row is trained with."""
        return row.seeds or self.seeds


def _with_variables(value: Any) -> Any:
    """`value` with environment variables in its texts.

    Raises:
        ValueError: A variable is not set.
    """
    if isinstance(value, dict):
        return {key: _with_variables(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_variables(inner) for inner in value]
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if name not in os.environ:
            raise ValueError(f"{value}: set {name} to the folder that is meant")
    return _VARIABLE.sub(lambda found: os.environ[found[1]], value)
