"""More cells and wider tails that change nothing at first."""

from __future__ import annotations

import torch

from elmokit.nn.bilm import BiLM
from elmokit.nn.softmax import SoftmaxHead


@torch.no_grad()
def add_cells(trained: BiLM, grown: BiLM) -> None:
    """The cells of a biLM into a larger one, whose other cells say nothing yet.

    Gates lie in four blocks: (D, 4 · C, inputs), a projection is (D, C, P).
    """
    wide = dict(grown.named_parameters())
    for name, weight in trained.named_parameters():
        target, cells = wide[name], weight.shape[1]
        if name.endswith("weight_projection"):
            target.zero_()[:, :cells] = weight
        else:
            gates = torch.unflatten(target, 1, (4, -1))
            gates[:, :, : cells // 4] = torch.unflatten(weight, 1, (4, -1))


@torch.no_grad()
def widen_head(trained: SoftmaxHead, grown: SoftmaxHead) -> None:
    """The same products in wider tails: what is added to the vectors of words is zero, not what they are added to."""
    wide = dict(grown.named_parameters())
    for name, weight in trained.named_parameters():
        target = wide[name]
        if name.endswith(".1.weight"):  # the vectors of a cluster's words
            target.zero_()
        target[tuple(slice(size) for size in weight.shape)] = weight
