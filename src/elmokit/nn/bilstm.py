"""A bidirectional LSTM over sentences of unequal length, without a step on padding: what task heads read words with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from elmokit.nn.dropout import Dropout
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.packing import Packing


class BiLSTM(nn.Module):
    """`n_layers` of both directions; each layer reads the two directions of the one below side by side.

    Computes what `torch.nn.LSTM(bidirectional=True)` computes on a packed sequence, at about twice its rate on a CPU.

    With `between_dim` the second layer reads vectors of that size, too, in addition to the states of the first.
    """

    def __init__(
        self, *, input_dim: int, hidden_dim: int, n_layers: int, between_dim: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if between_dim and n_layers < 2:
            raise ValueError(
                f"n_layers is {n_layers}; expected at least 2 with between_dim: two layers to stand between."
            )
        sizes = [input_dim, 2 * hidden_dim + between_dim][:n_layers] + [2 * hidden_dim] * (n_layers - 2)
        self.layers = nn.ModuleList(
            ProjectedLSTM(input_dim=size, cell_dim=hidden_dim, cell_clip=None, proj_clip=None) for size in sizes
        )
        self.dropout = Dropout(dropout)

    def forward(self, words: Tensor, lengths: Sequence[int], between: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """words (B, W, D) to states (B, W, 2H), zero in the padding, and both last states (B, 2H).

        `between` (B, W, `between_dim`) is what the second layer reads in addition to the first one's states. A sentence
        without words has last states of zero.
        """
        batch, width = words.shape[:2]
        packing = Packing.of(lengths, stride=width)
        forward, backward = packing.forward.to(words.device), packing.backward.to(words.device)
        row = torch.empty(2, batch * width, dtype=torch.long, device=words.device)  # packed row of each position
        steps = torch.arange(len(forward), device=words.device)
        row[0, forward], row[1, backward] = steps, steps
        x = words.flatten(0, 1)[torch.stack([forward, backward])]  # (2, N, D) in each direction's reading order
        states, last = x[0], x.new_zeros(2, batch, 0)
        for number, layer in enumerate(cast(Iterable[ProjectedLSTM], self.layers)):
            if number == 1 and between is not None:
                states = torch.cat([states, between.flatten(0, 1)[forward].to(states.dtype)], dim=1)
            if number > 0:
                states = self.dropout(states)
                x = torch.stack([states, states[row[0, backward]]])
            y, (last, _) = layer(
                x, packing.batch_sizes, layer.zero_state(batch)
            )  # (2, N, H), (2, B, H) of sorted sentences
            states = torch.cat([y[0], y[1][row[1, forward]]], dim=1)  # (N, 2H) in forward order
        back = torch.argsort(packing.order).to(words.device)
        padded = states.new_zeros(batch * width, states.shape[1]).index_copy(0, forward, states)
        return padded.view(batch, width, states.shape[1]), torch.cat([last[0], last[1]], dim=1)[back]
