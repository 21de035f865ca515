"""The attentive decoder of a translator: LSTM layers, each of which looks at the source (Luong et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.dropout import Dropout
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.packing import Packing


class Memory(NamedTuple):
    """What a decoder looks at: states (B, W, M) of the source words, zero in the padding, and their mask (B, W)."""

    states: Tensor
    mask: Tensor


class GeneralAttention(nn.Module):
    """The `general` score of Luong et al. (2015, §3.1), qᵀ W m, and the mean of the memory under its softmax."""

    def __init__(self, *, query_dim: int, memory_dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(query_dim, memory_dim, bias=False)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """queries (B, T, Q) to contexts (B, T, M) and weights (B, T, W), which are zero in the padding.

        A sentence without words has the context zero.
        """
        scores = self.project(queries) @ memory.states.transpose(1, 2)  # (B, T, W)
        # The least finite number and not −∞: a sentence without words would turn into NaN.
        scores = scores.masked_fill(~memory.mask.unsqueeze(1), torch.finfo(scores.dtype).min)
        weights = functional.softmax(scores, dim=-1)
        return weights @ memory.states, weights


class TiedTable(nn.Module):
    """One table for the vectors that go in and the scores that come out (Press & Wolf 2017)."""

    def __init__(self, n_pieces: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_pieces, dim))
        self.bias = nn.Parameter(torch.empty(n_pieces))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """N(0, 1/√dim): the scores start with a deviation near 1. Vectors that go in are scaled back to 1."""
        with torch.no_grad():
            self.weight.normal_(0, self.weight.shape[1] ** -0.5)
            self.bias.zero_()

    def forward(self, pieces: Tensor) -> Tensor:
        """Numbers (…) to vectors (…, E)."""
        vectors: Tensor = functional.embedding(pieces, self.weight) * self.weight.shape[1] ** 0.5
        return vectors

    def scores(self, rows: Tensor) -> Tensor:
        """Rows (…, E) to scores (…, V) before the softmax."""
        return functional.linear(rows, self.weight, self.bias)


State = tuple[Tensor, ...]
"""h and c (B, K, H) of each layer in turn, of K translations under way a sentence."""


class AttentiveDecoder(nn.Module):
    """`n_layers` of LSTM and attention; each layer reads the state and the context of the one below.

    The context does not go back into the LSTM it came from (no input feeding). So in training every layer runs over the
    whole target in one packed call and every attention is one product for all its pieces, and yet from the second layer
    on the decoder knows what it has looked at.

    Args:
        n_pieces: Size V of the target vocabulary.
        dim: Size E of a piece's vector, in and out.
        hidden_dim: Size H of an LSTM state.
        n_layers: Layers.
        memory_dim: Size M of the states of the source.
        dropout: On the vectors that go in, between the layers and before the softmax.
    """

    def __init__(
        self, *, n_pieces: int, dim: int, hidden_dim: int, n_layers: int, memory_dim: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        both = hidden_dim + memory_dim
        self.table = TiedTable(n_pieces, dim)
        self.begin = nn.Linear(memory_dim, 2 * n_layers * hidden_dim)
        self.layers = nn.ModuleList(
            ProjectedLSTM(input_dim=size, cell_dim=hidden_dim, directions=1, cell_clip=None, proj_clip=None)
            for size in [dim] + [both] * (n_layers - 1)
        )
        self.attentions = nn.ModuleList(
            GeneralAttention(query_dim=hidden_dim, memory_dim=memory_dim) for _ in range(n_layers)
        )
        self.readout = nn.Linear(both, dim)
        self.dropout = Dropout(dropout)

    def start(self, last: Tensor) -> State:
        """The state before any piece, from the last states of the source (B, M); one translation a sentence."""
        states = self.begin(last).unsqueeze(1).chunk(2 * len(self.layers), dim=2)
        return tuple(torch.tanh(state) if number % 2 == 0 else state for number, state in enumerate(states))

    def forward(self, pieces: Tensor, lengths: Sequence[int], memory: Memory, last: Tensor) -> tuple[Tensor, Tensor]:
        """What the softmax reads at every piece of whole targets, the pieces before it being given.

        Args:
            pieces: (B, T), begin first, padded at the right.
            lengths: Pieces of each target.
            memory: The source.
            last: (B, M) its last states.

        Returns:
            Rows (N, E), one a piece without the padding, and the place (N,) of each in the flattened (B, T).
        """
        batch, width = pieces.shape
        packing = Packing.of(lengths, stride=width)
        places, order = packing.forward.to(pieces.device), packing.order.to(pieces.device)
        state = tuple(part[order].transpose(0, 1) for part in self.start(last))  # (1, B, H) of sorted targets

        def look(attention: nn.Module, rows: Tensor) -> Tensor:
            queries = rows.new_zeros(batch * width, rows.shape[1]).index_copy(0, places, rows)
            contexts: Tensor = attention(queries.view(batch, width, -1), memory)[0]
            return contexts.flatten(0, 1)[places]

        rows, _ = self._layers(self.table(pieces).flatten(0, 1)[places], packing.batch_sizes, state, look)
        return rows, places

    def step(self, pieces: Tensor, state: State, memory: Memory) -> tuple[Tensor, State]:
        """One piece further: the last pieces (B, K) to log-probabilities (B, K, V) of the next, and the state."""
        batch, beams = pieces.shape

        def look(attention: nn.Module, rows: Tensor) -> Tensor:
            contexts: Tensor = attention(rows.view(batch, beams, -1), memory)[0]
            return contexts.flatten(0, 1)

        flat = tuple(part.flatten(0, 1).unsqueeze(0) for part in state)  # (1, B · K, H)
        rows, after = self._layers(self.table(pieces).flatten(0, 1), [batch * beams], flat, look)
        scores = functional.log_softmax(self.table.scores(rows).float(), dim=-1)
        return scores.view(batch, beams, -1), tuple(part[0].view(batch, beams, -1) for part in after)

    def _layers(
        self, x: Tensor, batch_sizes: list[int], state: State, look: Callable[[nn.Module, Tensor], Tensor]
    ) -> tuple[Tensor, State]:
        """Packed rows x (N, E) to what the softmax reads (N, E), and the states after them."""
        after: list[Tensor] = []
        x = self.dropout(x)
        for number, (layer, attention) in enumerate(zip(self.layers, self.attentions, strict=True)):
            y, final = layer(x.unsqueeze(0), batch_sizes, (state[2 * number], state[2 * number + 1]))
            after += final
            x = self.dropout(torch.cat([y[0], look(attention, y[0])], dim=1))
        return self.dropout(torch.tanh(self.readout(x))), tuple(after)
