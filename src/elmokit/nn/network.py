"""`ElmoNetwork`: words in, every layer of the biLM out (Peters et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from elmokit.nn.bilm import BiLM, State
from elmokit.nn.config import NetworkConfig
from elmokit.nn.context_lstm import ContextLSTM
from elmokit.nn.distinct import distinct_rows
from elmokit.nn.precision import multiplies
from elmokit.nn.token_encoder import TokenEncoder


class Layers(NamedTuple):
    """Words only, the sentence markers are off again; padding is zero.

    Attributes:
        hidden_states: n_layers + 1 of (B, W, 2P): layer 0 is the token vector, once a direction.
        mask: (B, W) bool, true where a word stands.
    """

    hidden_states: tuple[Tensor, ...]
    mask: Tensor


class ElmoNetwork(nn.Module):
    """The token encoder and the biLM, under the names that model files have for their weights."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.token_encoder: TokenEncoder = config.kind.build(config)
        self.bilm = cast(BiLM, build_bilm(config))
        if config.warm_state:
            sizes = (config.n_layers, config.directions)
            self.set_warm_state(torch.zeros(*sizes, self.bilm.output_dim), torch.zeros(*sizes, config.cell_dim))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return next(self.parameters()).dtype

    def token_vectors(self, rows: Tensor) -> Tensor:
        """Rows of words (U, L), as the model's `WordRows` makes them, to their context-free vectors (U, P)."""
        vectors: Tensor
        if multiplies(self.dtype, self.device.type):
            vectors = self.token_encoder(rows)
        else:
            wide = {name: weight.float() for name, weight in self.token_encoder.named_parameters()}
            vectors = functional_call(self.token_encoder, wide, (rows,)).to(self.dtype)
        return vectors

    def marker_rows(self) -> Tensor:
        """(2, L): the rows of the begin and the end of a sentence."""
        return torch.tensor(self.config.markers, device=self.device)

    def initial_state(self, batch: int) -> State:
        """Where sentences start: the warm state that the model holds, or zero."""
        if not self.config.warm_state:
            return self.bilm.zero_state(batch)
        h, c = (state.unsqueeze(2).expand(-1, -1, batch, -1) for state in (self.warm_h, self.warm_c))
        return State(h, c.to(torch.promote_types(c.dtype, torch.float32)))

    def set_warm_state(self, h: Tensor, c: Tensor) -> None:
        """Start sentences from h (layers, D, H) and c (layers, D, C) from now on."""
        self.config.warm_state = True
        self.warm_h = nn.Parameter(h, requires_grad=False)
        self.warm_c = nn.Parameter(c, requires_grad=False)

    def run(
        self, words: Tensor, index: Tensor, lengths: Sequence[int], *, state: State | None = None
    ) -> tuple[list[Tensor], State]:
        """The biLM over sentences given as rows of a table of words.

        Args:
            words: (U, P) from `token_vectors`.
            index: (B, T) row of `words` at each position, markers included; anything in the padding.
            lengths: Positions of each sentence, markers included.
            state: Where the LSTMs start; `initial_state` by default.

        Returns:
            n_layers + 1 of (B, T, 2P), the padding of the LSTM layers zero, and the states after each sentence.
        """
        tokens = functional.embedding(index, words)  # (B, T, P); its gradient is summed a word at a time
        start = self.initial_state(len(lengths)) if state is None else state
        outputs, final = self.bilm(tokens, lengths, state=start)
        return [torch.cat([tokens] * self.config.directions, dim=2), *outputs], final

    def forward(self, char_ids: Tensor, attention_mask: Tensor | None = None) -> Layers:
        """Every layer for every word.

        Args:
            char_ids: (B, W, L), the row of each word (see `elmokit.text.word_rows`), rows of 0 in the padding; no
                sentence markers.
            attention_mask: (B, W), 1 where a word stands. Default: where any number of a row is above 0.

        Raises:
            ValueError: `char_ids` is not (B, W, row_width), or the mask is not (B, W).
        """
        width = self.config.row_width
        if char_ids.ndim != 3 or char_ids.shape[2] != width:
            raise ValueError(
                f"char_ids is {tuple(char_ids.shape)}; expected (sentences, words, {width}): "
                f"use the tokenizer of this model (for characters: max_characters={width})."
            )
        mask = (char_ids > 0).any(dim=2) if attention_mask is None else attention_mask.bool()
        if mask.shape != char_ids.shape[:2]:
            raise ValueError(
                f"attention_mask is {tuple(mask.shape)}; expected {tuple(char_ids.shape[:2])}, as char_ids."
            )
        markers = self.marker_rows().to(char_ids)
        rows = torch.cat([markers, char_ids[mask]])  # (2 + N, L)
        picks, inverse = distinct_rows(rows)
        words = self.token_vectors(rows[picks])  # (U, P)
        batch, counts = len(mask), mask.sum(dim=1)  # (B,)
        time = int(counts.max()) + 2 if batch else 2
        sentence = mask.nonzero()[:, 0]  # (N,) of each word
        rank = torch.arange(len(sentence), device=mask.device) - (counts.cumsum(0) - counts)[sentence]
        places = sentence * time + rank + 1  # (N,) of the words in the flattened (B, T)
        index = inverse[1].expand(batch, time).clone()  # </S> everywhere: behind the words, harmless in the padding
        index[:, 0] = inverse[0]
        index.view(-1)[places] = inverse[2:]
        layers, _ = self.run(words, index, (counts + 2).tolist())
        hidden_states = []
        for layer in layers:  # (B, T, D) with markers to (B, W, D) without, zero in the padding
            rows = layer.new_zeros(mask.numel(), layer.shape[2])
            taken = rows.index_copy(0, mask.flatten().nonzero()[:, 0], layer.flatten(0, 1)[places])
            hidden_states.append(taken.view(*mask.shape, layer.shape[2]))
        return Layers(tuple(hidden_states), mask)


def build_bilm(config: NetworkConfig) -> BiLM | ContextLSTM:
    """The layers over the token vectors."""
    if config.context_layers:
        return ContextLSTM(
            input_dim=config.projection_dim,
            hidden_dim=config.cell_dim,
            n_layers=config.context_layers,
            dropout=config.dropout,
        )
    return BiLM(
        # As in bilm-tf, a projection as wide as the cell is left out.
        input_dim=config.projection_dim,
        cell_dim=config.cell_dim,
        projection_dim=None if config.projection_dim == config.cell_dim else config.projection_dim,
        n_layers=config.n_layers,
        directions=config.directions,
        use_skip_connections=config.use_skip_connections,
        cell_clip=config.cell_clip,
        proj_clip=config.proj_clip,
        dropout=config.dropout,
        locked_dropout=config.locked_dropout,
        weight_dropout=config.weight_dropout,
    )


class HasNetwork(Protocol):
    """A model of transformers' with a network inside, an `ElmoModel`."""

    network: ElmoNetwork


def network_of(model: ElmoNetwork | HasNetwork) -> ElmoNetwork:
    """The network of an `ElmoModel`, or the network itself."""
    return model if isinstance(model, ElmoNetwork) else model.network
