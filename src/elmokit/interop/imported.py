"""What every reader of published files returns, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import check_lexicon
from elmokit.models.modeling_elmo import ElmoModel, ElmoPreTrainedModel
from elmokit.nn.layer_mix import LayerMix
from elmokit.text.word_rows import WordRows


@dataclass(frozen=True)
class Imported:
    """A model as it was found.

    Attributes:
        model: In eval mode.
        rows: How it reads words.
        format: "bilm-tf", "ELMoForManyLangs" or "elmokit".
        notes: What was repaired or passed over, a sentence each.
        mix: The trained layer mix of a classifier of ours.
        whole: The model with its head, where it was asked for and has one.
        folder: Where a model of ours lies.
    """

    model: ElmoModel
    rows: WordRows
    format: str
    notes: list[str] = field(default_factory=list)
    mix: LayerMix | None = None
    whole: ElmoPreTrainedModel | None = None
    folder: Path | None = None


def assembled(config: ElmoConfig, state: Mapping[str, Tensor], *, dtype: torch.dtype = torch.float32) -> ElmoModel:
    """An `ElmoModel` made of `state`: no weight is drawn first and, in float32, none is copied."""
    with torch.device("meta"):
        model = ElmoModel(config)
    model.load_state_dict({name: tensor.to(dtype) for name, tensor in state.items()}, assign=True)
    model.train(False)
    return model


def imported(model: ElmoModel, rows: WordRows, *, format: str, notes: list[str]) -> Imported:
    """With every id that `rows` gives checked against the tables of the model."""
    check_lexicon(model.config, rows)
    return Imported(model, rows, format, notes)
