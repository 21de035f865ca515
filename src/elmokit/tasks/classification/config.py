"""Every setting of a classification run, with its default and its meaning; unknown keys are errors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from elmokit.tasks.config import HeadConfig


class ClassifyConfig(HeadConfig):
    """What `elmo train classify` is told. `model`, `train`, `test` and `output` are needed, the rest has defaults."""

    train: list[str] = Field(min_length=1, description="CSV, TSV or JSONL files (each also .gz), or a `datasets` name")
    test: list[str] = Field(min_length=1, description="the rows of the final report; never used for choosing")
    valid: list[str] = Field(default=[], description="validation files; without them a part of train is split off")
    text_column: str | None = Field(default=None, description="name or 1-based number; '2-' joins column 2 to the last")
    label_column: str | None = Field(default=None, description="name or 1-based number")
    label_names: Path | None = Field(default=None, description="one name a line, in the order of the sorted labels")
    phrases: bool = Field(default=True, description="of sentiment trees: every phrase is a training row, too")
    polarity: bool = Field(
        default=False, description="of sentiment trees: negative (0, 1) or positive (3, 4), neutral ones left out"
    )
    valid_fraction: float = Field(default=0.05, gt=0.0, lt=1.0)
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training rows kept, stratified")
    pooling: str | None = Field(default=None, description="from words to a text; what the model's config says without")
    best_by: Literal["accuracy", "loss", "macro_f1"] = "accuracy"
    train_report_rows: int | None = Field(
        default=10_000, ge=1, description="the report scores this many of the training rows, drawn at random; null: all"
    )
    baseline: bool = Field(default=False, description="also score TF-IDF + linear SVM on the same rows")

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by
