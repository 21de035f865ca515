"""The character CNN of ELMo: a word's bytes to one vector (Kim et al. 2016; Peters et al. 2018, §3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.char_windows import filter_maxima
from elmokit.nn.packed_product import linear
from elmokit.nn.token_encoder import TokenEncoder

Activation = Literal["relu", "tanh"]


class Highway(nn.Module):
    """y = g · relu(x W_t + b_t) + (1 − g) · x with g = σ(x W_c + b_c).

    The gate that bilm-tf calls "carry" lets the transform in.
    """

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
        gate = torch.sigmoid(_applied(self.carry, x)).to(x.dtype)  # autocast gives products of another type
        return torch.lerp(x, functional.relu(_applied(self.transform, x)).to(x.dtype), gate)


def _applied(layer: nn.Linear, x: Tensor) -> Tensor:
    return linear(x, layer.weight, layer.bias)


class CharCNN(TokenEncoder):
    """Character ids of words (U, L) to word vectors (U, P), or (U, filters) with ``projection_dim=None``.

    Id 0 is padding and embeds as zeros. Windows over the padding inside a word's 50 positions take part in the maximum,
    as in the reference; only columns that cannot change it are cut. ``padding`` is the id of those positions.
    """

    def __init__(
        self,
        *,
        n_characters: int = 262,
        embedding_dim: int = 16,
        filters: Sequence[Sequence[int]] = ((1, 32),),
        n_highway: int = 1,
        projection_dim: int | None = 256,
        activation: Activation = "relu",
        max_characters: int = 50,
        padding: int = 261,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.max_characters = max_characters
        self.activation = activation
        self.widest = max(width for width, _ in filters)
        n_filters = sum(count for _, count in filters)
        self.embedding = nn.Embedding(n_characters, embedding_dim, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding_dim, count, width) for width, count in filters)
        self.highways = nn.ModuleList(Highway(n_filters) for _ in range(n_highway))
        self.n_filters = n_filters
        plain = projection_dim is None or projection_dim == n_filters
        self.projection = None if plain else nn.Linear(n_filters, cast(int, projection_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """bilm-tf's recipe: characters U(−1, 1), relu filters U(−0.05, 0.05), tanh filters N(0, 1/√(width · dim)),
        projection N(0, 1/√N); the highways reset themselves."""
        with torch.no_grad():
            self.embedding.weight.uniform_(-1.0, 1.0)
            self.embedding.weight[0] = 0.0
            for convolution in self._filters:
                fan_in = convolution.in_channels * convolution.kernel_size[0]
                if self.activation == "relu":
                    convolution.weight.uniform_(-0.05, 0.05)
                else:
                    convolution.weight.normal_(0, fan_in**-0.5)
                if convolution.bias is not None:
                    convolution.bias.zero_()
            for highway in cast(Iterable[Highway], self.highways):
                highway.reset_parameters()
            if self.projection is not None:
                self.projection.weight.normal_(0, self.projection.in_features**-0.5)
                self.projection.bias.zero_()

    def forward(self, chars: Tensor) -> Tensor:
        """chars (U, L) integer ids; L may be any length that contains the widest filter."""
        pooled = self._pooled_by_length(chars)  # (U, N)
        for highway in self.highways:
            pooled = highway(pooled)
        return pooled if self.projection is None else _applied(self.projection, pooled)

    def traced(self, chars: Tensor) -> Tensor:
        """Every position is read, none cut."""
        characters = self.embedding(chars).transpose(1, 2)
        maxima = [convolution(characters).amax(dim=2) for convolution in self.convolutions]
        x = torch.cat(maxima, dim=1)
        x = functional.relu(x) if self.activation == "relu" else torch.tanh(x)
        for highway in self.highways:
            x = highway(x)
        return x if self.projection is None else self.projection(x)

    def _pooled_by_length(self, chars: Tensor) -> Tensor:
        """Words of like length together, each group cut to its longest: one URL does not make every word 50 long.

        The cut is exact. Trailing columns are padding for the whole group, and one all-padding window of each filter
        stays, so every maximum sees the values it would have seen.
        """
        kernel = self._kernel(self._filters)
        if not len(chars):
            return self._pooled(chars, kernel, longest=0)
        columns = torch.arange(1, chars.shape[1] + 1, device=chars.device).expand(chars.shape)
        lengths = torch.where((chars != 0) & (chars != self.padding), columns, 0).amax(dim=1)
        lengths, order = lengths.sort()
        known = lengths.cpu()  # all at once: each look at a GPU's numbers waits for what it does
        sizes = torch.bincount(torch.bucketize(known, torch.tensor(_LENGTH_BORDERS))).tolist()
        groups = [
            (group, int(of_group[-1]))
            for group, of_group in zip(torch.split(order, sizes), torch.split(known, sizes), strict=True)
            if len(group)
        ]
        pooled = [self._pooled(chars[group], kernel, longest=longest) for group, longest in groups]
        if len(pooled) == 1:
            return pooled[0][order.argsort()]
        return torch.cat(pooled)[order.argsort()]

    def _pooled(self, chars: Tensor, kernel: Tensor, *, longest: int) -> Tensor:
        """chars (u, L), padding behind column `longest`, to the maxima of all filters (u, N).

        All filters run over the windows of the widest one. Words so long that it does not fit behind their last
        character, as it does behind the others', have more windows of the narrow filters: there each runs alone.
        """
        characters = self.embedding(chars[:, : longest + self.widest].long())  # (u, l, E)
        if longest + self.widest <= chars.shape[1]:
            maxima = filter_maxima(characters, kernel)
        else:
            maxima = torch.cat([filter_maxima(characters, self._kernel([one])) for one in self._filters], dim=1)
        biases = [one.bias for one in self._filters if one.bias is not None]
        if biases:
            maxima = maxima + torch.cat(biases)
        activate = functional.relu if self.activation == "relu" else torch.tanh
        return activate(maxima)  # activations rise: the maximum may be taken before them

    @property
    def _filters(self) -> list[nn.Conv1d]:
        return list(cast(Iterable[nn.Conv1d], self.convolutions))

    @staticmethod
    def _kernel(convolutions: Sequence[nn.Conv1d]) -> Tensor:
        """The filters as one (width · E, N), the narrow ones filled up with zeros."""
        widest = max(one.kernel_size[0] for one in convolutions)
        weights = [functional.pad(one.weight, (0, widest - one.kernel_size[0])) for one in convolutions]
        return torch.cat(weights).permute(2, 1, 0).flatten(0, 1)


_LENGTH_BORDERS = (7, 9, 11, 14, 20)
"""Encoded lengths (with both boundary marks) at which words are grouped; English words have about nine."""
