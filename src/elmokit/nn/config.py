"""The numbers that give a network its shape, as a plain dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Token encoder, biLM and language-model head: the fields of `ElmoConfig` that the network reads.

    `ElmoConfig` explains them and has the same defaults.
    """

    token_encoder: Literal["char_cnn", "word", "subword", "word_char"] = "char_cnn"
    n_words: int = 0
    word_dim: int = 0
    n_characters: int = 262
    character_padding: int = 261
    max_characters_per_token: int = 50
    max_pieces_per_token: int = 12
    char_embedding_dim: int = 16
    filters: list[list[int]] | None = None
    n_highway: int = 1
    char_cnn_activation: Literal["relu", "tanh"] = "relu"

    projection_dim: int = 256
    cell_dim: int = 512
    n_layers: int = 2
    directions: Literal[1, 2] = 2
    use_skip_connections: bool = True
    cell_clip: float | None = 3.0
    proj_clip: float | None = 3.0
    dropout: float = 0.1
    locked_dropout: bool = False
    weight_dropout: float = 0.0
    warm_state: bool = False
    context_layers: int = 0

    softmax: Literal["adaptive", "sampled", "full"] = "adaptive"
    vocab_size: int = 0
    n_negative_samples: int = 8192
    adaptive_cutoffs: list[int] | None = None
    adaptive_div_value: float = 2.0

    @classmethod
    def of(cls, settings: object) -> NetworkConfig:
        """The fields of a larger configuration, an `ElmoConfig`."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """The fields among the values of a `config.json`.

        Raises:
            ValueError: One is of the wrong type, or a clip is not positive.
        """
        hints = get_type_hints(cls)
        chosen = {name: value for name, value in values.items() if name in hints}
        for name, value in chosen.items():
            if not _fits(value, hints[name]):
                raise ValueError(f"{name} is {value!r}; expected {hints[name]}.")
            if name in ("cell_clip", "proj_clip") and value is not None and not value > 0:
                raise ValueError(f"{name} is {value}; expected a positive bound (or no value).")
        return cls(**chosen)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value of JSON is of a type; a whole number serves as a float."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if origin is UnionType:
        return any(_fits(value, choice) for choice in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    return type(value) is hint or (hint is float and type(value) is int)
