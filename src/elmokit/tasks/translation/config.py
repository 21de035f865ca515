"""Every setting of a translation run, with its default and its meaning; unknown keys are errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from elmokit.tasks.config import HeadConfig

_Files = list[str]


class TranslationConfig(HeadConfig):
    """What `elmo train translate` is told. `model`, the files of train and test, and `output` are needed."""

    train_source: _Files = Field(min_length=1, description="a sentence a line (also .gz), in the language of the biLM")
    train_target: _Files = Field(min_length=1, description="their translations, line by line")
    test_source: _Files = Field(min_length=1, description="the sentences of the final report; never used for choosing")
    test_target: _Files = Field(min_length=1)
    valid_source: _Files = Field(default=[], description="validation files; without them a part of train is split off")
    valid_target: _Files = Field(default=[])
    valid_fraction: float = Field(default=0.05, gt=0.0, lt=1.0)
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="part of the training pairs kept")
    skip_empty: bool = Field(default=False, description="leave out lines that are empty on one side")
    max_words: int = Field(default=128, ge=1, description="longer sentences are not trained on; translated in parts")
    max_pieces: int = Field(default=256, ge=1, description="longer translations are not trained on")

    # Few pieces do better than many where there is little text (Sennrich & Zhang 2019).
    n_pieces: int = Field(default=5000, ge=259, description="pieces of the target language, bytes and markers included")
    head_hidden_dim: int | None = 256
    head_layers: int | None = 1
    target_dim: int | None = None
    decoder_hidden_dim: int | None = None
    decoder_layers: int | None = None
    label_smoothing: float | None = None

    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    best_by: Literal["bleu", "loss"] = Field(
        default="bleu", description="BLEU of greedy search on the validation pairs"
    )

    beam_size: int = Field(default=5, ge=1)
    length_norm: Literal["gnmt", "length"] = Field(default="gnmt", description="Wu et al. 2016; division by length")
    length_penalty: float = Field(default=1.0, ge=0.0, description="its power; 0: none, which favours short ones")
    max_ratio: float = Field(
        default=3.0, gt=0.0, description="a translation ends at ten pieces more than this times the source's words"
    )

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        return self.best_by
