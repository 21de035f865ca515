"""The settings of classification."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from elmokit.settings import FILES, HOUSEKEEPING
from elmokit.tasks.config import HeadConfig
from elmokit.text.file_settings import FileSettings


class ClassifyConfig(FileSettings, HeadConfig):
    """The labelled rows"""

    planned_updates: ClassVar[int] = 2000

    train: list[str] = Field(
        min_length=1, description="files of labelled rows: CSV, TSV, JSON; or a `datasets` name",
        examples=[["train.csv"]], json_schema_extra=FILES,
    )  # fmt: skip
    test: list[str] = Field(
        min_length=1, description="test files, used only for the final report", examples=[["test.csv"]],
        json_schema_extra=FILES,
    )  # fmt: skip
    valid: list[str] = Field(
        default=[], description="validation files; without them a part of train is held out", json_schema_extra=FILES
    )
    text_column: str | None = Field(
        default=None, description="text: name, or number from 1; 'title,body', '2-' (to the last)",
        examples=["text"],
    )  # fmt: skip
    label_column: str | None = Field(default=None, description="label: name, or number from 1", examples=["label"])
    label_names: Path | None = Field(
        default=None, description="file with a name per line, in the order of the sorted labels",
        examples=["names.txt"], json_schema_extra=FILES,
    )  # fmt: skip
    phrases: bool = Field(default=True, description="of sentiment trees: every phrase is a training row, too")
    polarity: bool = Field(
        default=False, description="of sentiment trees: negative (0, 1) or positive (3, 4), without neutral ones"
    )
    valid_fraction: float = Field(
        default=0.05, gt=0.0, lt=1.0, description="part of train held out for validation, the same of every class"
    )
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training rows used")
    pooling: Literal["concat", "max", "mean", "last", "attention"] | None = Field(
        default=None, description="from words to a text", examples=["concat"]
    )
    best_by: Literal["accuracy", "loss", "macro_f1"] = Field(
        default="accuracy", description="validation score that chooses the epoch"
    )
    baseline: bool = Field(
        default=True, description="also score TF-IDF + linear SVM on the same rows", json_schema_extra=HOUSEKEEPING
    )

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by

    @property
    def figure(self) -> str:
        """The main test score."""
        return "accuracy"
