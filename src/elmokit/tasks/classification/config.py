"""The settings of classification."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from elmokit.settings import FILES, HOUSEKEEPING
from elmokit.tasks.config import HeadConfig, Target, TestFiles, ValidFiles
from elmokit.text.file_settings import FileSettings

SCORES: dict[Target, tuple[str, ...]] = {
    "label": ("accuracy", "macro_f1"),
    "labels": ("micro_f1", "macro_f1", "lrap"),
    "number": ("pearson", "spearman"),
}
"""Validation scores of each target, the main one first."""


class ClassifyConfig(FileSettings, HeadConfig):
    """The labelled rows"""

    reads_data_sets: ClassVar[bool] = True
    planned_updates: ClassVar[int] = 2000
    head_of_few: ClassVar[Mapping[str, Any]] = {"head_layers": 1, "head_dropout": 0.5}
    """Chosen on rows of CR and AG News that were kept from 1,000 training rows (docs/classification.md)."""

    train: list[str] = Field(
        min_length=1,
        description="labelled rows: CSV, TSV, JSON, fastText; folders named after classes; a `datasets` name",
        examples=[["train.csv"]],
        json_schema_extra=FILES,
    )
    test: TestFiles = Field(examples=[["test.csv"]])
    valid: ValidFiles = Field(default=[])
    text_column: str | None = Field(
        default=None, description="text: name, or number from 1; 'title,body', '2-' (to the last)", examples=["text"]
    )
    label_column: str | None = Field(
        default=None,
        description="label: name, or number from 1; with target labels also names of columns of 1 and 0: 'rude,kind'",
        examples=["label"],
    )
    label_names: Path | None = Field(
        default=None,
        description="file with a name per line, in the order of the sorted labels",
        examples=["names.txt"],
        json_schema_extra=FILES,
    )
    target: Target = Field(
        default="label", description="what is learned: one label, several labels per text, or a number (regression)"
    )
    label_separator: str = Field(
        default=",", min_length=1, description="with target labels: between the labels in a cell of a table"
    )
    class_weights: dict[str, float] | Literal["balanced"] | None = Field(
        default=None,
        description="weights of labels in the loss: balanced (rare ones weigh more), or spam=5,ham=0.5; others weigh 1",
        examples=["balanced"],
    )
    threshold: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="with target labels: probability from which a label is given; default: chosen on validation rows",
        examples=[0.5],
    )
    phrases: bool = Field(default=True, description="of sentiment trees: every phrase is a training row, too")
    polarity: bool = Field(
        default=False, description="of sentiment trees: negative (0, 1) or positive (3, 4), without neutral ones"
    )
    valid_fraction: float = Field(
        default=0.05, gt=0.0, lt=1.0, description="part of train held out for validation, the same of every class"
    )
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training rows used")
    pooling: Literal["concat", "max", "mean", "last", "attention"] | None = Field(
        default=None, description="how word vectors become one vector of the text", examples=["concat"]
    )
    head_layers: int | None = Field(
        default=None, description="layers of the BiLSTM; default: 1 up to 10,000 rows, 2 beyond", examples=[1]
    )
    head_dropout: float | None = Field(
        default=None,
        description="dropout before, between and after the BiLSTM layers; default: 0.5 up to 10,000 rows, 0.3 beyond",
        examples=[0.5],
    )
    best_by: Literal["accuracy", "micro_f1", "macro_f1", "lrap", "pearson", "spearman", "loss"] | None = Field(
        default=None,
        description="validation score that chooses the epoch; default: accuracy, micro_f1 of several labels, pearson "
        "of numbers",
        examples=["macro_f1"],
    )
    baseline: bool = Field(
        default=True, description="also score TF-IDF + linear SVM on the same rows", json_schema_extra=HOUSEKEEPING
    )

    @field_validator("class_weights", mode="before")
    @classmethod
    def _weights(cls, value: Any) -> Any:
        """`spam=5,other=0.5` as a mapping."""
        if not isinstance(value, str) or value == "balanced":
            return value
        parts = [part.rpartition("=") for part in value.split(",")]
        if not all(label and weight for label, _, weight in parts):
            raise ValueError("expected balanced, or a weight for each label as spam=5,other=0.5")
        return {label.strip(): weight for label, _, weight in parts}

    @model_validator(mode="after")
    def _fits_the_target(self) -> Self:
        if isinstance(self.class_weights, dict) and min(self.class_weights.values(), default=1.0) <= 0.0:
            raise ValueError("class_weights must be above 0")
        if self.class_weights is not None and self.target == "number":
            raise ValueError("class_weights need target label or labels, got number")
        if self.threshold is not None and self.target != "labels":
            raise ValueError(f"threshold needs target labels, got {self.target}")
        if self.best_by not in (None, "loss", *SCORES[self.target]):
            raise ValueError(f"best_by of target {self.target} is one of {', '.join(SCORES[self.target])}, loss")
        return self

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by or self.figure

    @property
    def figure(self) -> str:
        """The main test score."""
        return SCORES[self.target][0]

    @property
    def separator(self) -> str | None:
        """What is between labels, where a text may have several."""
        return self.label_separator if self.target == "labels" else None
