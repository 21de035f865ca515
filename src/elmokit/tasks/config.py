"""The settings that every task head has, beside those of its data."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from elmokit.settings import Settings

Combine = Literal["trainable", "frozen", "function"]


class HeadConfig(Settings):
    """A head on a biLM. `model` and `output` are needed, the rest has defaults."""

    cleaned_by_word: ClassVar[bool] = False
    """Whether clean-up steps see one word at a time: where an answer needs offsets into the raw text."""

    model: str = Field(description="folder of a biLM, or of a model of the same task whose head is the start")
    output: Path = Field(description="folder of the finished model")
    vectors: Path | None = Field(
        default=None, description="file of static vectors that stand beside the mixed layers (.txt, .vec or .bin)"
    )
    clean: list[str] | None = Field(
        default=None, description="clean-up steps before splitting into words; the model's own without"
    )
    split: Literal["penn", "whitespace"] | None = Field(
        default=None, description="how raw text is split into words; as in the model's pretraining without"
    )
    max_words: int = Field(default=128, ge=1, description="longer texts are cut")

    # the mix and the head; None leaves what the model's config says
    combine: Combine = "trainable"
    mix_normalize: bool | None = None
    mix_weights: list[float] | None = Field(default=None, description="λ of --combine frozen; uniform without")
    mix_dropout: float | None = None
    mix_l2: float | None = None
    mix_layer_norm: bool | None = None
    mix_activation: Literal["relu", "tanh"] | None = None
    mix_hidden_dim: int | None = None
    head_hidden_dim: int | None = None
    head_layers: int | None = None
    head_dropout: float | None = None

    # training
    finetune: bool = Field(default=False, description="train the biLM too, at `finetune_learning_rate`")
    dropout: float | None = Field(default=None, description="of the biLM while fine-tuning")
    epochs: int = Field(default=20, ge=1)
    patience: int = Field(default=3, ge=1, description="epochs without a better validation score before stopping")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    finetune_learning_rate: float = Field(default=1e-4, gt=0.0)
    vectors_learning_rate: float | None = Field(
        default=None, gt=0.0, description="of the static vectors beside the layers; without it they stay as they are"
    )
    weight_decay: float = Field(default=0.0, ge=0.0)
    warmup_fraction: float = Field(default=0.05, ge=0.0, le=1.0)
    max_grad_norm: float = Field(default=5.0, gt=0.0)
    seed: int = Field(default=1, ge=0)
    threads: int | None = Field(default=None, ge=1, description="CPU threads; all that torch finds without it")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="of the products in training; auto is the faster one on the machine"
    )

    # housekeeping
    cache: Path | None = Field(default=None, description="folder of the computed biLM layers")
    overwrite: bool = False
    resume: bool = False
    progress: bool = True

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        raise NotImplementedError


# These do not change what is learnt: a run may be resumed under other values of them.
HOUSEKEEPING = {"cache", "overwrite", "resume", "progress", "output"}
HEAD_SHAPE = (
    "combine",
    "mix_normalize",
    "mix_weights",
    "mix_layer_norm",
    "mix_activation",
    "mix_hidden_dim",
    "head_hidden_dim",
    "head_layers",
    "pooling",
    "char_features",
    "mix_at",
    "self_attention",
    "target_dim",
    "decoder_hidden_dim",
    "decoder_layers",
)
"""Settings that `ElmoConfig` has under the same name, and that the weights of a head depend on."""
HEAD_FIELDS = (*HEAD_SHAPE, "mix_dropout", "mix_l2", "head_dropout", "label_smoothing")
"""All settings of a head that `ElmoConfig` has under the same name: also those that only its training depends on."""
