"""The settings of tagging."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from elmokit.settings import FILES
from elmokit.tasks.config import HeadConfig


class TagConfig(HeadConfig):
    """The tagged sentences"""

    cleaned_by_word: ClassVar[bool] = True
    planned_updates: ClassVar[int] = 3500
    fewest_epochs: ClassVar[int] = 8
    largest_batch: ClassVar[int] = 32

    train: list[str] = Field(
        min_length=1, description="CoNLL files: a word per line with columns, empty lines between sentences; also .gz",
        examples=[["train.conll"]], json_schema_extra=FILES,
    )  # fmt: skip
    test: list[str] = Field(
        min_length=1, description="test files, used only for the final report", examples=[["test.conll"]],
        json_schema_extra=FILES,
    )  # fmt: skip
    valid: list[str] = Field(
        default=[], description="validation files; without them a part of train is held out", json_schema_extra=FILES
    )
    word_column: int = Field(default=1, description="column of the words: from 1, or from the end with -1")
    tag_column: int = Field(default=-1, description="column of the tags: from 1, or from the end with -1")
    valid_fraction: float = Field(default=0.1, gt=0.0, lt=1.0, description="part of train held out for validation")
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training sentences used")
    scheme: Literal["BIO", "BIOES"] = Field(
        default="BIOES", description="tags that are learned; the files may have IOB1, BIO or BIOES"
    )
    split: Literal["penn", "whitespace"] | None = Field(
        default="penn", description="how raw text is split into words; null: as in the model's pretraining"
    )
    max_words: int = Field(default=256, ge=1, description="longer sentences are read in parts")
    context_words: int | None = Field(
        default=None, ge=1,
        description="the biLM reads the sentences of a document together, in runs of about this many words",
        examples=[200],
    )  # fmt: skip
    char_features: int | None = Field(
        default=None, ge=0, description="filters of the tagger's own char CNN beside the mixed layers", examples=[128]
    )
    mix_at: Literal["input", "between", "both"] | None = Field(
        default=None, description="where the BiLSTM reads the mixed layers; between: after its first layer",
        examples=["input"],
    )  # fmt: skip
    best_by: Literal["f1", "accuracy", "loss"] = Field(
        default="f1", description="validation score that chooses the epoch"
    )

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by

    @property
    def figure(self) -> str:
        """The main test score."""
        return "f1"
