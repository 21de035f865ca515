"""Every setting of a question-answering run, with its default and its meaning; unknown keys are errors."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from elmokit.tasks.config import HeadConfig


class QuestionAnsweringConfig(HeadConfig):
    """What `elmo train qa` is told. `model`, `train`, `test` and `output` are needed, the rest has defaults."""

    cleaned_by_word: ClassVar[bool] = True

    train: list[str] = Field(min_length=1, description="JSON files of SQuAD 1.1 (also .gz)")
    test: list[str] = Field(min_length=1, description="the questions of the final report; never used for choosing")
    valid: list[str] = Field(default=[], description="validation files; without them a part of train is split off")
    valid_fraction: float = Field(default=0.05, gt=0.0, lt=1.0, description="of the training passages")
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="of the training passages, kept")
    split: Literal["penn", "whitespace"] | None = Field(
        default="penn", description="how raw text is split into words; null: as in the model's pretraining"
    )
    max_words: int = Field(default=400, ge=1, description="longer passages are read in windows of this length")
    stride: int = Field(default=200, ge=1, description="words from the begin of a window to that of the next")
    max_question_words: int = Field(default=64, ge=1, description="longer questions are cut")
    max_answer_words: int = Field(default=30, ge=1, description="longer answers are never given")
    self_attention: bool | None = Field(default=None, description="words of a passage attend to one another, too")
    batch_size: int = Field(default=32, ge=1)
    best_by: Literal["f1", "exact_match", "loss"] = "f1"

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by

    @model_validator(mode="after")
    def _windows_leave_nothing_out(self) -> Self:
        if self.stride > self.max_words:
            raise ValueError(f"stride is {self.stride}; expected at most max_words ({self.max_words})")
        return self
