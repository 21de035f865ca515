"""What every reader of published files returns, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from elmokit.nn.config import NetworkConfig
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.undrawn import Undrawn
from elmokit.saved_model import SavedModel
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import WordRows, check_table_sizes


@dataclass(frozen=True)
class Imported:
    """A model as it was found.

    Attributes:
        model: In eval mode.
        rows: How it reads words.
        format: "bilm-tf", "ELMoForManyLangs" or "elmokit".
        notes: What was repaired or passed over, a sentence each.
        preprocessing: How the text of its training was prepared.
        mix: The trained layer mix of a classifier of ours.
        whole: The model with its head, where it was asked for and has one.
        saved: The folder of a model of ours.
    """

    model: ElmoNetwork
    rows: WordRows
    format: str
    notes: list[str] = field(default_factory=list)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    mix: LayerMix | None = None
    whole: nn.Module | None = None
    saved: SavedModel | None = None

    @property
    def folder(self) -> Path | None:
        """Where a model of ours is."""
        return None if self.saved is None else self.saved.folder


def assembled(config: NetworkConfig, state: Mapping[str, Tensor], *, dtype: torch.dtype = torch.float32) -> ElmoNetwork:
    """An `ElmoNetwork` made of `state`: no weight is drawn first and, in float32, none is copied."""
    with Undrawn():
        model = ElmoNetwork(config)
    model.load_state_dict({name: tensor.to(dtype) for name, tensor in state.items()}, assign=True)
    model.train(False)
    return model


def imported(model: ElmoNetwork, rows: WordRows, *, format: str, notes: list[str]) -> Imported:
    """With every id that `rows` gives checked against the tables of the model."""
    check_table_sizes(rows, words=model.config.n_words, characters=model.config.n_characters)
    return Imported(model, rows, format, notes)
