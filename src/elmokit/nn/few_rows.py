"""Inference of a few sentences: a compiled loop over all their steps, with weights laid out for it.

A step of one sentence multiplies one vector by the recurrent weights, which takes as long as reading them takes. So
they are stored in the order in which they are read, in sixteen bits where that loses nothing (shipped models are saved
in float16), and widened in registers: the arithmetic is that of float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elmokit.nn.lstm_steps import Clips, Weights
from elmokit.nn.native.library import Kernels

MOST_ROWS = 8
"""Sentences up to which this is the faster way (measured on an EPYC, Zen 4, against prepacked products)."""

_PANEL = 64
_MOST_BYTES = 20 << 20  # of both directions of a layer: larger weights come from memory, not from a cache, either way
_GATES_AT_ONCE = 1 << 20  # numbers
_STORAGES = (torch.float32, torch.float16, torch.bfloat16)  # numbered as in kernel_list.h


@dataclass(frozen=True)
class FewRows:
    """One direction of a layer."""

    kernels: Kernels
    storage: int
    input: Tensor  # (4C / 64, I, 64)
    hidden: Tensor  # (4C / 64, H, 64)
    bias: Tensor  # (4C,)
    projection: Tensor | None  # (H / 64, C, 64)

    @classmethod
    def of(cls, w: Weights, kernels: Kernels) -> FewRows | None:
        """None where the weights do not fit: too large, sizes that 64 does not divide, or not on a CPU."""
        matrices = _matrices(w)
        exact = (
            narrow
            for narrow in (torch.float16, torch.bfloat16)
            if all(torch.equal(matrix.to(narrow).to(matrix.dtype), matrix) for matrix in matrices)
        )
        dtype = next(exact, torch.float32)  # the narrowest type that holds all numbers exactly
        if not cls.fits(w, dtype):
            return None
        narrowed = (matrix.detach().to(dtype) for matrix in matrices)
        panels = [
            matrix.reshape(len(matrix) // _PANEL, _PANEL, matrix.shape[1]).transpose(1, 2).contiguous()
            for matrix in narrowed
        ]
        projection = None if w.projection is None else panels[2]
        bias = w.bias.detach().float().contiguous()
        return cls(kernels, _STORAGES.index(dtype), panels[0], panels[1], bias, projection)

    @staticmethod
    def fits(w: Weights, dtype: torch.dtype) -> bool:
        """Whether weights of these sizes, stored in this type, can be laid out."""
        matrices = _matrices(w)
        divided = all(len(matrix) % _PANEL == 0 for matrix in matrices)
        small = 2 * sum(matrix.numel() for matrix in matrices) * dtype.itemsize <= _MOST_BYTES
        return w.input.device.type == "cpu" and divided and small

    def run(self, x: Tensor, h: Tensor, c: Tensor, batch_sizes: Sequence[int], clips: Clips, output: Tensor) -> None:
        """As `lstm_steps.infer`: packed rows x (N, I) in float32; fills output (N, H), h (B, H) and c (B, C) become the
        final states."""
        size, hidden = c.shape[1], h.shape[1]
        room = c.new_empty(len(c), size)
        first, steps = 0, 0
        while steps < len(batch_sizes):
            most = max(_GATES_AT_ONCE // (4 * size * batch_sizes[steps]), 1)
            part = list(batch_sizes[steps : steps + most])
            rows = sum(part)
            z = x.new_empty(rows, 4 * size)
            self.kernels.product(
                rows, x.shape[1], 4 * size, x[first:].data_ptr(), self.input.data_ptr(), self.storage, z.data_ptr()
            )
            sizes = torch.tensor(part, dtype=torch.int64)
            self.kernels.infer_steps(
                len(part),
                sizes.data_ptr(),
                size,
                hidden,
                z.data_ptr(),
                self.bias.data_ptr(),
                self.hidden.data_ptr(),
                None if self.projection is None else self.projection.data_ptr(),
                self.storage,
                _bound(clips.cell),
                _bound(clips.projection),
                h.data_ptr(),
                c.data_ptr(),
                output[first:].data_ptr(),
                room.data_ptr(),
            )
            first, steps = first + rows, steps + len(part)


def _matrices(w: Weights) -> list[Tensor]:
    """Each (outputs, inputs)."""
    return [w.input, w.hidden, *([] if w.projection is None else [w.projection.t()])]


def _bound(clip: float | None) -> float:
    return math.inf if clip is None else clip
