"""Products of many small batches of rows with one weight, which is laid out for them once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn.precision import multiplies, wide_product

_ROWS_THAT_PAY = 600
_CALLS_THAT_PAY = 12
_MOST_BYTES = 4 << 20  # of a weight that is copied: the largest published model would hold 150 MB of copies in float32


def product_with(
    weight: Tensor, bias: Tensor | None = None, *, rows: int, calls: int, room: Tensor | None = None
) -> Callable[[Tensor], Tensor]:
    """A function of x (B, K) that gives x · weightᵀ + bias (B, M), weight (M, K); not differentiable.

    The result may be in ``room`` (most rows, M), and is then overwritten by the next.

    A library lays a weight out for the processor's units in every product, which takes as long as the product itself
    when x has few rows. Here oneDNN does it once where that pays for ``calls`` products of ``rows`` rows altogether. On
    an EPYC (Zen 4) the product of 64 rows with (2048, 256) then runs at 112 and 218 GFLOP/s in float32 and bfloat16
    where `torch.mm` has 95 and 201.
    """
    transposed = weight.t()
    # In float32 the whole product gets faster, in bfloat16 the layout is saved, which costs more across the grain.
    pays = weight.device.type == "cpu" and weight.numel() * weight.itemsize <= _MOST_BYTES and can_pack()
    if weight.dtype == torch.float32:
        pays = pays and rows >= _ROWS_THAT_PAY and calls >= 4
    else:  # without units for bfloat16 oneDNN refuses it
        enough = _CALLS_THAT_PAY if weight.is_contiguous() else 4 * _CALLS_THAT_PAY
        pays = pays and weight.dtype == torch.bfloat16 and multiplies(torch.bfloat16, "cpu") and calls >= enough
    if not pays:
        if bias is not None:
            return lambda x: linear(x, weight, bias)
        if room is None:
            return lambda x: torch.mm(x, transposed)
        return lambda x: torch.mm(x, transposed, out=room[: len(x)])
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, max(rows // max(calls, 1), 1))
    return lambda x: _onednn_linear(x, packed, bias)


def product_of(weight: Tensor, x: Tensor, *, calls: int, room: Tensor) -> Callable[[Tensor], Tensor]:
    """`product_with` for rows like those of x, which are as many as all products together have; of a weight (M, K) in
    another type than x, too."""
    if weight.dtype == x.dtype:
        return product_with(weight, rows=len(x), calls=calls, room=room)
    return partial(wide_product, weight=weight)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` of x (N, K), the faster way where nothing needs a gradient and nothing is traced.

    That is oneDNN in float32, where PyTorch takes MKL: 214 GFLOP/s instead of 181 for 256 rows and (2048, 2048) on two
    cores of an EPYC, and the same on processors of Intel.
    """
    watched = torch.is_grad_enabled() or torch.is_autocast_enabled(x.device.type) or torch.compiler.is_exporting()
    narrow = weight.dtype != torch.float32 or x.dtype != torch.float32
    if watched or narrow or weight.device.type != "cpu" or not can_pack():
        return functional.linear(x, weight, bias)
    return _onednn_linear(x, weight, bias)


def _onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")
    return result


@cache
def can_pack() -> bool:
    """Whether this PyTorch has oneDNN and the operations that PyTorch's compiler calls it by."""
    operations = torch.ops.mkldnn
    names = ("_reorder_linear_weight", "_linear_pointwise")
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and all(hasattr(operations, name) for name in names)
