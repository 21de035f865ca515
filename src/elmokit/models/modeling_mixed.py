"""What every task model is made of: a biLM and a mix of its layers."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel, ElmoPreTrainedModel
from elmokit.nn.layer_mix import LayerMix


class ElmoMixedModel(ElmoPreTrainedModel):  # type: ignore[no-untyped-call]
    """A biLM and a layer mix, for a head to stand on.

    With `freeze_bilm()` only the mix and the head learn; the layers may be computed once and given as `layers`.
    """

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.bilm_frozen = False
        self.elmo = ElmoModel(config)
        self.mix = LayerMix(
            config.combine, n_layers=config.n_layers + 1, dim=config.hidden_size, weights=config.mix_weights,
            normalize=config.mix_normalize, dropout=config.mix_dropout, l2=config.mix_l2,
            do_layer_norm=config.mix_layer_norm, activation=config.mix_activation, hidden_dim=config.mix_hidden_dim,
        )  # fmt: skip

    def freeze_bilm(self, frozen: bool = True) -> None:
        """Keep the biLM as it is: no gradients, and no dropout in it even under `.train()`. False thaws it."""
        self.bilm_frozen = frozen
        self.elmo.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in PyTorch; a frozen biLM stays in eval mode."""
        super().train(mode)
        if self.bilm_frozen:
            self.elmo.train(False)
        return self

    def mixed(self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None) -> tuple[Tensor, Tensor]:
        """Word vectors (B, W, D) and their mask (B, W), from one of `char_ids` and `layers`.

        Raises:
            ValueError: Neither or both were given, or `layers` without a mask or of another shape.
        """
        hidden, mask = self._layers(char_ids, mask, layers)
        return self.mix(hidden, mask), mask

    def _layers(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """(B, W, D) a layer, and the mask (B, W)."""
        if char_ids is not None and layers is None:
            output = self.elmo(char_ids, attention_mask=mask)
            return output.hidden_states, output.mask
        if char_ids is not None or layers is None:
            raise ValueError("Expected either char_ids or layers (precomputed), got both or neither.")
        expected = (self.config.n_layers + 1, self.config.hidden_size)
        if layers.ndim != 4 or (layers.shape[1], layers.shape[3]) != expected:
            raise ValueError(
                f"layers is {tuple(layers.shape)}; expected (sentences, {expected[0]}, words, {expected[1]})."
            )
        if mask is None or mask.shape != (layers.shape[0], layers.shape[2]):
            raise ValueError("layers needs an attention_mask (sentences, words) that tells words from padding.")
        return layers.unbind(dim=1), mask.bool()


def words_first(words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Move padding that stands before or among the words behind them."""
    if bool((mask[:, 1:] <= mask[:, :-1]).all()):
        return words, mask
    order = torch.argsort(~mask, dim=1, stable=True)  # (B, W)
    return words.gather(1, order.unsqueeze(-1).expand_as(words)), mask.gather(1, order)
