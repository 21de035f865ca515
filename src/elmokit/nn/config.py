"""The numbers that give a network its shape, as a plain dataclass, and the named presets."""

# No `from __future__ import annotations`: `ElmoConfig`, which has these fields too, checks their types at run time.

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from elmokit.errors import ConfigError
from elmokit.nn.token_kinds import TokenFields, TokenKind, kind_of
from elmokit.nn.typed_fields import read_fields, refuse_unknown

# Seven widths, 2,048 filters: the token encoder of all published English models (Peters et al. 2018).
_PUBLISHED_FILTERS = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]]

NetworkFields = dict[str, Any]
"""Fields of a `NetworkConfig` by name, which `NetworkConfig.checked` checks."""

# Shapes by name; parameter counts are those of the biLM without an LM head, embedding row 0 (padding) not counted.
PRESETS: dict[str, NetworkFields] = {
    "tiny": {  # for tests
        "filters": [[1, 4], [2, 8], [3, 8]],
        "char_embedding_dim": 8,
        "n_highway": 1,
        "projection_dim": 16,
        "cell_dim": 32,
    },
    "mini": {  # 6.6 M with its highway: an hour of two CPU cores
        "filters": [[1, 32], [2, 64], [3, 128], [4, 192], [5, 256], [6, 224]],
        "n_highway": 1,
        "projection_dim": 256,
        "cell_dim": 512,
    },
    "small": {"filters": _PUBLISHED_FILTERS, "n_highway": 1, "projection_dim": 128, "cell_dim": 1024},  # 13.6 M
    "medium": {"filters": _PUBLISHED_FILTERS, "n_highway": 1, "projection_dim": 256, "cell_dim": 2048},  # 28.0 M
    "original": {"filters": _PUBLISHED_FILTERS, "n_highway": 2, "projection_dim": 512, "cell_dim": 4096},  # 93.6 M
    "classic": {  # of courses: no projection, clips or residuals; `elmo pretrain --preset classic` looks words up
        "projection_dim": 150,
        "cell_dim": 150,
        "use_skip_connections": False,
        "cell_clip": None,
        "proj_clip": None,
        "dropout": 0.0,
        "softmax": "full",
    },
}


@dataclass(kw_only=True)
class NetworkConfig(TokenFields):
    """Token encoder, biLM and language-model head: what an `ElmoNetwork` is built from.

    `ElmoConfig` explains each field. The default shape is the preset `mini`.
    """

    projection_dim: int = 256
    cell_dim: int = 512
    n_layers: int = 2
    directions: Literal[1, 2] = 2
    use_skip_connections: bool = True
    cell_clip: float | int | None = 3.0
    proj_clip: float | int | None = 3.0
    dropout: float | int = 0.1
    locked_dropout: bool = False
    weight_dropout: float | int = 0.0
    warm_state: bool = False
    context_layers: int = 0

    softmax: Literal["adaptive", "sampled", "full"] = "adaptive"
    vocab_size: int = 0
    n_negative_samples: int = 8192
    adaptive_cutoffs: list[int] | None = None
    adaptive_div_value: float | int = 2.0

    def __post_init__(self) -> None:
        if self.filters is None:
            self.filters = [list(pair) for pair in PRESETS["mini"]["filters"]]

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> Self:
        """The configuration of a named shape, with single fields replaced.

        Raises:
            ConfigError: An unknown preset or field, or a value of the wrong type or range.
        """
        if name not in PRESETS:
            raise ConfigError(f"Unknown preset {name!r}. Expected one of: {', '.join(PRESETS)}.")
        return cls.checked({**PRESETS[name], **overrides})

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """A configuration from plain values, every mistake told in one line.

        Raises:
            ConfigError: An unknown field, or a value of the wrong type or range.
        """
        refuse_unknown(values, cls.names())
        try:
            return cls.read(values)
        except ValueError as error:
            raise ConfigError(f"Model configuration: {error}") from error

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The fields among the values of a `config.json`.

        Raises:
            ValueError: One is of the wrong type or out of range.
        """
        config = read_fields(cls, values)
        config.check()
        return config

    @classmethod
    def of(cls, settings: object) -> Self:
        """The fields of a larger configuration, an `ElmoConfig` or that of a head."""
        return cls(**{name: getattr(settings, name) for name in cls.names()})

    @classmethod
    def names(cls) -> list[str]:
        """The fields by name."""
        return [field.name for field in dataclasses.fields(cls)]

    @property
    def hidden_size(self) -> int:
        """Size of one word vector: the directions side by side."""
        return self.directions * self.projection_dim

    @property
    def kind(self) -> TokenKind:
        """The entry of the token encoder."""
        return kind_of(self)

    @property
    def row_width(self) -> int:
        """Integers that the token encoder reads of a word."""
        return self.kind.width(self)

    @property
    def reads_characters(self) -> bool:
        """The token encoder has a table of characters."""
        return self.kind.first_character(self) is not None

    @property
    def markers(self) -> list[list[int]]:
        """The rows of the begin and the end of a sentence."""
        return self.kind.markers(self) if self.marker_rows is None else self.marker_rows

    def check(self) -> None:
        """Every value is in its range, and they fit each other.

        Raises:
            ValueError: One does not.
        """
        at_least(
            self,
            max_characters_per_token=3,
            char_embedding_dim=1,
            projection_dim=1,
            cell_dim=1,
            n_highway=0,
            n_layers=self.kind.least_layers,
            vocab_size=0,
            n_negative_samples=1,
            max_pieces_per_token=1,
            context_layers=0,
        )
        if self.projection_dim > self.cell_dim:
            raise ValueError(f"projection_dim is {self.projection_dim}; expected at most cell_dim ({self.cell_dim}).")
        rates(self, "dropout", "weight_dropout")
        for name in ("cell_clip", "proj_clip"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a positive bound (or no value).")
        self._check_token_encoder()
        # The encoder of a translator has one layer of output, as wide as its word vectors side by side.
        if self.context_layers and (self.n_layers, self.directions, self.warm_state) != (1, 2, False):
            raise ValueError("context_layers is above 0; expected n_layers 1, directions 2 and no warm_state.")
        if self.context_layers and self.cell_dim != self.projection_dim:
            raise ValueError(
                f"cell_dim is {self.cell_dim}; expected projection_dim ({self.projection_dim}) with context_layers."
            )
        self._check_softmax()

    def _check_token_encoder(self) -> None:
        """The tables that it reads have rows, and filters are `[width, number]` pairs that fit into a word."""
        self.kind.check(self)
        width = self.row_width
        if self.marker_rows is not None and [len(row) for row in self.marker_rows] != [width, width]:
            raise ValueError(f"marker_rows is {self.marker_rows}; expected two rows of {width} numbers.")
        largest = max(self.n_words, self.n_characters)
        if any(not 0 <= number < largest for row in self.marker_rows or [] for number in row):
            raise ValueError(f"marker_rows is {self.marker_rows}; expected numbers from 0 to {largest - 1}.")
        if not self.filters:
            raise ValueError("filters is empty; expected at least one [width, number] pair.")
        for pair in self.filters:
            if len(pair) != 2 or min(pair) < 1 or pair[0] > self.max_characters_per_token:
                raise ValueError(
                    f"filters holds {pair}; expected [width, number] with a width of 1 to max_characters_per_token "
                    f"({self.max_characters_per_token}) and a positive number."
                )

    def _check_softmax(self) -> None:
        """Adaptive cutoffs rise and end below the vocabulary size."""
        if not self.adaptive_div_value >= 1:
            raise ValueError(f"adaptive_div_value is {self.adaptive_div_value}; expected 1 or more.")
        cutoffs = self.adaptive_cutoffs
        if cutoffs is None:
            return
        rising = all(low < high for low, high in zip([0, *cutoffs], cutoffs, strict=False))
        if not rising or (self.vocab_size and cutoffs and cutoffs[-1] >= self.vocab_size):
            raise ValueError(f"adaptive_cutoffs is {cutoffs}; expected rising positive numbers below vocab_size.")


def at_least(config: object, **bounds: int) -> None:
    """Raise `ValueError` for a field below its bound."""
    for name, least in bounds.items():
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; expected at least {least}.")


def rates(config: object, *names: str) -> None:
    """Raise `ValueError` for a field outside of [0, 1)."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; expected a rate in [0, 1).")
