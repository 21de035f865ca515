"""The steps of a projected LSTM with compiled kernels: the functions of `lstm_steps.py`, faster, on CPUs.

Between two products of a step there is one pass over memory, forward and backward, whatever the number type; cells
and the gradients of cells and biases are float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from elmokit.nn.lstm_steps import AdvanceCell, Clips, Steps, Weights, by_step, own_copy, states_before
from elmokit.nn.native.library import TypedKernels
from elmokit.nn.packed_product import product_with


def advance_cell(kernels: TypedKernels) -> AdvanceCell:
    """One step of inference, for `lstm_steps.infer`."""

    def advance(
        z: Tensor,
        places: Tensor | None,
        more: Tensor | None,
        bias: Tensor,
        cell: Tensor,
        clip: float | None,
        mixed: Tensor,
    ) -> None:
        pointers = _pointers(z, places, more, bias, cell)
        kernels.infer_step(*cell.shape, *pointers, _bound(clip), mixed.data_ptr())

    return advance


def forward(
    kernels: TypedKernels,
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w: Weights,
    batch_sizes: Sequence[int],
    clips: Clips,
    output: Tensor,
    *,
    zero_start: bool,
) -> Steps:
    """x (N, I), h (B, H), c (B, C) in float32; fills ``output`` (N, H). With ``zero_start`` h and c are zero."""
    rows, size, calls = len(x), c.shape[1], len(batch_sizes)
    gates = torch.mm(x, w.input.t())  # the input product of every step at once
    bias = w.bias.float().contiguous()
    cells = c.new_empty(rows, size)
    tanh_cells, mixed = x.new_empty(rows, size), output if w.projection is None else x.new_empty(rows, size)
    recurrent = product_with(w.hidden, rows=rows, calls=calls)
    project = None if w.projection is None else product_with(w.projection.t(), rows=rows, calls=calls)
    clip = _bound(clips.cell)
    before = None if zero_start else c.contiguous()
    for step, c_out, tanh_out, mixed_out, h_out in by_step(batch_sizes, gates, cells, tanh_cells, mixed, output):
        more = None if before is None else recurrent(h[: len(step)])
        given, made = _pointers(step, more, bias, before), _pointers(step, c_out, tanh_out, mixed_out)
        kernels.forward_step(*c_out.shape, *given, clip, *made)
        if project is not None:
            h_out.copy_(project(mixed_out))
            if clips.projection is not None:
                h_out.clamp_(-clips.projection, clips.projection)
        h, before = h_out, c_out
    return Steps(gates, cells, tanh_cells, None if w.projection is None else mixed, output)


def backward(
    kernels: TypedKernels,
    steps: Steps,
    grad_output: Tensor | None,
    grad_h: Tensor,
    grad_c: Tensor,
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w: Weights,
    batch_sizes: Sequence[int],
    clips: Clips,
    *,
    input_needs: bool,
    zero_start: bool,
) -> tuple[Tensor | None, ...]:
    """As `lstm_steps.backward`; the gates of ``steps`` are overwritten by their gradients.

    With ``zero_start`` the gradients of h and c are not those of the initial states, which nobody asks for.
    """
    size, calls = c.shape[1], len(batch_sizes)
    grad_outputs = own_copy(grad_output, steps.output)
    grad_bias = torch.zeros(4 * size)
    back = product_with(w.hidden.t(), rows=len(x), calls=calls)
    to_mixed = None if w.projection is None else product_with(w.projection, rows=len(x), calls=calls)
    cell_clip = _bound(clips.cell)
    output_clip = math.inf if w.projection is None else _bound(clips.projection)
    views = list(by_step(batch_sizes, steps.gates, grad_outputs, steps.output, steps.cell, steps.tanh_cell))
    befores = [None if zero_start else c.contiguous(), *(view[3] for view in views)][: len(views)]
    for (gates, step_h, output, cell, tanh_cell), before in zip(reversed(views), reversed(befores), strict=True):
        kernels.output_gradient(step_h.numel(), step_h.data_ptr(), grad_h.data_ptr(), output.data_ptr(), output_clip)
        grad_mixed = step_h if to_mixed is None else to_mixed(step_h)
        pointers = _pointers(grad_mixed, grad_c, gates, cell, before, tanh_cell)
        kernels.backward_step(*cell.shape, *pointers, cell_clip, grad_bias.data_ptr())
        if before is not None:
            grad_h[: len(gates)] = back(gates)
    grad_gates = steps.gates
    return (
        grad_gates @ w.input if input_needs else None,
        grad_h,
        grad_c,
        grad_gates.t() @ x,
        grad_gates.t() @ states_before(steps.output, h, batch_sizes),
        grad_bias.to(grad_gates.dtype),
        None if steps.mixed is None else steps.mixed.t() @ grad_outputs,
    )


def _pointers(*tensors: Tensor | None) -> list[int | None]:
    """Where the numbers of contiguous tensors are."""
    return [None if tensor is None else tensor.data_ptr() for tensor in tensors]


def _bound(clip: float | None) -> float:
    return math.inf if clip is None else clip
