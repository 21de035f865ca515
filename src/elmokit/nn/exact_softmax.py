"""The exact softmax where no gradient is wanted: the likelihood of given words, tile by tile of the logits."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from elmokit.nn.native.library import kernels_for
from elmokit.nn.packed_product import linear, product_with
from elmokit.nn.side_by_side import row_halves, side_by_side

_TILE_ROWS, _TILE_WORDS = 128, 2048
"""Logits computed at a time on a CPU: 1 MB in float32, still in the cache when their exponentials are summed."""

_DEVICE_ROWS = 4096
"""Rows of a tile on other devices, which want few large calls."""


def negative_log_likelihood(hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """−log p(target) in nats, (N,), under logits hidden (N, H) · weight (V, H)ᵀ + bias (V,).

    Products are in the type of the weights, all else in single precision or better. The memory does not depend on V.
    """

    at_once = _TILE_ROWS if hidden.device.type == "cpu" else _DEVICE_ROWS
    count = -(-len(weight) // _TILE_WORDS)
    borders = [len(weight) * tile // count for tile in range(count + 1)]  # of tiles of about equal size

    def losses(half: slice) -> Tensor:
        """(n,), tile by tile; the weights of a tile's words are laid out for their products once."""
        rows_of_half = hidden[half].to(weight.dtype)
        log_sum = rows_of_half.new_full((len(rows_of_half),), -torch.inf, dtype=_wide_type(rows_of_half))
        own = log_sum.clone()
        tiles = [torch.split(part, at_once) for part in (rows_of_half, targets[half], log_sum, own)]
        for start, stop in pairwise(borders):
            part = None if bias is None else bias[start:stop]
            multiply = product_with(weight[start:stop], part, rows=len(rows_of_half), calls=len(tiles[0]))
            for rows, words, row_sum, row_own in zip(*tiles, strict=True):
                logits = multiply(rows).to(row_sum.dtype)
                torch.logaddexp(row_sum, log_sum_exp(logits), out=row_sum)
                scores = logits.gather(1, (words - start).clamp(0, stop - start - 1)[:, None])[:, 0]
                row_own.copy_(torch.where(words < start, row_own, scores))
        return log_sum - own

    with torch.autocast(hidden.device.type, enabled=False):
        return torch.cat(side_by_side([partial(losses, half) for half in row_halves(len(hidden))], hidden.device))


def wide_logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(n, V), in single precision or better."""
    with torch.autocast(hidden.device.type, enabled=False):
        return linear(hidden.to(weight.dtype), weight, bias).to(_wide_type(weight))


def log_sum_exp(logits: Tensor) -> Tensor:
    """log Σ exp of each row of contiguous logits (n, V), (n,)."""
    kernels = kernels_for(logits)
    if kernels is None:
        # For any word it is l − log p; that of the most likely is the most exact. `torch.logsumexp` takes longer.
        return logits.amax(dim=1) - logits.softmax(dim=1).amax(dim=1).log_()
    log_sums, losses = torch.empty(len(logits)), torch.empty(len(logits))
    words = torch.zeros(len(logits), dtype=torch.long)  # any: their losses are not wanted
    kernels.cross_entropy(*logits.shape, logits.data_ptr(), words.data_ptr(), losses.data_ptr(), log_sums.data_ptr())
    return log_sums


def _wide_type(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)
