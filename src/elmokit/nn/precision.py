"""Which number formats a processor multiplies, and products with weights that are only stored in another one."""

from __future__ import annotations

import time
from functools import cache
from typing import Literal

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


def wide_product(x: Tensor, *, weight: Tensor) -> Tensor:
    """x (N, K) · weight (M, K)ᵀ in the type of x; the weight, of another type, is widened block by block.

    A single row is rounded to the type of the weight: its product takes as long as reading the weight takes.
    """
    if len(x) == 1:
        return torch.mv(weight, x[0].to(weight.dtype)).to(x.dtype)[None]
    out = x.new_empty(len(x), len(weight))
    rows = max(1, _BLOCK // weight.shape[1])
    for start in range(0, len(weight), rows):
        part = slice(start, start + rows)
        torch.mm(x, weight[part].to(x.dtype).t(), out=out[:, part])
    return out


Precision = Literal["float32", "bfloat16"]


def faster_precision(device: torch.device) -> Precision:
    """Under which of the two training is the faster: measured on a CPU, where many have no units for bfloat16."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if _product_seconds(torch.bfloat16) < _product_seconds(torch.float32) else "float32"


def _product_seconds(dtype: torch.dtype) -> float:
    """Best of five products of the shape of one LSTM step."""
    left, right = torch.ones(64, 256, dtype=dtype), torch.ones(256, 2048, dtype=dtype)
    times = []
    for _ in range(6):
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    return min(times[1:])
