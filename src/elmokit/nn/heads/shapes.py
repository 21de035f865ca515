"""The fields that the network of each task is built from, without PyTorch: what `config.json` may hold for a head."""

# No `from __future__ import annotations`: `ElmoConfig`, which has these fields too, checks their types at run time.

from dataclasses import dataclass
from typing import Literal

from elmokit.nn.config import NetworkConfig, at_least, rates
from elmokit.text.word_rows import SPELLING_WIDTH

_UNNAMED = 2  # classes where none are named, as in transformers


@dataclass(kw_only=True)
class MixedShape(NetworkConfig):
    """A biLM with a mix of its layers, static vectors next to it, and the BiLSTM that reads both."""

    combine: Literal["trainable", "frozen", "function"] = "trainable"
    mix_weights: list[float | int] | None = None
    mix_normalize: bool = True
    mix_dropout: float | int = 0.0
    mix_l2: float | int = 0.0
    mix_layer_norm: bool = False
    mix_activation: Literal["relu", "tanh"] = "relu"
    mix_hidden_dim: int | None = None
    n_static_words: int = 0
    static_dim: int = 0
    head_hidden_dim: int = 128
    head_layers: int = 2
    head_dropout: float | int = 0.3

    @property
    def input_width(self) -> int:
        """Integers that the network reads of a word: the biLM's, and what is next to them."""
        return self.row_width + (self.n_static_words > 0)

    def check(self) -> None:
        super().check()
        at_least(self, head_hidden_dim=1, head_layers=1)
        rates(self, "mix_dropout", "head_dropout")
        if (self.n_static_words > 0) != (self.static_dim > 0):
            raise ValueError(
                f"n_static_words is {self.n_static_words} and static_dim {self.static_dim}; expected both or neither."
            )
        if self.mix_hidden_dim is not None and self.mix_hidden_dim < 1:
            raise ValueError(f"mix_hidden_dim is {self.mix_hidden_dim}; expected at least 1 (or no value).")
        if self.mix_weights is not None and len(self.mix_weights) != self.n_layers + 1:
            raise ValueError(
                f"mix_weights has {len(self.mix_weights)} values; expected {self.n_layers + 1}: the token layer and "
                f"{self.n_layers} LSTM layers."
            )
        if self.combine == "trainable" and self.mix_normalize and min(self.mix_weights or [1.0]) <= 0:
            raise ValueError(
                f"mix_weights is {self.mix_weights}; expected positive numbers for trainable λ, which come from a "
                "softmax (combine frozen takes any)."
            )
        if not self.mix_l2 >= 0:
            raise ValueError(f"mix_l2 is {self.mix_l2}; expected 0 or more.")


@dataclass(kw_only=True)
class LabelledShape(MixedShape):
    """A head that tells classes apart: names by number. JSON has numbers as text."""

    id2label: dict[int, str] | dict[str, str] | None = None

    @property
    def labels(self) -> list[str]:
        """The names of the classes in the order of their numbers."""
        named = {int(number): str(label) for number, label in (self.id2label or {}).items()}
        return [label for _, label in sorted(named.items())] or [f"LABEL_{number}" for number in range(_UNNAMED)]


@dataclass(kw_only=True)
class SequenceClassificationShape(LabelledShape):
    """A `MixedShape` with what a `SentenceClassifier` needs."""

    pooling: Literal["concat", "max", "mean", "last", "attention"] = "concat"
    problem_type: Literal["regression", "single_label_classification", "multi_label_classification"] | None = None


@dataclass(kw_only=True)
class TokenClassificationShape(LabelledShape):
    """A `MixedShape` with what a `TokenClassificationNetwork` needs."""

    char_features: int = 0
    mix_at: Literal["input", "between", "both"] = "input"

    @property
    def input_width(self) -> int:
        """Integers that the network reads of a word: also its spelling, for char features."""
        return super().input_width + SPELLING_WIDTH * (self.char_features > 0)

    def check(self) -> None:
        super().check()
        at_least(self, char_features=0)
        if self.mix_at == "input":
            return
        if self.head_layers < 2:
            raise ValueError(f"head_layers is {self.head_layers}; expected at least 2 with mix_at {self.mix_at!r}.")
        if self.mix_at == "between" and not self.n_static_words and not self.char_features:
            raise ValueError(
                "mix_at is 'between', without static vectors or char features the first layer has nothing to read; "
                "expected char_features above 0, static vectors, or mix_at 'both'."
            )


@dataclass(kw_only=True)
class QuestionAnsweringShape(MixedShape):
    """A `MixedShape` with what a `QuestionAnsweringNetwork` needs."""

    self_attention: bool = True
    no_answer: bool = False


@dataclass(kw_only=True)
class TranslationShape(MixedShape):
    """A `MixedShape` with what a `TranslationNetwork` needs."""

    n_target_pieces: int = 0
    target_dim: int = 256
    decoder_hidden_dim: int = 256
    decoder_layers: int = 2
    label_smoothing: float | int = 0.1

    def check(self) -> None:
        super().check()
        at_least(self, n_target_pieces=0, target_dim=1, decoder_hidden_dim=1, decoder_layers=1)
        rates(self, "label_smoothing")
