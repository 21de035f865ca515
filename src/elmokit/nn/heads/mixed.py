"""What every task network is made of: a biLM, a mix of its layers, and static vectors where there are any."""

from __future__ import annotations

from typing import Self, TypedDict

import torch
from torch import Tensor, nn

from elmokit.nn.heads.shapes import MixedShape
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.token_encoders import StaticTable


class TextInputs(TypedDict, total=False):
    """What a network reads of texts; shapes are those of its `forward`."""

    char_ids: Tensor | None
    attention_mask: Tensor | None
    layers: Tensor | None
    static_ids: Tensor | None


class MixedNetwork(nn.Module):
    """A biLM and a layer mix, for a head to read.

    With `freeze_bilm()` only the mix and the head learn; the layers may be computed once and given as `layers`.
    """

    config: MixedShape

    def __init__(self, config: MixedShape) -> None:
        super().__init__()
        self.config = config
        self.bilm_frozen = False
        self.elmo = ElmoNetwork(config)
        self.mix = build_mix(config)
        self.static = None
        if config.n_static_words:
            self.static = StaticTable(n_words=config.n_static_words, dim=config.static_dim)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.elmo.device

    @property
    def word_dim(self) -> int:
        """Size D of a word's vector: the mix, then the static vector."""
        return self.config.hidden_size + (self.config.static_dim if self.static is not None else 0)

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

    def mixed(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None, static_ids: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Word vectors (B, W, D) and their mask (B, W): the mix and the static vectors of `mixed_apart`."""
        words, static, mask = self.mixed_apart(char_ids, mask, layers, static_ids)
        return words if static is None else torch.cat([words, static], dim=-1), mask

    def mixed_apart(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None, static_ids: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """The mix (B, W, P), static vectors (B, W, S) or None, and the mask (B, W), from `char_ids` or `layers`.

        Where the model has static vectors, their numbers stand in `char_ids` behind what the biLM reads; with `layers`
        they come as `static_ids` (B, W).

        Raises:
            ValueError: Neither or both were given, `layers` without a mask or of another shape, or without the numbers
                of static vectors that the model has.
        """
        hidden, mask = self.hidden_layers(char_ids, mask, layers)
        words = self.mix(hidden, mask)
        if self.static is None:
            return words, None, mask
        if char_ids is not None:
            static_ids = char_ids[..., self.config.row_width]
        if static_ids is None or static_ids.shape != mask.shape:
            raise ValueError(f"This model has static vectors: layers needs static_ids {tuple(mask.shape)} with them.")
        return words, self.static(static_ids.where(mask, 0)).to(words.dtype), mask

    def hidden_layers(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """(B, W, 2P) a layer of the biLM, and the mask (B, W); arguments as of `mixed`."""
        if char_ids is not None and layers is None:
            width, own = self.config.input_width, self.config.row_width
            if width > own:
                if char_ids.ndim != 3 or char_ids.shape[2] != width:
                    raise ValueError(
                        f"char_ids is {tuple(char_ids.shape)}; expected (sentences, words, {width}), the last "
                        f"{width - own} for what is next to the biLM: use the tokenizer of this model."
                    )
                char_ids = char_ids[..., :own]
            found = self.elmo(char_ids, attention_mask=mask)
            return found.hidden_states, found.mask
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


def build_mix(config: MixedShape) -> LayerMix:
    """The layer mix of a configuration."""
    return LayerMix(
        config.combine,
        n_layers=config.n_layers + 1,
        dim=config.hidden_size,
        weights=config.mix_weights,
        normalize=config.mix_normalize,
        dropout=config.mix_dropout,
        l2=config.mix_l2,
        do_layer_norm=config.mix_layer_norm,
        activation=config.mix_activation,
        hidden_dim=config.mix_hidden_dim,
    )


def words_first(words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Move padding that stands before or among the words behind them."""
    if bool((mask[:, 1:] <= mask[:, :-1]).all()):
        return words, mask
    order = torch.argsort(~mask, dim=1, stable=True)  # (B, W)
    return words.gather(1, order.unsqueeze(-1).expand_as(words)), mask.gather(1, order)


def refuse_left_padding(mask: Tensor) -> None:
    """Raise `ValueError` where padding stands before words."""
    if bool((mask[:, 1:] > mask[:, :-1]).any()):
        raise ValueError("Padding stands before words; expected it at the right (padding_side='right').")
