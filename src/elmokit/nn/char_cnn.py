"""The character CNN of ELMo: a word's bytes to one vector (Kim et al. 2016; Peters et al. 2018, appendix of the biLM)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Literal["relu", "tanh"]


class Highway(nn.Module):
    """y = g · relu(x W_t + b_t) + (1 − g) · x with g = σ(x W_c + b_c): the gate that bilm-tf calls "carry" lets the transform in."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.carry = nn.Linear(size, size)
        self.transform = nn.Linear(size, size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """N(0, 1/√size), the gate nearly closed (bias −2)."""
        with torch.no_grad():
            for linear in (self.carry, self.transform):
                linear.weight.normal_(0, linear.in_features**-0.5)
                linear.bias.zero_()
            self.carry.bias.fill_(-2.0)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.carry(x))
        return torch.lerp(x, functional.relu(self.transform(x)), gate)


class CharCNN(nn.Module):
    """Character ids of words (U, L) to word vectors (U, P).

    Id 0 is padding and embeds as zeros. Windows over the padding inside a word's 50 positions take part in the maximum, as
    in the reference; ``crop`` cuts only columns that cannot change it.
    """

    def __init__(
        self, *, n_characters: int = 262, embedding_dim: int = 16, filters: Sequence[Sequence[int]] = ((1, 32),),
        n_highway: int = 1, projection_dim: int = 256, activation: Activation = "relu",
        max_characters: int = 50,
    ) -> None:  # fmt: skip
        super().__init__()
        self.max_characters = max_characters
        self.activation = activation
        self.widest = max(width for width, _ in filters)
        n_filters = sum(count for _, count in filters)
        self.embedding = nn.Embedding(n_characters, embedding_dim, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding_dim, count, width) for width, count in filters)
        self.highways = nn.ModuleList(Highway(n_filters) for _ in range(n_highway))
        self.projection = None if n_filters == projection_dim else nn.Linear(n_filters, projection_dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """bilm-tf's recipe: characters U(−1, 1), relu filters U(−0.05, 0.05), tanh filters N(0, 1/√(width · dim)),
        projection N(0, 1/√N); the highways reset themselves."""
        with torch.no_grad():
            self.embedding.weight.uniform_(-1.0, 1.0)
            self.embedding.weight[0] = 0.0
            for convolution in self.convolutions:
                fan_in = convolution.in_channels * convolution.kernel_size[0]
                if self.activation == "relu":
                    convolution.weight.uniform_(-0.05, 0.05)
                else:
                    convolution.weight.normal_(0, fan_in**-0.5)
                convolution.bias.zero_()
            for highway in self.highways:
                highway.reset_parameters()
            if self.projection is not None:
                self.projection.weight.normal_(0, self.projection.in_features**-0.5)
                self.projection.bias.zero_()

    def crop(self, chars: Tensor) -> Tensor:
        """Cut trailing columns that are padding for every word, exactly: one all-padding window of the widest filter stays.

        The longest word counts with its boundary marks; ``PAD`` inside a word is id 261 and the padded sentence position id 0.
        """
        real = (chars != 0) & (chars != PAD_ID)
        longest = int(real.any(dim=0).nonzero().max()) + 1 if bool(real.any()) else 0
        return chars[:, : max(self.widest, min(chars.shape[1], longest + self.widest))]

    def forward(self, chars: Tensor) -> Tensor:
        """chars (U, L) integer ids; L may be any length that holds the widest filter."""
        characters = self.embedding(self.crop(chars).long()).transpose(1, 2)  # (U, E, L)
        activate = functional.relu if self.activation == "relu" else torch.tanh
        # The activations rise, so activating the maximum equals the maximum of the activated.
        pooled = [activate(convolution(characters).amax(dim=2)) for convolution in self.convolutions]
        vectors = torch.cat(pooled, dim=1)  # (U, N)
        for highway in self.highways:
            vectors = highway(vectors)
        return vectors if self.projection is None else self.projection(vectors)


PAD_ID = 261
"""The id of an unused position inside a word (elmo-formats: 260 before the shift by one)."""
