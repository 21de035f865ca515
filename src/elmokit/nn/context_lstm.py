"""The encoder of a translator in the place of a biLM: CoVe (McCann et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from elmokit.nn.bilm import State
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.dropout import Dropout


class ContextLSTM(nn.Module):
    """A BiLSTM with the surface of `BiLM`: one layer of output, its top states.

    It reads the words alone, as in the translator: the sentence markers stay outside and have states of zero. Since its
    directions meet between the layers, it carries no state from text to text.
    """

    directions = 2

    def __init__(self, *, input_dim: int, hidden_dim: int, n_layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_dim = hidden_dim
        self.lstm = BiLSTM(input_dim=input_dim, hidden_dim=hidden_dim, n_layers=n_layers, dropout=dropout)

    @property
    def dropout(self) -> Dropout:
        """Between its layers."""
        return self.lstm.dropout

    @property
    def layers(self) -> nn.ModuleList:
        """Its LSTM layers."""
        return self.lstm.layers

    def forward(
        self, tokens: Tensor, lengths: Sequence[int], *, state: State | None = None
    ) -> tuple[list[Tensor], State]:
        """tokens (B, T, I) with markers to one (B, T, 2H), zero at the markers and in the padding; empty states."""
        words, _ = self.lstm(tokens[:, 1:-1], [length - 2 for length in lengths])
        border = words.new_zeros(len(words), 1, words.shape[2])
        return [torch.cat([border, words, border], dim=1)], self.zero_state(len(words))

    def forward_ragged(
        self, tokens: Tensor, lengths: Sequence[int], *, state: State | None = None, words: Tensor | None = None
    ) -> tuple[list[Tensor], State]:
        """tokens (N, I), sentence behind sentence without padding, to one (N, 2H); ``words`` is of no use here."""
        padded = nn.utils.rnn.pad_sequence(list(torch.split(tokens, list(lengths))), batch_first=True)
        (states,), final = self.forward(padded, lengths)
        return [torch.cat([row[:length] for row, length in zip(states, lengths, strict=True)])], final

    def zero_state(self, batch: int) -> State:
        """No state, for ``batch`` sentences."""
        return State(torch.zeros(0, 2, batch, 0), torch.zeros(0, 2, batch, 0))
