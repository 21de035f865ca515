"""The settings that every task has, those of its data aside. A setting is one field: help, pages and files read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from elmokit.settings import FILES, HOUSEKEEPING, MAY_CHANGE, Settings

Combine = Literal["trainable", "frozen", "function"]
ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]
Target = Literal["label", "labels", "number"]
"""What is learned of a row: one of several labels, any number of them, or a number."""

TestFiles = Annotated[
    list[str], Field(min_length=1, description="test files, used only for the final report", json_schema_extra=FILES)
]
ValidFiles = Annotated[
    list[str], Field(description="validation files; without them a part of train is held out", json_schema_extra=FILES)
]


class StartSettings(Settings):
    """Model and text"""

    model: str = Field(
        description="folder of a biLM, or of a model of the same task whose head is the start",
        examples=["runs/mine"],
        json_schema_extra=FILES,
    )
    output: Path = Field(
        description="folder of the finished model", examples=["runs/trained"], json_schema_extra=HOUSEKEEPING
    )
    vectors: Path | None = Field(
        default=None,
        description="static vectors, concatenated with the mixed layers: .txt, .vec or .bin, also .gz",
        examples=["glove.txt"],
        json_schema_extra=FILES,
    )
    vectors_kept: Literal["data", "all"] = Field(
        default="data",
        description="static vectors that are loaded and saved: of the words of the data, or all of the file",
    )
    vectors_lower_case: bool = Field(
        default=True, description="a word without a static vector takes that of its lower-case form"
    )
    clean: list[str] | None = Field(
        default=None,
        description="clean-up steps before splitting into words; default: the model's own",
        examples=[["clean_markup", "lower_case"]],
    )
    split: Literal["penn", "whitespace"] | None = Field(
        default=None,
        description="how raw text is split into words; default: as in the model's pretraining",
        examples=["penn"],
    )
    max_words: int = Field(default=128, ge=1, description="longer texts are cut")


class MixSettings(Settings):
    """Layer mix and head; what is not set is taken from the model's config.json"""

    combine: Combine = Field(
        default="trainable",
        description="layer mix: learned λ and γ (trainable), fixed λ (frozen), or an MLP over the layers (function)",
    )
    mix_normalize: bool | None = Field(default=None, description="softmax over λ; false: raw λ", examples=[True])
    mix_weights: list[float] | None = Field(
        default=None,
        description="λ at the start, or for good with combine frozen; default: uniform",
        examples=[[0.2, 0.3, 0.5]],
    )
    mix_dropout: float | None = Field(default=None, description="dropout on the mix", examples=[0.0])
    mix_l2: float | None = Field(default=None, description="coefficient of |w|² in the loss", examples=[0.0])
    mix_layer_norm: bool | None = Field(default=None, description="normalise each layer", examples=[False])
    mix_activation: Literal["relu", "tanh"] | None = Field(
        default=None, description="activation of combine function", examples=["relu"]
    )
    mix_hidden_dim: int | None = Field(default=None, description="hidden size of combine function", examples=[512])
    head_hidden_dim: int | None = Field(
        default=None, description="units of each direction of the BiLSTM", examples=[128]
    )
    head_layers: int | None = Field(default=None, description="layers of the BiLSTM", examples=[2])
    head_dropout: float | None = Field(
        default=None, description="dropout before, between and after the BiLSTM layers", examples=[0.3]
    )


class TrainingSettings(Settings):
    """Training; sizes and rates that are not set are planned from the number of training rows"""

    finetune: bool = Field(
        default=False,
        description="train the biLM too, at finetune_learning_rate",
        json_schema_extra={"flag": "--finetune/--frozen-bilm"},
    )
    dropout: float | None = Field(default=None, description="of the biLM while fine-tuning", examples=[0.1])
    epochs: int | None = Field(
        default=None, ge=1, description="epochs at most; default: as many as make a few thousand updates", examples=[20]
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="epochs without a better score before stopping; default: half of them",
        examples=[10],
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="rows per update; default: 16 to 64, by the number of rows", examples=[32]
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0.0,
        description="of mix and head; default: 0.002 up to 10,000 rows, 0.001 beyond",
        examples=[0.001],
    )
    finetune_learning_rate: float = Field(
        default=1e-4, gt=0.0, description="learning rate of the biLM when fine-tuning"
    )
    vectors_learning_rate: float | None = Field(
        default=None,
        gt=0.0,
        description="learning rate of the static vectors; default: they are not trained",
        examples=[0.05],
    )
    weight_decay: float = Field(default=0.0, ge=0.0, description="of AdamW")
    warmup_fraction: float = Field(
        default=0.05, ge=0.0, le=1.0, description="part of the updates in which the rate rises; then it falls to 0"
    )
    max_grad_norm: float = Field(default=5.0, gt=0.0, description="bound of the gradient's norm")
    seed: int = Field(default=1, ge=0, description="of split, head and order")
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads; default: all", examples=[2], json_schema_extra=MAY_CHANGE
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="of the products in training; auto: the faster one on the machine"
    )


class RunSettings(Settings):
    """Report and run"""

    train_report_rows: int | None = Field(
        default=2000, ge=1, description="the report scores this many training rows, drawn at random; null: all"
    )
    cache: Path | None = Field(
        default=None,
        description="folder of computed biLM layers; default: ~/.cache/elmokit/layers",
        examples=["layers"],
        json_schema_extra=HOUSEKEEPING,
    )
    overwrite: bool = Field(default=False, description="replace what is in output", json_schema_extra=HOUSEKEEPING)
    resume: bool = Field(
        default=False, description="resume the interrupted run in output", json_schema_extra=HOUSEKEEPING
    )
    progress: bool = Field(default=True, description="show a bar, and a line per epoch", json_schema_extra=HOUSEKEEPING)


class HeadConfig(RunSettings, TrainingSettings, MixSettings, StartSettings):
    """A head on a biLM. `model` and `output` are needed, the rest has defaults."""

    cleaned_by_word: ClassVar[bool] = False
    """Whether clean-up steps see one word at a time: where an answer needs offsets into the raw text."""

    reads_data_sets: ClassVar[bool] = False
    """Whether the name of a data set of `datasets` may stand in place of files."""
    planned_updates: ClassVar[int] = 3000
    """Updates that the default number of epochs makes."""
    fewest_epochs: ClassVar[int] = 4
    largest_batch: ClassVar[int] = 64
    head_of_few: ClassVar[Mapping[str, Any]] = {}
    """Settings of the head where there are few training rows and nothing is set."""

    @property
    def watched(self) -> str:
        """The validation score that chooses the epoch."""
        raise NotImplementedError

    @property
    def figure(self) -> str:
        """The path of the main test score in `Scores`."""
        raise NotImplementedError


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
    "no_answer",
    "target_dim",
    "decoder_hidden_dim",
    "decoder_layers",
)
"""Settings that `ElmoConfig` has under the same name, and that the weights of a head depend on."""
OPTIONAL_PARTS = {"no_answer": ("no_start", "no_end")}
"""Settings that add parts to a head and change nothing else: one trained without them is a start for one with them."""
HEAD_FIELDS = (*HEAD_SHAPE, "mix_dropout", "mix_l2", "head_dropout", "label_smoothing")
"""All settings of a head that `ElmoConfig` has under the same name: also those that only its training depends on."""
