"""The settings of question answering."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from elmokit.settings import FILES
from elmokit.tasks.config import HeadConfig, TestFiles, ValidFiles


class QuestionAnsweringConfig(HeadConfig):
    """The questions"""

    cleaned_by_word: ClassVar[bool] = True
    planned_updates: ClassVar[int] = 4000
    fewest_epochs: ClassVar[int] = 2
    largest_batch: ClassVar[int] = 32

    train: list[str] = Field(
        min_length=1,
        description="JSON files of SQuAD 1.1 or 2.0, or rows as in `datasets`; also packed",
        examples=[["train-v1.1.json"]],
        json_schema_extra=FILES,
    )
    test: TestFiles = Field(examples=[["dev-v1.1.json"]])
    valid: ValidFiles = Field(default=[])
    valid_fraction: float = Field(
        default=0.05, gt=0.0, lt=1.0, description="part of the training passages held out for validation"
    )
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training passages used")
    split: Literal["penn", "whitespace"] | None = Field(
        default="penn", description="how raw text is split into words; null: as in the model's pretraining"
    )
    max_words: int = Field(default=400, ge=1, description="longer passages are read in windows of this length")
    stride: int = Field(default=200, ge=1, description="words from the start of a window to that of the next")
    max_question_words: int = Field(default=64, ge=1, description="longer questions are cut")
    max_answer_words: int = Field(default=30, ge=1, description="longer answers are never given")
    self_attention: bool | None = Field(
        default=None, description="words of a passage attend to one another, too", examples=[True]
    )
    no_answer_threshold: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="no-answer score above which a question gets no answer; default: chosen on validation questions",
        examples=[0.5],
    )
    no_answer_recall: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="choose the highest threshold at which this part of the validation questions without an answer "
        "gets none; default: the threshold with the best F1",
        examples=[0.8],
    )
    best_by: Literal["f1", "exact_match", "loss"] = Field(
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

    @model_validator(mode="after")
    def _windows_leave_nothing_out(self) -> Self:
        if self.stride > self.max_words:
            raise ValueError(f"stride is {self.stride}; expected at most max_words ({self.max_words})")
        return self

    @model_validator(mode="after")
    def _one_source_of_the_threshold(self) -> Self:
        if self.no_answer_threshold is not None and self.no_answer_recall is not None:
            raise ValueError(
                "no_answer_recall chooses the threshold and no_answer_threshold gives it; expected one of them"
            )
        return self
