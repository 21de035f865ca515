"""Text pairs: two texts and a label (entailment, paraphrase), or two texts and a number (relatedness).

One call to train (`train_pairs`), one class to predict (`PairClassifier`); the settings stand here, for the command
line, which needs no torch to read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from elmokit.settings import FILES
from elmokit.tasks import on_use
from elmokit.tasks.config import HeadConfig, TestFiles, ValidFiles
from elmokit.text.formats import endings_of

if TYPE_CHECKING:
    from elmokit.tasks.pairs.predict import PairClassifier
    from elmokit.tasks.pairs.task import train_pairs

__all__ = ["PairClassifier", "PairsConfig", "train_pairs"]


class PairsConfig(HeadConfig):
    """The pairs of texts"""

    planned_updates: ClassVar[int] = 4000

    train: list[str] = Field(
        min_length=1,
        description=f"files of pairs ({', '.join(endings_of('has_labels'))}), also compressed",
        examples=[["train.csv"]],
        json_schema_extra=FILES,
    )
    test: TestFiles = Field(examples=[["test.csv"]])
    valid: ValidFiles = Field(default=[])
    first_column: str | None = Field(
        default=None, description="first text: name, or number from 1", examples=["premise"]
    )
    second_column: str | None = Field(
        default=None, description="second text: name, or number from 1", examples=["hypothesis"]
    )
    label_column: str | None = Field(
        default=None, description="label or number: name, or number from 1", examples=["label"]
    )
    target: Literal["label", "number"] = Field(
        default="label", description="what is learned: one of several labels, or a number (regression)"
    )
    valid_fraction: float = Field(default=0.1, gt=0.0, lt=1.0, description="part of train held out for validation")
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training pairs used")
    best_by: Literal["score", "loss"] = Field(
        default="score", description="validation score that chooses the epoch: accuracy or Pearson's r, or the loss"
    )

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return "loss" if self.best_by == "loss" else "accuracy" if self.target == "label" else "pearson"

    @property
    def figure(self) -> str:
        """The main test score."""
        return "accuracy" if self.target == "label" else "pearson"


__getattr__ = on_use(__name__, {"PairClassifier": "predict", "train_pairs": "task"})
