"""The steps of a projected LSTM in PyTorch: for every device and number type, and what the compiled kernels are held
against (`lstm_native.py` has the same functions with them).

Rows are packed (`packing.py`): row by row the first step of every sentence, then the second of every sentence that has
one, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elmokit.nn.input_products import InputProducts
from elmokit.nn.packed_product import product_of

_sigmoid_gradient = torch.ops.aten.sigmoid_backward  # (d, y) -> d · y · (1 - y)
_tanh_gradient = torch.ops.aten.tanh_backward  # (d, y) -> d · (1 - y²)

AdvanceCell = Callable[[Tensor, "Tensor | None", "Tensor | None", Tensor, Tensor, "float | None", Tensor], None]
"""Of one step of inference: z (·, 4C), which of its rows each sentence takes (B,) (None: its own), what is added to it
(or None), bias (4C), cell (B, C) in place, its clip, and the tensor (B, C) that o · tanh(c) is written to."""


class Weights(NamedTuple):
    """One direction. The gates lie in the order o, i, f, g: one call serves o, i, f forward and i, f, g backward."""

    input: Tensor  # (4C, I)
    hidden: Tensor  # (4C, H): this way round both products of a step, h Wᵀ and d W, are at their fastest
    bias: Tensor  # (4C,) with the forget bias inside
    projection: Tensor | None  # (C, H)


class Clips(NamedTuple):
    """Bounds of the cell state and of the projected output; None: none."""

    cell: float | None
    projection: float | None


class Steps(NamedTuple):
    """What the forward pass leaves for the backward pass: all packed rows, N of them."""

    gates: Tensor  # (N, 4C) after their non-linearities
    cell: Tensor  # (N, C) clipped, never in reduced precision
    tanh_cell: Tensor  # (N, C)
    mixed: Tensor | None  # (N, C) o · tanh(c); None without a projection: it is the output
    output: Tensor  # (N, H) projected and clipped


def slices(batch_sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for size in batch_sizes:
        yield start, start + size
        start += size


def last_rows(batch_sizes: Sequence[int]) -> Tensor:
    """The packed row of the last step of each sentence that has one, (batch_sizes[0],)."""
    last = torch.empty(batch_sizes[0] if batch_sizes else 0, dtype=torch.long)
    for start, stop in slices(batch_sizes):
        last[: stop - start] = torch.arange(start, stop)
    return last


def by_step(batch_sizes: Sequence[int], *parts: Tensor | None) -> Iterator[tuple[Any, ...]]:
    """The rows of each step in each part; None stays None.

    All views are made before the first step, in one call a part: what Python does inside the loop holds up the thread
    of the other direction.
    """
    sizes = list(batch_sizes)
    return zip(*([None] * len(sizes) if part is None else torch.split(part, sizes) for part in parts), strict=True)


def forward(
    x: Tensor, h: Tensor, c: Tensor, w: Weights, batch_sizes: Sequence[int], clips: Clips, output: Tensor
) -> Steps:
    """x (N, I), h (B, H), c (B, C); fills ``output`` (N, H)."""
    rows, size = len(x), c.shape[1]
    gates = torch.addmm(w.bias, x, w.input.t())  # the input product of every step at once
    cells = c.new_empty(rows, size)
    tanh_cells, mixed = x.new_empty(rows, size), output if w.projection is None else x.new_empty(rows, size)
    hidden_t = w.hidden.t()
    sigmoids, (out_gates, in_gates, forgets, candidates) = gates[:, : 3 * size], torch.split(gates, size, dim=1)
    inside = gates, sigmoids, out_gates, in_gates, forgets, candidates
    views = by_step(batch_sizes, *inside, cells, tanh_cells, mixed, output)
    for step, sigmoid, out_gate, in_gate, forget, candidate, c_out, tanh_out, mixed_out, h_out in views:
        count = len(step)
        if count < len(h):
            h, c = h[:count], c[:count]
        step.addmm_(h, hidden_t)
        sigmoid.sigmoid_()
        candidate.tanh_()
        c = torch.mul(forget, c, out=c_out)
        c.addcmul_(in_gate, candidate)
        if clips.cell is not None:
            c.clamp_(-clips.cell, clips.cell)
        torch.tanh(c, out=tanh_out)
        h = torch.mul(out_gate, tanh_out, out=mixed_out)
        if w.projection is not None:
            h = torch.mm(h, w.projection, out=h_out)
            if clips.projection is not None:
                h.clamp_(-clips.projection, clips.projection)
    return Steps(gates, cells, tanh_cells, None if w.projection is None else mixed, output)


def _advance_cell(
    z: Tensor,
    places: Tensor | None,
    more: Tensor | None,
    _bias: Tensor,
    cell: Tensor,
    clip: float | None,
    mixed: Tensor,
) -> None:
    """`AdvanceCell` in PyTorch, of z that has its bias; whatever the type of z, computed in that of the cell."""
    z = z if places is None else z[places]
    if more is not None:
        z = z.add_(more)
    if z.dtype != cell.dtype:
        z = z.to(cell.dtype)
    size = cell.shape[1]
    z[:, : 3 * size].sigmoid_()
    z[:, 3 * size :].tanh_()
    out_gate, in_gate, forget, candidate = torch.split(z, size, dim=1)
    cell.mul_(forget).addcmul_(in_gate, candidate)
    if clip is not None:
        cell.clamp_(-clip, clip)
    mixed.copy_(torch.tanh(cell).mul_(out_gate))


def infer(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w: Weights,
    batch_sizes: Sequence[int],
    clips: Clips,
    outputs: Tensor,
    *,
    zero_start: bool,
    words: Tensor | None = None,
    advance: AdvanceCell | None = None,
) -> None:
    """`forward` where nothing needs a gradient, in the memory of a few steps.

    Fills ``outputs`` (N, H); h (B, H) and c (B, C) become the final states in place. With ``zero_start`` they are zero
    at first, and the first step needs no recurrent product. Rows of x with the same number in ``words`` (N,) are equal:
    see `InputProducts`. ``advance`` is the cell of the compiled kernels. Weights of another type than x are only stored
    in it: see `wide`.
    """
    size, calls = c.shape[1], len(batch_sizes)
    batch = batch_sizes[0] if batch_sizes else 0
    bias = w.bias.to(c.dtype).contiguous()
    mixed = x.new_empty(batch, size)
    given = InputProducts(x, w.input, words, batch_sizes, bias=bias if advance is None else None)
    recur = product_of(w.hidden, x, calls=calls, room=x.new_empty(batch, 4 * size))
    project = None
    if w.projection is not None:
        project = product_of(w.projection.t(), x, calls=calls, room=x.new_empty(batch, h.shape[1]))
    for start, stop in slices(batch_sizes):
        count = stop - start
        step, places = given.of_step(start, stop)
        more = None if zero_start and start == 0 else recur(h[:count])
        output = mixed[:count]
        (advance or _advance_cell)(step, places, more, bias, c[:count], clips.cell, output)
        if project is not None:
            output = project(output)
            if clips.projection is not None:
                output.clamp_(-clips.projection, clips.projection)
        outputs[start:stop] = output
        h[:count] = output


def wide(w: Weights, *, single: bool) -> Weights:
    """Weights that are stored in a type the processor has no units for, ready for inference in float32.

    The recurrent ones are widened whole for the many steps they take part in. A ``single`` sentence multiplies them by
    one vector a step, which takes as long as reading them from memory takes: there they stay as they are.
    """
    bias = w.bias.float()
    if single:
        return Weights(w.input, w.hidden, bias, w.projection)
    return Weights(w.input, w.hidden.float(), bias, None if w.projection is None else w.projection.float())


def states_before(states: Tensor, initial: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """(…, N, ·) the state that each packed row started from; `initial` is (…, B, ·)."""
    starts = [start for start, _ in slices(batch_sizes)]
    later = zip(starts, batch_sizes[1:], strict=False)
    first = batch_sizes[0] if batch_sizes else 0
    return torch.cat(
        [initial[..., :first, :], *(states[..., start : start + size, :] for start, size in later)], dim=-2
    )


def own_copy(grad: Tensor | None, like: Tensor) -> Tensor:
    """A contiguous copy of a gradient to write to; of zeros where there is none."""
    if grad is None:
        return torch.zeros_like(like, memory_format=torch.contiguous_format)
    return grad.clone(memory_format=torch.contiguous_format)


def _unclipped(states: Tensor, clip: float | None) -> Tensor | None:
    """1 where the clip did not bite and the gradient passes; None when it bit nowhere."""
    if clip is None or not len(states):
        return None
    lowest, highest = torch.aminmax(states)
    return None if bool(torch.maximum(-lowest, highest) < clip) else (states.abs() < clip).to(states.dtype)


def backward(
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
) -> tuple[Tensor | None, ...]:
    """Gradients of x (None unless ``input_needs`` one), h, c and the four weights.

    ``grad_h`` (B, H) and ``grad_c`` (B, C) enter as the gradients of the final states and leave as those of the initial
    ones: row by row they walk back through time.
    """
    size = c.shape[1]
    out_gate, in_gate, forget, candidate = torch.split(steps.gates, size, dim=1)
    cells_before = states_before(steps.cell, c, batch_sizes).to(x.dtype)
    # d gate = factor · d m (for o) or factor · d c (for i, f, g); the factors of all steps at once.
    grad_gates = torch.empty_like(steps.gates)
    factors = torch.split(grad_gates, size, dim=1)  # written in place
    _sigmoid_gradient.grad_input(steps.tanh_cell, out_gate, grad_input=factors[0])
    _sigmoid_gradient.grad_input(candidate, in_gate, grad_input=factors[1])
    _sigmoid_gradient.grad_input(cells_before, forget, grad_input=factors[2])
    _tanh_gradient.grad_input(in_gate, candidate, grad_input=factors[3])
    cell_from_mixed = _tanh_gradient(out_gate, steps.tanh_cell)
    cell_open = _unclipped(steps.cell, clips.cell)
    output_open = None if w.projection is None else _unclipped(steps.output, clips.projection)
    grad_outputs = torch.zeros_like(steps.output) if grad_output is None else grad_output.clone()
    projection_t = None if w.projection is None else w.projection.t().contiguous()  # a small copy, a faster product
    others = grad_gates[:, size:].view(-1, 3, size)
    views = by_step(
        batch_sizes, grad_gates, factors[0], others, grad_outputs, output_open, cell_from_mixed, cell_open, forget
    )
    for step, step_out, step_others, step_h, h_open, c_from_mixed, c_open, step_forget in reversed(list(views)):
        count = len(step)
        step_h += grad_h[:count]
        if h_open is not None:
            step_h *= h_open
        grad_mixed = step_h if projection_t is None else step_h @ projection_t
        step_c = grad_c[:count]
        step_c.addcmul_(grad_mixed, c_from_mixed)
        if c_open is not None:
            step_c *= c_open
        step_out *= grad_mixed
        step_others *= step_c.unsqueeze(1)
        step_c *= step_forget
        torch.mm(step, w.hidden, out=grad_h[:count])
    return (
        grad_gates @ w.input if input_needs else None,
        grad_h,
        grad_c,
        grad_gates.t() @ x,
        grad_gates.t() @ states_before(steps.output, h, batch_sizes),
        grad_gates.sum(0),
        None if steps.mixed is None else steps.mixed.t() @ grad_outputs,
    )
