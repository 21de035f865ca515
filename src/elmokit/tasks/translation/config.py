"""The settings of translation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from elmokit.settings import FILES
from elmokit.tasks.config import HeadConfig, TestFiles, ValidFiles


class TranslationConfig(HeadConfig):
    """The pairs of sentences"""

    planned_updates: ClassVar[int] = 5000
    fewest_epochs: ClassVar[int] = 12

    train_source: list[str] = Field(
        min_length=1,
        description="sentences in the language of the biLM, one per line, also .gz",
        examples=[["train.de"]],
        json_schema_extra=FILES,
    )
    train_target: list[str] = Field(
        min_length=1, description="their translations, line by line", examples=[["train.en"]], json_schema_extra=FILES
    )
    test_source: TestFiles = Field(examples=[["test.de"]])
    test_target: list[str] = Field(
        min_length=1, description="their translations", examples=[["test.en"]], json_schema_extra=FILES
    )
    valid_source: ValidFiles = Field(default=[])
    valid_target: list[str] = Field(default=[], description="their translations", json_schema_extra=FILES)
    valid_fraction: float = Field(default=0.05, gt=0.0, lt=1.0, description="part of train held out for validation")
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training pairs used")
    skip_empty: bool = Field(
        default=False, description="leave out lines that are empty on one side; false: they are errors"
    )
    max_words: int = Field(
        default=128, ge=1, description="longer sentences are not trained on, and translated in parts"
    )
    max_pieces: int = Field(default=256, ge=1, description="longer translations are not trained on")

    # Few pieces do better than many where there is little text (Sennrich & Zhang 2019).
    n_pieces: int = Field(
        default=5000, ge=259, description="pieces of the target language; a translator to start from has its own"
    )
    head_hidden_dim: int | None = Field(default=256, description="units of each direction of the encoder's BiLSTM")
    head_layers: int | None = Field(default=1, description="layers of the encoder's BiLSTM")
    target_dim: int | None = Field(
        default=None, description="of a piece's vector, shared by input and softmax", examples=[256]
    )
    decoder_hidden_dim: int | None = Field(default=None, description="units of the decoder", examples=[256])
    decoder_layers: int | None = Field(default=None, description="layers of the decoder", examples=[2])
    label_smoothing: float | None = Field(
        default=None, description="probability that training spreads over all pieces", examples=[0.1]
    )

    best_by: Literal["bleu", "loss"] = Field(
        default="bleu", description="validation score that chooses the epoch; bleu: of greedy search"
    )

    beam_size: int = Field(default=5, ge=1, description="hypotheses that the search keeps")
    length_norm: Literal["gnmt", "length"] = Field(
        default="gnmt", description="length normalisation of hypotheses: Wu et al. 2016, or by the number of pieces"
    )
    length_penalty: float = Field(
        default=1.0, ge=0.0, description="exponent of length_norm; 0: none, favours short ones"
    )
    max_ratio: float = Field(
        default=3.0, gt=0.0, description="maximum length in pieces: this times the source's words, plus ten"
    )

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by

    @property
    def figure(self) -> str:
        """The main test score."""
        return "bleu"
