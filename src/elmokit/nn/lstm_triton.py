"""The steps of a projected LSTM on a GPU: all directions in one product, everything between two products in one kernel.

A step of the PyTorch code is a dozen launches for each direction, each longer than its arithmetic. Here it is four,
forward and backward: the recurrent product, the cell, the projection, its clip. `lstm_steps.py` has the arithmetic and
is what these kernels are held against. Triton comes with PyTorch for NVIDIA cards on Linux and needs a C compiler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from elmokit.nn.lstm_steps import Clips, last_rows, own_copy, states_before

_BLOCK = 1024


class Stacked(NamedTuple):
    """The weights of all directions (D, …), in the order of `lstm_steps.Weights`."""

    input: Tensor  # (D, 4C, I)
    hidden: Tensor  # (D, 4C, H)
    bias: Tensor  # (D, 4C)
    projection: Tensor | None  # (D, C, H)


class Saved(NamedTuple):
    """What the forward pass leaves for the backward pass: all packed rows, N of them.

    The gradients of the gates take their place there, so the backward pass can run once.
    """

    gates: Tensor  # (D, N, 4C) after their non-linearities
    cell: Tensor  # (D, N, C) clipped, never in reduced precision
    mixed: Tensor  # (D, N, C) o · tanh(c); without a projection the output
    output: Tensor  # (D, N, H)


class PackedLSTM(torch.autograd.Function):
    """x (D, N, I), h (D, B, H), c (D, B, C) and stacked weights to outputs (D, N, H) and the final h and c."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        w_input: Tensor,
        w_hidden: Tensor,
        bias: Tensor,
        w_projection: Tensor | None,
        batch_sizes: list[int],
        clips: Clips,
        _zero_start: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast(x.device.type, enabled=False):
            saved = forward(x, h, c, Stacked(w_input, w_hidden, bias, w_projection), batch_sizes, clips)
        last = last_rows(batch_sizes).to(x.device)
        h_last, c_last = h.clone(), c.clone()
        h_last[:, : len(last)], c_last[:, : len(last)] = saved.output[:, last], saved.cell[:, last]
        ctx.batch_sizes, ctx.clips, ctx.used_up = batch_sizes, clips, False
        ctx.save_for_backward(x, h, c, w_input, w_hidden, bias, w_projection, *saved)
        ctx.set_materialize_grads(False)
        return saved.output, h_last, c_last

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_outputs: Tensor | None, grad_h: Tensor | None, grad_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, h, c, w_input, w_hidden, bias, w_projection, *saved = ctx.saved_tensors
        if ctx.used_up:
            raise RuntimeError("the backward pass of the LSTM's kernels can run only once")
        ctx.used_up = True
        grad_h, grad_c = own_copy(grad_h, h), own_copy(grad_c, c)
        stacked = Stacked(w_input, w_hidden, bias, w_projection)
        given = Saved(*saved), grad_outputs, grad_h, grad_c, x, h, c, stacked, ctx.batch_sizes, ctx.clips
        with torch.autocast(x.device.type, enabled=False):
            gradients = backward(*given, input_needs=ctx.needs_input_grad[0])
        return (*gradients, None, None, None)


def forward(x: Tensor, h: Tensor, c: Tensor, w: Stacked, batch_sizes: Sequence[int], clips: Clips) -> Saved:
    """x (D, N, I), h (D, B, H), c (D, B, C) to the outputs (D, N, H) and what else the backward pass needs."""
    directions, rows, size = len(x), x.shape[1], c.shape[2]
    gates = torch.baddbmm(w.bias[:, None], x, w.input.transpose(1, 2))  # the input product of every step at once
    cells, mixed = c.new_empty(directions, rows, size), x.new_empty(directions, rows, size)
    output = mixed if w.projection is None else x.new_empty(directions, rows, h.shape[2])
    hidden_t = w.hidden.transpose(1, 2)
    before = c.contiguous()
    for step, cell, mix, out in _by_step(batch_sizes, gates, cells, mixed, output):
        count = step.shape[1]
        step.baddbmm_(h[:, :count], hidden_t)
        _launch(_cell_forward, step, before, cell, mix, clip=clips.cell, size=size)
        before, h = cell, mix
        if w.projection is not None:
            h = torch.bmm(mix, w.projection, out=out)
            if clips.projection is not None:
                h.clamp_(-clips.projection, clips.projection)
    return Saved(gates, cells, mixed, output)


def try_kernels(device: torch.device) -> None:
    """Compile and run a small layer; whatever is missing for that is raised."""
    state = torch.zeros(1, 2, 4, device=device)
    gates = torch.zeros(1, 16, 4, device=device)
    forward(state, state, state, Stacked(gates, gates, gates[:, :, 0], state.new_zeros(1, 4, 4)), [2], Clips(3.0, 3.0))


def backward(
    saved: Saved,
    grad_output: Tensor | None,
    grad_h: Tensor,
    grad_c: Tensor,
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w: Stacked,
    batch_sizes: Sequence[int],
    clips: Clips,
    *,
    input_needs: bool,
) -> tuple[Tensor | None, ...]:
    """Gradients of x (None unless ``input_needs`` one), h, c and the four weights, (D, …) each.

    ``grad_h`` (D, B, H) and ``grad_c`` (D, B, C) become those of the initial states in place.
    """
    size, width = c.shape[2], h.shape[2]
    gates, projection_clip = saved.gates, None if w.projection is None else clips.projection
    grad_outputs = own_copy(grad_output, saved.output)
    projection_t = None if w.projection is None else w.projection.transpose(1, 2)
    steps = list(_by_step(batch_sizes, gates, saved.cell, grad_outputs, saved.output))
    befores = [c.contiguous(), *(cell for _, cell, _, _ in steps[:-1])]
    for (step, cell, grad, out), before in zip(reversed(steps), reversed(befores), strict=True):
        count = step.shape[1]
        _launch(_output_backward, grad, grad_h, out, clip=projection_clip, size=width)
        grad_mixed = grad if projection_t is None else torch.bmm(grad, projection_t)
        _launch(_cell_backward, step, before, cell, grad_mixed, grad_c, clip=clips.cell, size=size)
        torch.bmm(step, w.hidden, out=grad_h[:, :count])
    gates_t = gates.transpose(1, 2)
    return (
        torch.bmm(gates, w.input) if input_needs else None,
        grad_h,
        grad_c,
        torch.bmm(gates_t, x),
        torch.bmm(gates_t, states_before(saved.output, h, batch_sizes)),
        gates.sum(1),
        None if w.projection is None else torch.bmm(saved.mixed.transpose(1, 2), grad_outputs),
    )


def _by_step(batch_sizes: Sequence[int], *parts: Tensor) -> Any:
    """The rows of each step in each part (D, N, ·)."""
    sizes = list(batch_sizes)
    return zip(*(torch.split(part, sizes, dim=1) for part in parts), strict=True)


_compiled: dict[tuple[Any, ...], Any] = {}


def _launch(kernel: Any, first: Tensor, *others: Tensor, clip: float | None, size: int) -> None:
    """Run a kernel on the rows of ``first`` (D, n, ·); of each tensor only the directions may lie apart.

    Triton looks at every argument of a call to choose a variant, which takes longer than the kernel runs. Where
    ``size`` is a multiple of 16, as all strides and addresses then are, types alone decide: the variant is kept.
    """
    directions, count = first.shape[:2]
    if count == 0:
        return
    tensors = (first, *others)
    apart = [tensor.stride(0) for tensor in tensors]
    grid = (-(-count * size // _BLOCK), directions, 1)
    arguments = (*tensors, *apart, count * size, math.inf if clip is None else clip, size, _BLOCK)
    regular = size % 16 == 0 and directions > 1 and max(apart) < 2**31
    key = (kernel, size, first.device, *(tensor.dtype for tensor in tensors))
    if regular and key in _compiled:
        _compiled[key][grid](*arguments)
        return
    variant = kernel[grid](*arguments)
    if regular and variant is not None:  # None: interpreted
        _compiled[key] = variant


@triton.jit
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + tl.exp(-x))


@triton.jit
def _tanh(x):  # type: ignore[no-untyped-def]
    return 1 - 2 / (tl.exp(2 * x) + 1)


@triton.jit  # type: ignore[untyped-decorator]
def _cell_forward(  # type: ignore[no-untyped-def]
    gates, before, cell, mixed, gates_apart, before_apart, cell_apart, mixed_apart, numbers, clip,
    SIZE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gates before their non-linearities (n, 4C) to those behind them, in place; cell and o · tanh(c) (n, C)."""
    direction = tl.program_id(1).to(tl.int64)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = place < numbers
    gate = gates + direction * gates_apart + (place // SIZE) * (4 * SIZE) + place % SIZE
    o = _sigmoid(tl.load(gate, mask=there).to(tl.float32))
    i = _sigmoid(tl.load(gate + SIZE, mask=there).to(tl.float32))
    f = _sigmoid(tl.load(gate + 2 * SIZE, mask=there).to(tl.float32))
    g = _tanh(tl.load(gate + 3 * SIZE, mask=there).to(tl.float32))
    tl.store(gate, o.to(gates.dtype.element_ty), mask=there)
    tl.store(gate + SIZE, i.to(gates.dtype.element_ty), mask=there)
    tl.store(gate + 2 * SIZE, f.to(gates.dtype.element_ty), mask=there)
    tl.store(gate + 3 * SIZE, g.to(gates.dtype.element_ty), mask=there)
    c = f * tl.load(before + direction * before_apart + place, mask=there).to(tl.float32) + i * g
    c = tl.minimum(tl.maximum(c, -clip), clip)
    tl.store(cell + direction * cell_apart + place, c, mask=there)
    tl.store(mixed + direction * mixed_apart + place, (o * _tanh(c)).to(mixed.dtype.element_ty), mask=there)


@triton.jit  # type: ignore[untyped-decorator]
def _output_backward(  # type: ignore[no-untyped-def]
    grad, later, output, grad_apart, later_apart, output_apart, numbers, clip,
    SIZE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add what comes from the later step, and stop it where the clip of the output bit; in place in grad (n, H)."""
    direction = tl.program_id(1).to(tl.int64)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = place < numbers
    at = grad + direction * grad_apart + place
    total = tl.load(at, mask=there).to(tl.float32)
    total += tl.load(later + direction * later_apart + place, mask=there).to(tl.float32)
    out = tl.load(output + direction * output_apart + place, mask=there).to(tl.float32)
    total = tl.where(tl.abs(out) < clip, total, 0.0)
    tl.store(at, total.to(grad.dtype.element_ty), mask=there)


@triton.jit  # type: ignore[untyped-decorator]
def _cell_backward(  # type: ignore[no-untyped-def]
    gates, before, cell, grad_mixed, grad_cell, gates_apart, before_apart, cell_apart, mixed_apart, grad_apart,
    numbers, clip, SIZE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gates (n, 4C) to the gradients of what stood before their non-linearities, grad_cell (n, C) to that of the step
    before, both in place."""
    direction = tl.program_id(1).to(tl.int64)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = place < numbers
    gate = gates + direction * gates_apart + (place // SIZE) * (4 * SIZE) + place % SIZE
    o = tl.load(gate, mask=there).to(tl.float32)
    i = tl.load(gate + SIZE, mask=there).to(tl.float32)
    f = tl.load(gate + 2 * SIZE, mask=there).to(tl.float32)
    g = tl.load(gate + 3 * SIZE, mask=there).to(tl.float32)
    c = tl.load(cell + direction * cell_apart + place, mask=there).to(tl.float32)
    c_before = tl.load(before + direction * before_apart + place, mask=there).to(tl.float32)
    from_mixed = tl.load(grad_mixed + direction * mixed_apart + place, mask=there).to(tl.float32)
    at = grad_cell + direction * grad_apart + place
    t = _tanh(c)
    d = tl.load(at, mask=there) + from_mixed * o * (1 - t * t)
    d = tl.where(tl.abs(c) < clip, d, 0.0)
    tl.store(gate, (from_mixed * t * o * (1 - o)).to(gates.dtype.element_ty), mask=there)
    tl.store(gate + SIZE, (d * g * i * (1 - i)).to(gates.dtype.element_ty), mask=there)
    tl.store(gate + 2 * SIZE, (d * c_before * f * (1 - f)).to(gates.dtype.element_ty), mask=there)
    tl.store(gate + 3 * SIZE, (d * i * (1 - g * g)).to(gates.dtype.element_ty), mask=there)
    tl.store(at, d * f, mask=there)
