"""The settings of `elmo compare`: data, seeds, what is shared, and one entry a row of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from elmokit.settings import Settings
from elmokit.tasks.classification.config import ClassifyConfig

Kind = Literal["tfidf", "random", "svd", "cbow", "skipgram", "vectors", "model"]
STATIC: tuple[Kind, ...] = ("random", "svd", "cbow", "skipgram", "vectors")
"""Kinds of one vector a word, the random floor among them."""


class DataConfig(Settings):
    """The labelled rows: as of `elmo train classify`, whose documentation says more."""

    train: list[str] = Field(min_length=1)
    test: list[str] = Field(min_length=1)
    valid: list[str] = Field(default=[])
    text_column: str | None = None
    label_column: str | None = None
    label_names: Path | None = None
    phrases: bool = True
    polarity: bool = False
    valid_fraction: float = Field(default=0.05, gt=0.0, lt=1.0)
    clean: list[str] | None = None
    max_words: int = Field(default=128, ge=1)


class RowConfig(Settings):
    """One method.

    Attributes:
        name: As the table shows it; `vectors` and `start` of other rows refer to it.
        kind: tfidf (with a linear SVM), random (vectors), svd, cbow, skipgram (trained on `text`), vectors (a file) or
            model (a biLM).
        file: The vectors of kind `vectors`.
        model: The folder of kind `model`.
        pretrain: Settings of `elmo pretrain` that make the model of kind `model`, instead of `model`.
        vectors: Name of a static row whose vectors stand beside the layers of a model.
        start: Name of a row of the same kind from whose trained classifiers, of the same seed and share of labels, this
            one goes on: with `finetune` in `settings`, the biLM or the static vectors learn too.
        settings: Of `elmo train classify` for this row, over the study's `classifier`.
        seeds: Other seeds than the study's.
        note: A sentence for the report.
    """

    name: str = Field(min_length=1)
    kind: Kind
    file: Path | None = None
    model: str | None = None
    pretrain: dict[str, Any] | None = None
    vectors: str | None = None
    start: str | None = None
    settings: dict[str, Any] = Field(default={})
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

    @field_validator("settings")
    @classmethod
    def _known_settings(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return check_classifier(settings)


class EfficiencyConfig(Settings):
    """The curve over the share of labels.

    Attributes:
        fractions: Shares of the training rows, the same of every class; the whole is always drawn.
        rows: Names of the rows in it.
        settings: Of `elmo train classify` for a share, over everything else: fewer rows want more epochs.
    """

    fractions: list[float] = Field(default=[0.01, 0.05, 0.2])
    rows: list[str] = Field(default=[])
    settings: dict[float, dict[str, Any]] = Field(default={})

    @field_validator("fractions")
    @classmethod
    def _shares(cls, fractions: list[float]) -> list[float]:
        if not all(0 < fraction < 1 for fraction in fractions) or sorted(set(fractions)) != fractions:
            raise ValueError("rising shares between 0 and 1 are expected")
        return fractions

    @field_validator("settings")
    @classmethod
    def _known(cls, settings: dict[float, dict[str, Any]], info: ValidationInfo) -> dict[float, dict[str, Any]]:
        for fraction, values in settings.items():
            if fraction not in info.data.get("fractions", [fraction]):
                raise ValueError(f"{fraction} is none of the fractions")
            check_classifier(values)
        return settings


class MapConfig(Settings):
    """The picture of one word's uses under each method.

    Attributes:
        word: Lower or upper case does not matter; None draws none.
        rows: Names of rows; all that have vectors without.
        uses: Uses at most, the first of the test texts.
    """

    word: str | None = None
    rows: list[str] | None = None
    uses: int = Field(default=200, ge=2)


class CompareConfig(Settings):
    """A whole study.

    Attributes:
        title: Of the report.
        output: Folder of the report and of everything computed for it.
        data: The labelled rows.
        text: Text files that static vectors and `pretrain` rows learn from; the texts of the training rows without.
        text_column: Where the text stands in tables of `text`.
        seeds: Each row is trained once with each.
        classifier: Settings of `elmo train classify` that all rows share.
        vectors: Settings of `elmo train vectors` that the static rows share.
        rows: The methods, in the order of the table.
        efficiency: The curve over the share of labels.
        word_map: One word's uses under each method.
        processes: Trainings at a time, one thread each; one a core without.
        cache: Folder of the computed biLM layers.
        progress: Show a bar.
    """

    title: str = "Comparison"
    output: Path
    data: DataConfig
    text: list[str] = Field(default=[])
    text_column: str | None = None
    seeds: list[int] = Field(default=[1, 2, 3], min_length=1)
    classifier: dict[str, Any] = Field(default={})
    vectors: dict[str, Any] = Field(default={})
    rows: list[RowConfig] = Field(min_length=1)
    efficiency: EfficiencyConfig = EfficiencyConfig()
    word_map: MapConfig = MapConfig()
    processes: int | None = Field(default=None, ge=1)
    cache: Path | None = None
    progress: bool = True

    @field_validator("classifier")
    @classmethod
    def _known_settings(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return check_classifier(settings)

    @model_validator(mode="after")
    def _names_fit(self) -> CompareConfig:
        kinds: dict[str, Kind] = {}
        for row in self.rows:
            if row.name in kinds:
                raise ValueError(f"two rows have the name {row.name!r}")
            if row.vectors is not None and kinds.get(row.vectors) not in STATIC:
                raise ValueError(f"row {row.name!r}: vectors {row.vectors!r} is no static row above it")
            if row.vectors is not None and self.row(row.vectors).start is not None:
                raise ValueError(
                    f"row {row.name!r}: vectors {row.vectors!r} learns within its classifiers; "
                    "name the row it starts from"
                )
            if row.start is not None and kinds.get(row.start) != row.kind:
                raise ValueError(f"row {row.name!r}: start {row.start!r} is no row of kind {row.kind} above it")
            kinds[row.name] = row.kind
        for place, names in (("efficiency.rows", self.efficiency.rows), ("word_map.rows", self.word_map.rows or [])):
            if unknown := [name for name in names if name not in kinds]:
                raise ValueError(f"{place} names {unknown[0]!r}; the rows are {', '.join(kinds)}")
        return self

    def row(self, name: str) -> RowConfig:
        """The row of a name."""
        return next(row for row in self.rows if row.name == name)


_OURS = {
    "model",
    "train",
    "test",
    "valid",
    "output",
    "seed",
    "train_fraction",
    "vectors",
    "threads",
    "cache",
    "baseline",
}


def check_classifier(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of `elmo train classify` that a study may give.

    Raises:
        ValueError: An unknown one, or one that the study sets itself.
    """
    for name in settings:
        if name in _OURS:
            raise ValueError(f"{name!r} is set by the study")
        if name not in ClassifyConfig.model_fields:
            raise ValueError(f"{name!r} is no setting of elmo train classify")
    return settings
