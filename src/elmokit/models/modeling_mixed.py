"""What every task model shares: a `MixedNetwork` as transformers sees it."""

from __future__ import annotations

import torch
from torch import Tensor

from elmokit.models.modeling_elmo import ElmoPreTrainedModel
from elmokit.nn.heads.mixed import MixedNetwork
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.token_encoders import StaticTable


class ElmoMixedModel(ElmoPreTrainedModel):  # type: ignore[no-untyped-call]
    """A biLM and a layer mix, with a head on it."""

    network: MixedNetwork
    elmo: ElmoNetwork
    mix: LayerMix

    @property
    def static(self) -> StaticTable | None:
        """The static vectors that go with the mix."""
        return self.network.static

    @property
    def word_dim(self) -> int:
        """See `MixedNetwork.word_dim`."""
        return self.network.word_dim

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """One sentence of one (empty) word, for tools that trace a model."""
        return {"char_ids": torch.ones(1, 1, self.config.input_width, dtype=torch.long)}

    def freeze_bilm(self, frozen: bool = True) -> None:
        """See `MixedNetwork.freeze_bilm`."""
        self.network.freeze_bilm(frozen)

    def mixed(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None, static_ids: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `MixedNetwork.mixed`."""
        return self.network.mixed(char_ids, mask, layers, static_ids)

    def hidden_layers(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """See `MixedNetwork.hidden_layers`."""
        return self.network.hidden_layers(char_ids, mask, layers)
