"""The cross-entropy of rows against a large vocabulary without holding all logits at once, and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from elmokit.nn.native.library import TypedKernels, kernels_for
from elmokit.nn.side_by_side import row_halves, side_by_side

_CHUNK_LOGITS = 7 << 20
"""Logits computed at a time: 28 MB in float32. From 32 MB on, memory would come from the system anew for each use."""

_KEPT_LOGITS = 1 << 24
"""Logits whose probabilities wait for the backward pass (64 MB in float32); those of the others are computed again."""

_ON_DEVICES = 16
"""Times as many of both on other devices, which have no such cache and want few large calls."""


def rows_at_once(vocab_size: int, device: torch.device | None = None) -> int:
    """Positions whose logits are held together; on a CPU unless a device is named."""
    return max(1, _share(_CHUNK_LOGITS, device) // vocab_size)


def _share(logits: int, device: torch.device | None) -> int:
    return logits if device is None or device.type == "cpu" else _ON_DEVICES * logits


def cross_entropy(hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """hidden (N, H), targets (N,), weight (V, H) and bias (V,) to the loss of each row (N,), in nats.

    The products run in the type of autocast, where it is on, the rest in single precision or better.
    """
    dtype = weight.dtype
    if torch.is_autocast_enabled(hidden.device.type):
        dtype = torch.get_autocast_dtype(hidden.device.type)
    cast = None if bias is None else bias.to(dtype)
    losses: Tensor = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden.to(dtype), targets, weight.to(dtype), cast
    )
    return losses


class _ChunkedCrossEntropy(torch.autograd.Function):
    """See `cross_entropy`; with the compiled kernels the two halves of the rows run side by side."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        kernels, targets = kernels_for(hidden), targets.contiguous()
        halves = [slice(0, len(hidden))] if kernels is None else row_halves(len(hidden))
        losses, log_sums = (hidden.new_empty(len(hidden), dtype=_wide_type(hidden)) for _ in range(2))

        def work(half: slice) -> list[Tensor | None]:
            """The scores of each chunk for the backward pass, None where there is no room for them."""
            kept: list[Tensor | None] = []
            room = _share(_KEPT_LOGITS, hidden.device) // len(halves)
            h, t, loss, log_sum = hidden[half], targets[half], losses[half], log_sums[half]
            for part in _chunks(h, len(weight)):
                scores = _logits(h[part], weight, bias)
                if kernels is None:
                    probs = _softmax(scores)
                    # log Σ exp = l − log p for any word; the most likely one has the p that is furthest from 0
                    log_sum[part] = scores.amax(1).to(probs.dtype) - probs.amax(1).log_()
                    loss[part] = log_sum[part] - scores.gather(1, t[part, None])[:, 0]
                    scores = probs.to(hidden.dtype)
                else:
                    pointers = (each.data_ptr() for each in (scores, t[part], loss[part], log_sum[part]))
                    kernels.cross_entropy(*scores.shape, *pointers)
                room -= scores.numel()
                kept.append(scores if room >= 0 else None)
            return kept

        with torch.autocast(hidden.device.type, enabled=False):
            parts = side_by_side([partial(work, half) for half in halves], hidden.device)
        ctx.kernels, ctx.halves, ctx.kept = kernels, halves, [scores for part in parts for scores in part]
        ctx.save_for_backward(hidden, targets, weight, bias, log_sums)
        return losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        kernels: TypedKernels | None = ctx.kernels
        hidden, targets, weight, bias, log_sums = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, [None] * len(ctx.kept)  # used up below; a second backward pass computes them again
        grad_hidden, grad = torch.empty_like(hidden), grad if kernels is None else grad.float().contiguous()

        def work(half: slice, scores_of: list[Tensor | None]) -> tuple[Tensor, Tensor]:
            """The gradients of weight and bias; kept scores become those of the logits."""
            h, t, sums, g, to_hidden = hidden[half], targets[half], log_sums[half], grad[half], grad_hidden[half]
            to_weight, to_bias = torch.zeros_like(weight, dtype=grad.dtype), grad.new_zeros(len(weight))
            for part, scores in zip(_chunks(h, len(weight)), scores_of, strict=True):
                if scores is None:
                    scores = _logits(h[part], weight, bias)
                    scores = scores if kernels is not None else _softmax(scores).to(hidden.dtype)
                if kernels is not None:
                    pointers = (each.data_ptr() for each in (scores, t[part], sums[part], g[part]))
                    kernels.cross_entropy_gradient(
                        *scores.shape, *pointers, None if bias is None else to_bias.data_ptr()
                    )
                else:
                    scores[torch.arange(len(scores), device=scores.device), t[part]] -= 1
                    scores *= g[part, None].to(scores.dtype)
                    if bias is not None:
                        to_bias += scores.sum(0)
                torch.mm(scores, weight, out=to_hidden[part])
                if to_weight.dtype == h.dtype:
                    to_weight.addmm_(scores.t(), h[part])
                else:
                    to_weight += scores.t() @ h[part]
            return to_weight, to_bias

        counts = [len(list(_chunks(hidden[half], len(weight)))) for half in ctx.halves]
        parts = [kept[end - count : end] for count, end in zip(counts, accumulate(counts), strict=True)]
        with torch.autocast(hidden.device.type, enabled=False):
            jobs = [partial(work, *each) for each in zip(ctx.halves, parts, strict=True)]
            (grad_weight, grad_bias), *others = side_by_side(jobs, hidden.device)
            for more_weight, more_bias in others:
                grad_weight += more_weight
                grad_bias += more_bias
        return grad_hidden, None, grad_weight.to(weight.dtype), None if bias is None else grad_bias.to(bias.dtype)


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return hidden @ weight.t() if bias is None else torch.addmm(bias, hidden, weight.t())


def _chunks(hidden: Tensor, vocab_size: int) -> Iterator[slice]:
    size = rows_at_once(vocab_size, hidden.device)
    return (slice(start, start + size) for start in range(0, len(hidden), size))


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(dim=1, dtype=_wide_type(logits))  # exp after log_softmax would take four times as long


def _wide_type(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)
