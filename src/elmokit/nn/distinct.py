"""Distinct rows of character ids, so that each word of a batch goes through the char CNN once."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def distinct_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Where each distinct row occurs first, and which distinct row each row is.

    Rows (N, L) of integers are compared by a 64-bit hash, which sorts ten times faster than the rows themselves; the
    result is compared with the rows, and a collision falls back to the exact sort.

    Returns:
        ``picks`` (U,) and ``inverse`` (N,) such that ``rows[picks][inverse]`` equals ``rows``.
    """
    hashes = (rows.long() * _multipliers(rows.shape[1]).to(rows.device)).sum(dim=1)  # wraps around, as a hash may
    _, inverse = torch.unique(hashes, return_inverse=True)
    picks = _one_of_each(inverse)
    if not torch.equal(rows[picks][inverse], rows):
        _, inverse = torch.unique(rows, dim=0, return_inverse=True)
        picks = _one_of_each(inverse)
    return picks, inverse


def _one_of_each(inverse: Tensor) -> Tensor:
    """(N,) group numbers to one member of each group, (U,)."""
    groups = int(inverse.max()) + 1 if len(inverse) else 0
    return inverse.new_empty(groups).scatter_(0, inverse, torch.arange(len(inverse), device=inverse.device))


@cache
def _multipliers(length: int) -> Tensor:
    """Fixed random odd numbers: the same on every machine, so that word order inside a batch is too."""
    with torch.inference_mode(False):
        generator = torch.Generator().manual_seed(0x454C4D6F)
        return torch.randint(-(2**62), 2**62, (length,), generator=generator) * 2 + 1
