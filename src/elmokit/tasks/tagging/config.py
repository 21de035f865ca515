"""Every setting of a tagging run, with its default and its meaning; unknown keys are errors."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from elmokit.tasks.config import HeadConfig


class TagConfig(HeadConfig):
    """What `elmo train tag` is told. `model`, `train`, `test` and `output` are needed, the rest has defaults."""

    cleaned_by_word: ClassVar[bool] = True

    train: list[str] = Field(min_length=1, description="CoNLL files (also .gz): a word a line, blank between sentences")
    test: list[str] = Field(min_length=1, description="the sentences of the final report; never used for choosing")
    valid: list[str] = Field(default=[], description="validation files; without them a part of train is split off")
    word_column: int = Field(default=1, description="from 1; from the end with -1")
    tag_column: int = Field(default=-1, description="from 1; from the end with -1")
    valid_fraction: float = Field(default=0.1, gt=0.0, lt=1.0)
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training sentences kept")
    scheme: Literal["BIO", "BIOES"] = Field(default="BIOES", description="what the tagger learns; files may have IOB1")
    split: Literal["penn", "whitespace"] | None = Field(
        default="penn", description="how raw text is split into words; null: as in the model's pretraining"
    )
    max_words: int = Field(default=256, ge=1, description="longer sentences are read in pieces")
    context_words: int | None = Field(
        default=None, ge=1,
        description="the biLM reads the sentences of a document together, in runs of about so many words at most; "
        "without it each sentence alone",
    )  # fmt: skip
    char_features: int | None = Field(
        default=None, ge=0, description="filters of a char CNN of the tagger's own, beside the mixed layers"
    )
    mix_at: Literal["input", "between", "both"] | None = Field(
        default=None,
        description="where the BiLSTM reads the mixed layers: at its input, after its first layer, or both",
    )
    batch_size: int = Field(default=32, ge=1)
    best_by: Literal["f1", "accuracy", "loss"] = "f1"

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by
