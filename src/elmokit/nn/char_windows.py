"""The maximum of every character filter over a word's windows, and its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from elmokit.nn.packed_product import product_with

_ANSWERS_AT_ONCE = 1 << 21
"""Numbers where no gradient is needed: 8 MB in float32, in a cache until their maximum is taken."""


def filter_maxima(characters: Tensor, kernel: Tensor) -> Tensor:
    """The largest answer of each filter over all windows of a word; windows that tie share its gradient.

    Args:
        characters: (u, l, E) vectors of the characters of u words.
        kernel: (width · E, N), the filters; a narrower one has zeros behind.

    Returns:
        (u, N), in the type of autocast where it is on. The backward pass can run once.

    All filters are one product, over windows laid out as rows: `conv1d` leaves most of the processor's units empty with
    its sixteen input channels. The gradient comes from comparing answers with their maximum in place, which takes a
    fifth of the time of `amax`'s own.
    """
    dtype = kernel.dtype
    if torch.is_autocast_enabled(characters.device.type):
        dtype = torch.get_autocast_dtype(characters.device.type)
    characters, kernel = characters.to(dtype), kernel.to(dtype)
    if torch.is_grad_enabled() and (characters.requires_grad or kernel.requires_grad):
        maxima: Tensor = _FilterMaxima.apply(characters, kernel)  # type: ignore[no-untyped-call]
        return maxima
    rows = max(_ANSWERS_AT_ONCE // max(characters.shape[1] * kernel.shape[1], 1), 1)
    parts = [_windows(part, len(kernel)) for part in torch.split(characters, rows)]
    multiply = product_with(kernel.t(), rows=len(parts[0]) * len(characters), calls=len(parts))
    best = [
        multiply(part.reshape(-1, len(kernel))).view(*part.shape[:2], kernel.shape[1]).amax(dim=0) for part in parts
    ]
    return best[0] if len(best) == 1 else torch.cat(best)


def _windows(characters: Tensor, size: int) -> Tensor:
    """(u, l, E) as (w, u, size): the characters of each window in a row, not copied."""
    words, length, dim = characters.shape
    shape, strides = (length - size // dim + 1, words, size), (dim, length * dim, 1)
    return characters.contiguous().as_strided(shape, strides)


class _FilterMaxima(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, characters: Tensor, kernel: Tensor) -> Tensor:
        with torch.autocast(characters.device.type, enabled=False):
            windows = _windows(characters, len(kernel))
            answers = (windows.reshape(-1, len(kernel)) @ kernel).view(*windows.shape[:2], kernel.shape[1])  # (w, u, N)
        best = answers.amax(dim=0)
        ctx.save_for_backward(characters, kernel, best)
        ctx.answers = answers
        return best

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        characters, kernel, best = ctx.saved_tensors
        answers, ctx.answers = ctx.answers, None
        if answers is None:
            raise RuntimeError("the backward pass of the character filters can run only once")
        words, length, dim = characters.shape
        with torch.autocast(characters.device.type, enabled=False):
            grads = torch.eq(answers, best, out=answers)  # 1 where a window won; in place, and as numbers
            grads *= grad.to(grads.dtype) / grads.sum(dim=0)
            rows = grads.flatten(0, 1)  # (w · u, N)
            windows = _windows(characters, len(kernel))
            grad_kernel = windows.reshape(-1, len(kernel)).t() @ rows
            grad_windows = (rows @ kernel.t()).view(len(windows), words, len(kernel) // dim, dim)
            grad_characters = characters.new_zeros(length, words, dim)
            for offset in range(grad_windows.shape[2]):
                grad_characters[offset : offset + len(windows)] += grad_windows[:, :, offset]
        return grad_characters.transpose(0, 1), grad_kernel
