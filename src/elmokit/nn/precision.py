"""Which number formats a processor multiplies, and products with weights that are only stored in another one."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

_BLOCK = 1 << 20  # numbers of a weight that are widened at a time: 4 MB, which stay in the cache for their product


_UNITS = {
    torch.bfloat16: ("_is_avx512_bf16_supported", "_is_amx_tile_supported"),
    torch.float16: ("_is_amx_fp16_supported",),
}


@cache
def multiplies(dtype: torch.dtype, device_type: str) -> bool:
    """Whether the device has units for products of this type. Without them PyTorch emulates, slower than float32."""
    if device_type != "cpu" or dtype not in _UNITS:
        return True
    return any(bool(getattr(torch.cpu, name, bool)()) for name in _UNITS[dtype])


def add_product(bias: Tensor, x: Tensor, weight: Tensor, *, out: Tensor) -> None:
    """bias (M,) + x (N, K) · weight (M, K)ᵀ into `out` (N, M); a weight of another type is widened block by block."""
    if weight.dtype == x.dtype:
        torch.addmm(bias, x, weight.t(), out=out)
        return
    rows = max(1, _BLOCK // weight.shape[1])
    for start in range(0, len(weight), rows):
        part = slice(start, start + rows)
        torch.addmm(bias[part], x, weight[part].to(x.dtype).t(), out=out[:, part])
