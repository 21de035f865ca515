"""The cross-entropy of rows against a large vocabulary without holding all logits at once, and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
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
        ctx.kernels, ctx.halves, log_sums = kernels_for(hidden), row_halves(len(hidden)), None
        with torch.autocast(hidden.device.type, enabled=False):
            if ctx.kernels is None:
                losses, ctx.kept = _forward(hidden, targets, weight, bias)
            else:
                targets = targets.contiguous()
                losses, log_sums, ctx.kept = _native_forward(ctx.kernels, ctx.halves, hidden, targets, weight, bias)
        ctx.save_for_backward(hidden, targets, weight, bias, log_sums)
        return losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        hidden, targets, weight, bias, log_sums = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, [None] * len(ctx.kept)  # used up below; a second backward pass computes them again
        with torch.autocast(hidden.device.type, enabled=False):
            if ctx.kernels is None:
                grad_hidden, grad_weight, grad_bias = _backward(grad, hidden, targets, weight, bias, kept)
            else:
                grad_hidden, grad_weight, grad_bias = _native_backward(
                    ctx.kernels, ctx.halves, grad, hidden, targets, weight, bias, log_sums, kept
                )
        return grad_hidden, None, grad_weight.to(weight.dtype), None if bias is None else grad_bias.to(bias.dtype)


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return hidden @ weight.t() if bias is None else torch.addmm(bias, hidden, weight.t())


def _chunks(hidden: Tensor, vocab_size: int) -> Iterator[slice]:
    size = rows_at_once(vocab_size, hidden.device)
    return (slice(start, start + size) for start in range(0, len(hidden), size))


# In PyTorch ----------------------------------------------------------------------------------------------------------


def _forward(
    hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, list[Tensor | None]]:
    """Losses (N,), and of each chunk its probabilities, None where there is no room for them."""
    losses = [hidden.new_empty(0, dtype=_wide_type(hidden))]
    kept: list[Tensor | None] = []
    room = _share(_KEPT_LOGITS, hidden.device)
    for part in _chunks(hidden, len(weight)):
        logits = _logits(hidden[part], weight, bias)
        probs = _softmax(logits)
        # log Σ exp = l − log p for any word; the most likely one has the p that is furthest from 0
        log_sum = logits.amax(1).to(probs.dtype) - probs.amax(1).log_()
        losses.append(log_sum - logits.gather(1, targets[part, None])[:, 0])
        room -= probs.numel()
        kept.append(probs.to(hidden.dtype) if room >= 0 else None)
    return torch.cat(losses), kept


def _backward(
    grad: Tensor, hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None, kept: list[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of hidden, weight and bias (of no use without one)."""
    grad_hidden = torch.empty_like(hidden)
    grad_weight, grad_bias = torch.zeros_like(weight, dtype=grad.dtype), grad.new_zeros(len(weight))
    for part, scores in zip(_chunks(hidden, len(weight)), kept, strict=True):
        h = hidden[part]
        if scores is None:
            scores = _softmax(_logits(h, weight, bias)).to(hidden.dtype)
        scores[torch.arange(len(scores), device=scores.device), targets[part]] -= 1
        scores *= grad[part, None].to(scores.dtype)
        torch.mm(scores, weight, out=grad_hidden[part])
        _add_product(grad_weight, scores, h)
        if bias is not None:
            grad_bias += scores.sum(0)
    return grad_hidden, grad_weight, grad_bias


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(dim=1, dtype=_wide_type(logits))  # exp after log_softmax would take four times as long


def _wide_type(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _add_product(total: Tensor, scores: Tensor, h: Tensor) -> None:
    """total (V, H) += scores (n, V)ᵀ · h (n, H)."""
    if total.dtype == h.dtype:
        total.addmm_(scores.t(), h)
    else:
        total += scores.t() @ h


# With compiled kernels -----------------------------------------------------------------------------------------------


def _native_forward(
    kernels: TypedKernels, halves: list[slice], hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, list[Tensor | None]]:
    """Losses and log Σ exp (N,) in float32, and the logits of each chunk of each half (None: no room)."""
    losses, log_sums = (torch.empty(len(hidden), dtype=torch.float32) for _ in range(2))

    def work(half: slice) -> list[Tensor | None]:
        kept: list[Tensor | None] = []
        room = _KEPT_LOGITS // len(halves)
        h, t, loss, log_sum = hidden[half], targets[half], losses[half], log_sums[half]
        for part in _chunks(h, len(weight)):
            logits = _logits(h[part], weight, bias)
            kernels.cross_entropy(
                *logits.shape, logits.data_ptr(), t[part].data_ptr(), loss[part].data_ptr(), log_sum[part].data_ptr()
            )
            room -= logits.numel()
            kept.append(logits if room >= 0 else None)
        return kept

    parts = side_by_side([partial(work, half) for half in halves], hidden.device)
    return losses, log_sums, [logits for part in parts for logits in part]


def _native_backward(
    kernels: TypedKernels,
    halves: list[slice],
    grad: Tensor,
    hidden: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    log_sums: Tensor,
    kept: list[Tensor | None],
) -> tuple[Tensor, Tensor, Tensor]:
    """As `_backward`; kept logits become their gradients."""
    grad_hidden, grad = torch.empty_like(hidden), grad.float().contiguous()

    def work(half: slice, logits_of: list[Tensor | None]) -> tuple[Tensor, Tensor]:
        h, t, sums, g, to_hidden = hidden[half], targets[half], log_sums[half], grad[half], grad_hidden[half]
        grad_weight, grad_bias = torch.zeros_like(weight, dtype=torch.float32), torch.zeros(len(weight))
        for part, scores in zip(_chunks(h, len(weight)), logits_of, strict=True):
            if scores is None:
                scores = _logits(h[part], weight, bias)
            kernels.cross_entropy_gradient(
                *scores.shape,
                scores.data_ptr(),
                t[part].data_ptr(),
                sums[part].data_ptr(),
                g[part].data_ptr(),
                None if bias is None else grad_bias.data_ptr(),
            )
            torch.mm(scores, weight, out=to_hidden[part])
            _add_product(grad_weight, scores, h[part])
        return grad_weight, grad_bias

    jobs, used = [], 0
    for half in halves:
        count = len(list(_chunks(hidden[half], len(weight))))
        jobs.append(partial(work, half, kept[used : used + count]))
        used += count
    (grad_weight, grad_bias), *others = side_by_side(jobs, hidden.device)
    for more_weight, more_bias in others:
        grad_weight += more_weight
        grad_bias += more_bias
    return grad_hidden, grad_weight, grad_bias
