"""The settings of tagging."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from elmokit.settings import FILES
from elmokit.tasks.config import HeadConfig, TestFiles, ValidFiles

FileScheme = Literal["BIO", "IOB1", "BIOES", "BILOU", "BMES", "IO", "plain"]
PLAIN_COLUMNS = ("LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS")
"""Columns of CoNLL-U that say something of each word on its own."""


class TagConfig(HeadConfig):
    """The tagged sentences"""

    cleaned_by_word: ClassVar[bool] = True
    planned_updates: ClassVar[int] = 3500
    fewest_epochs: ClassVar[int] = 8
    largest_batch: ClassVar[int] = 32

    train: list[str] = Field(
        min_length=1,
        description="CoNLL or CoNLL-U files: a word per line with columns, empty lines between sentences; also packed",
        examples=[["train.conll"]],
        json_schema_extra=FILES,
    )
    test: TestFiles = Field(examples=[["test.conll"]])
    valid: ValidFiles = Field(default=[])
    word_column: int | str | None = Field(
        default=None,
        description="column of the words: from 1, from the end with -1, or a name of CoNLL-U; default: 1, or FORM",
        examples=[1],
    )
    tag_column: int | str | None = Field(
        default=None,
        description="column of the tags, likewise: UPOS, XPOS, FEATS …; default: -1, the last one",
        examples=["UPOS"],
    )
    file_scheme: FileScheme | None = Field(
        default=None,
        description="what the tags of the files are: a scheme of spans; plain: one of each word, such as parts of "
        "speech; default: plain for UPOS, XPOS and FEATS, else the scheme of spans that fits",
        examples=["plain"],
    )
    valid_fraction: float = Field(default=0.1, gt=0.0, lt=1.0, description="part of train held out for validation")
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training sentences used")
    scheme: Literal["BIO", "BIOES"] = Field(
        default="BIOES", description="tags that are learned for spans, whatever scheme the files have"
    )
    split: Literal["penn", "whitespace"] | None = Field(
        default="penn", description="how raw text is split into words; null: as in the model's pretraining"
    )
    max_words: int = Field(default=256, ge=1, description="longer sentences are read in parts")
    context_words: int | None = Field(
        default=None,
        ge=1,
        description="the biLM reads the sentences of a document together, in runs of about this many words",
        examples=[200],
    )
    char_features: int | None = Field(
        default=None, ge=0, description="filters of the tagger's own char CNN next to the mixed layers", examples=[128]
    )
    mix_at: Literal["input", "between", "both"] | None = Field(
        default=None,
        description="where the BiLSTM reads the mixed layers; between: after its first layer",
        examples=["input"],
    )
    best_by: Literal["f1", "accuracy", "loss"] | None = Field(
        default=None,
        description="validation score that chooses the epoch; default: f1 of spans, accuracy of plain tags",
        examples=["loss"],
    )

    @field_validator("word_column", "tag_column", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        """A number that came as text is one."""
        return int(value) if isinstance(value, str) and value.removeprefix("-").isdecimal() else value

    @model_validator(mode="after")
    def _f1_is_of_spans(self) -> Self:
        if self.plain and self.best_by == "f1":
            raise ValueError("best_by f1 is of spans; plain tags have accuracy and loss")
        return self

    @property
    def plain(self) -> bool:
        """Whether tags are of single words, not of spans."""
        if self.file_scheme is None:
            return isinstance(self.tag_column, str) and self.tag_column.upper() in PLAIN_COLUMNS
        return self.file_scheme == "plain"

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by or self.figure

    @property
    def figure(self) -> str:
        """The main test score."""
        return "accuracy" if self.plain else "f1"
