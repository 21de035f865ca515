"""A projected LSTM layer with clips and explicit state, for one or two reading directions at once.

The arithmetic is bilm-tf's ``LSTMCell`` (Peters et al. 2018; the cell: Sak et al. 2014): a cell state clipped to
± ``cell_clip``, an output projection clipped to ± ``proj_clip``, no peepholes, no projection bias. ``torch.nn.LSTM``
has the projection but neither clip.

What makes it fast, forward and backward:

* the input product leaves the time loop, and so do the weight gradients (one large GEMM each);
* every factor of the backward pass that does not depend on the recurrence is computed for all steps in one call;
* the directions never meet, so on a CPU each runs on a thread of its own with no barrier inside a step;
* rows are packed (``packing.py``): a finished sentence leaves the batch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from elmokit.nn.dropout import Dropout
from elmokit.nn.precision import add_product, multiplies

_T = TypeVar("_T")
_GATES_AT_ONCE = 1 << 21  # numbers, in inference: 8 MB in float32, a few steps of the largest published model
_sigmoid_gradient = torch.ops.aten.sigmoid_backward  # (d, y) -> d · y · (1 - y)
_tanh_gradient = torch.ops.aten.tanh_backward  # (d, y) -> d · (1 - y²)


class Weights(NamedTuple):
    """One direction. The gates lie in the order o, i, f, g: one call serves o, i, f forward and i, f, g backward."""

    input: Tensor  # (4C, I)
    hidden: Tensor  # (4C, H): this way round both products of a step, h Wᵀ and d W, are at their fastest
    bias: Tensor  # (4C,) with the forget bias inside
    projection: Tensor | None  # (C, H)


class Clips(NamedTuple):
    cell: float | None
    projection: float | None


class _Steps(NamedTuple):
    """What the forward pass leaves for the backward pass: all packed rows, N of them."""

    gates: Tensor  # (N, 4C) after their non-linearities
    cell: Tensor  # (N, C) clipped, never in reduced precision
    tanh_cell: Tensor  # (N, C)
    mixed: Tensor  # (N, C) o · tanh(c)
    output: Tensor  # (N, H) projected and clipped


def _slices(batch_sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for size in batch_sizes:
        yield start, start + size
        start += size


def _by_step(batch_sizes: Sequence[int], *parts: Tensor | None) -> Iterator[tuple[Any, ...]]:
    """The rows of each step in each part; None stays None.

    All views are made before the first step, in one call a part: what Python does inside the loop holds up the thread
    of the other direction.
    """
    sizes = list(batch_sizes)
    return zip(*([None] * len(sizes) if part is None else torch.split(part, sizes) for part in parts), strict=True)


def _forward(x: Tensor, h: Tensor, c: Tensor, w: Weights, batch_sizes: Sequence[int], clips: Clips) -> _Steps:
    """x (N, I), h (B, H), c (B, C)."""
    rows, size = len(x), c.shape[1]
    gates = torch.addmm(w.bias, x, w.input.t())  # the input product of every step at once
    cells = c.new_empty(rows, size)
    tanh_cells, mixed = x.new_empty(rows, size), x.new_empty(rows, size)
    outputs = mixed if w.projection is None else x.new_empty(rows, w.projection.shape[1])
    hidden_t = w.hidden.t()
    sigmoids, (out_gates, in_gates, forgets, candidates) = gates[:, : 3 * size], torch.split(gates, size, dim=1)
    inside = gates, sigmoids, out_gates, in_gates, forgets, candidates
    views = _by_step(batch_sizes, *inside, cells, tanh_cells, mixed, outputs)
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
    return _Steps(gates, cells, tanh_cells, mixed, outputs)


def _infer(
    x: Tensor, h: Tensor, c: Tensor, w: Weights, batch_sizes: Sequence[int], clips: Clips, outputs: Tensor
) -> None:
    """`_forward` where nothing needs a gradient, in the memory of a few steps.

    Fills ``outputs`` (N, H); h and c become the final states in place. Whatever the type of the weights, the gates'
    non-linearities and the cell state are computed in float32. Weights of another type than x are only stored in it:
    see ``_wide``.
    """
    size = c.shape[1]
    stops = list(accumulate(batch_sizes))
    batch = batch_sizes[0] if batch_sizes else 0
    room = x.new_empty(max(batch, min(len(x), _GATES_AT_ONCE // (4 * size))), 4 * size)
    mixed = c.new_empty(batch, size)
    hidden_t = w.hidden.t()
    filled = 0  # rows whose input product lies in `room`
    offset = 0  # the row that lies at its start
    for start, stop in _slices(batch_sizes):
        count = stop - start
        if stop > filled:
            offset, filled = start, stops[bisect_right(stops, start + len(room)) - 1]  # whole steps only
            add_product(w.bias, x[start:filled], w.input, out=room[: filled - start])
        step = room[start - offset : stop - offset]
        if hidden_t.dtype == h.dtype:
            step.addmm_(h[:count], hidden_t)
        else:
            step += torch.mv(w.hidden, h[0].to(w.hidden.dtype))  # of a single sentence
        if step.dtype != c.dtype:
            step = step.to(c.dtype)
        step[:, : 3 * size].sigmoid_()
        step[:, 3 * size :].tanh_()
        out_gate, in_gate, forget, candidate = torch.split(step, size, dim=1)
        cell = c[:count].mul_(forget).addcmul_(in_gate, candidate)
        if clips.cell is not None:
            cell.clamp_(-clips.cell, clips.cell)
        output = torch.tanh(cell, out=mixed[:count]).mul_(out_gate).to(x.dtype)
        if w.projection is None:
            outputs[start:stop] = output
        elif w.projection.dtype == output.dtype:
            torch.mm(output, w.projection, out=outputs[start:stop])
        else:
            outputs[start] = torch.mv(w.projection.t(), output[0].to(w.projection.dtype))
        if w.projection is not None and clips.projection is not None:
            outputs[start:stop].clamp_(-clips.projection, clips.projection)
        h[:count] = outputs[start:stop]


def _wide(w: Weights, *, single: bool) -> Weights:
    """Weights that are stored in a type the processor has no units for, ready for inference in float32.

    The recurrent ones are widened whole for the many steps they take part in. A ``single`` sentence multiplies them by
    one vector a step, which takes as long as reading them from memory takes: there they stay as they are.
    """
    bias = w.bias.float()
    if single:
        return Weights(w.input, w.hidden, bias, w.projection)
    return Weights(w.input, w.hidden.float(), bias, None if w.projection is None else w.projection.float())


def _states_before(states: Tensor, initial: Tensor, batch_sizes: Sequence[int]) -> Tensor:
    """(N, ·) the state that each packed row started from."""
    starts = [start for start, _ in _slices(batch_sizes)]
    later = zip(starts, batch_sizes[1:], strict=False)
    first = batch_sizes[0] if batch_sizes else 0
    return torch.cat([initial[:first], *(states[start : start + size] for start, size in later)])


def _unclipped(states: Tensor, clip: float | None) -> Tensor | None:
    """1 where the clip did not bite and the gradient passes; None when it bit nowhere."""
    if clip is None or not len(states):
        return None
    lowest, highest = torch.aminmax(states)
    return None if bool(torch.maximum(-lowest, highest) < clip) else (states.abs() < clip).to(states.dtype)


def _backward(
    steps: _Steps, grad_output: Tensor | None, grad_h: Tensor, grad_c: Tensor,
    x: Tensor, h: Tensor, c: Tensor, w: Weights, batch_sizes: Sequence[int], clips: Clips, *, input_needs: bool,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """Gradients of x (None unless ``input_needs`` one), h, c and the four weights.

    ``grad_h`` (B, H) and ``grad_c`` (B, C) enter as the gradients of the final states and leave as those of the initial
    ones: row by row they walk back through time.
    """
    size = c.shape[1]
    out_gate, in_gate, forget, candidate = torch.split(steps.gates, size, dim=1)
    cells_before = _states_before(steps.cell, c, batch_sizes).to(x.dtype)
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
    views = _by_step(
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
        grad_gates.t() @ _states_before(steps.output, h, batch_sizes),
        grad_gates.sum(0),
        None if w.projection is None else steps.mixed.t() @ grad_outputs,
    )


def _last_rows(batch_sizes: Sequence[int]) -> Tensor:
    """The packed row of the last step of each sentence that has one, (batch_sizes[0],)."""
    last = torch.empty(batch_sizes[0] if batch_sizes else 0, dtype=torch.long)
    for start, stop in _slices(batch_sizes):
        last[: stop - start] = torch.arange(start, stop)
    return last


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="elmokit-direction")


def _each_direction(work: Callable[[int], _T], directions: int, device: torch.device) -> list[_T]:
    """Run ``work`` for every direction: side by side with half the threads each where there are threads to share."""
    threads = torch.get_num_threads()
    if directions != 2 or threads < 2 or device.type != "cpu":
        return [work(direction) for direction in range(directions)]
    inference = torch.is_inference_mode_enabled()

    def beside() -> _T:
        with torch.inference_mode(inference), torch.no_grad():  # both modes belong to a thread
            return work(1)

    torch.set_num_threads(threads // 2)
    try:
        other = _second_thread().submit(beside)
        try:
            mine = work(0)
        finally:
            other.exception()  # never leave it running
        return [mine, other.result()]
    finally:
        torch.set_num_threads(threads)


class _PackedLSTM(torch.autograd.Function):
    """x (D, N, I), h (D, B, H), c (D, B, C) and stacked weights to outputs (D, N, H) and the final h and c."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, c: Tensor, w_input: Tensor, w_hidden: Tensor, bias: Tensor,
        w_projection: Tensor | None, batch_sizes: list[int], clips: Clips,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        weights = _by_direction(w_input, w_hidden, bias, w_projection)
        device_type = x.device.type
        with torch.autocast(device_type, enabled=False):
            steps = _each_direction(
                lambda d: _forward(x[d], h[d], c[d], weights[d], batch_sizes, clips), len(x), x.device
            )
        outputs = torch.stack([s.output for s in steps])
        last = _last_rows(batch_sizes).to(x.device)
        h_last, c_last = h.clone(), c.clone()
        h_last[:, : len(last)] = outputs[:, last]
        c_last[:, : len(last)] = torch.stack([s.cell[last] for s in steps])
        ctx.batch_sizes, ctx.clips = batch_sizes, clips
        ctx.has_projection = w_projection is not None
        saved = [tensor for s in steps for tensor in s]
        ctx.save_for_backward(x, h, c, w_input, w_hidden, bias, w_projection, *saved)
        ctx.set_materialize_grads(False)
        return outputs, h_last, c_last

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_outputs: Tensor | None, grad_h: Tensor | None, grad_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, h, c, w_input, w_hidden, bias, w_projection, *saved = ctx.saved_tensors
        weights = _by_direction(w_input, w_hidden, bias, w_projection)
        grad_h = torch.zeros_like(h) if grad_h is None else grad_h.clone()
        grad_c = torch.zeros_like(c) if grad_c is None else grad_c.clone()
        fields = len(_Steps._fields)

        def work(d: int) -> tuple[Tensor | None, ...]:
            steps = _Steps(*saved[d * fields : (d + 1) * fields])
            grad = None if grad_outputs is None else grad_outputs[d]
            gradients = grad, grad_h[d], grad_c[d]
            return _backward(
                steps, *gradients, x[d], h[d], c[d], weights[d], ctx.batch_sizes, ctx.clips,
                input_needs=ctx.needs_input_grad[0],
            )  # fmt: skip

        with torch.autocast(x.device.type, enabled=False):
            directions = _each_direction(work, len(x), x.device)
        stacked = [None if parts[0] is None else torch.stack(parts) for parts in zip(*directions, strict=True)]
        return (*stacked, None, None)


def _by_direction(w_input: Tensor, w_hidden: Tensor, bias: Tensor, w_projection: Tensor | None) -> list[Weights]:
    projections = [None] * len(bias) if w_projection is None else list(w_projection)
    return [Weights(*each) for each in zip(w_input, w_hidden, bias, projections, strict=True)]


class ProjectedLSTM(nn.Module):
    """One LSTM layer run in ``directions`` independent directions with weights of their own.

    ``projection_dim=None`` leaves the projection out: the state h then has size ``cell_dim``. The gates of the weights
    lie in the order o, i, f, g and the forget bias (1.0 at the start) is part of ``bias``; files of other programs
    order them otherwise and add the forget bias at run time. ``weight_dropout`` zeroes recurrent weights while
    training, the same ones in every step of a call (Merity et al. 2018).
    """

    weight_projection: nn.Parameter | None

    def __init__(
        self, *, input_dim: int, cell_dim: int, projection_dim: int | None = None, directions: int = 2,
        cell_clip: float | None = 3.0, proj_clip: float | None = 3.0, weight_dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight_dropout = Dropout(weight_dropout)
        self.cell_dim, self.output_dim = cell_dim, projection_dim or cell_dim
        self.clips = Clips(cell_clip, proj_clip)
        self.weight_input = nn.Parameter(torch.empty(directions, 4 * cell_dim, input_dim))
        self.weight_hidden = nn.Parameter(torch.empty(directions, 4 * cell_dim, self.output_dim))
        self.bias = nn.Parameter(torch.empty(directions, 4 * cell_dim))
        projection = None if projection_dim is None else nn.Parameter(torch.empty(directions, cell_dim, projection_dim))
        self.register_parameter("weight_projection", projection)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights as bilm-tf's (over the joined input and recurrent rows), forget bias 1."""
        inputs, gates = self.weight_input.shape[2] + self.weight_hidden.shape[2], self.weight_input.shape[1]
        bound = (6 / (inputs + gates)) ** 0.5
        with torch.no_grad():
            self.weight_input.uniform_(-bound, bound)
            self.weight_hidden.uniform_(-bound, bound)
            self.bias.zero_()
            self.bias[:, 2 * self.cell_dim : 3 * self.cell_dim] = 1.0
            if self.weight_projection is not None:
                bound = (6 / (self.cell_dim + self.output_dim)) ** 0.5
                self.weight_projection.uniform_(-bound, bound)

    def zero_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """h (D, B, H) and c (D, B, C) of zeros; the cell state is never of less than single precision."""
        directions, dtype = len(self.bias), torch.promote_types(self.bias.dtype, torch.float32)
        hidden = self.bias.new_zeros(directions, batch, self.output_dim)
        return hidden, self.bias.new_zeros(directions, batch, self.cell_dim, dtype=dtype)

    def forward(
        self, x: Tensor, batch_sizes: list[int], state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Packed rows x (D, N, I) and states of the sorted sentences (default: zero) to outputs (D, N, H) and states.

        Under autocast the products run in its dtype; the cell state stays as it is. The backward pass can run once.
        """
        h, c = self.zero_state(batch_sizes[0] if batch_sizes else 0) if state is None else state
        weights = (self.weight_input, self.weight_dropout(self.weight_hidden), self.bias, self.weight_projection)
        dtype = self.bias.dtype
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
        w = [None if weight is None else weight.to(dtype) for weight in weights]
        x, h = x.to(dtype), h.to(dtype)
        if not torch.is_grad_enabled():
            return self._inferred(x, h, c, _by_direction(*w), batch_sizes)  # type: ignore[arg-type]
        outputs, h, c = _PackedLSTM.apply(x, h, c, *w, batch_sizes, self.clips)  # type: ignore[no-untyped-call]
        return outputs, (h, c)

    def _inferred(
        self, x: Tensor, h: Tensor, c: Tensor, weights: list[Weights], batch_sizes: list[int]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        dtype, stored_only = x.dtype, not multiplies(x.dtype, x.device.type)
        with torch.autocast(x.device.type, enabled=False):
            h, c = h.clone(), c.clone()
            if stored_only:
                x, h = x.float(), h.float()
            outputs = x.new_empty(*x.shape[:2], self.output_dim)

            def work(d: int) -> None:
                w = _wide(weights[d], single=batch_sizes[:1] == [1]) if stored_only else weights[d]
                _infer(x[d], h[d], c[d], w, batch_sizes, self.clips, outputs[d])

            _each_direction(work, len(x), x.device)
        return outputs.to(dtype), (h.to(dtype), c)


@torch.inference_mode(False)  # a weight made in that mode could never be trained again
@torch.no_grad()
def lay_out_for_inference(layer: ProjectedLSTM) -> None:
    """Turn weights in memory: same values, same shape.

    The recurrent weights get their columns behind one another. With few rows a step, as at the end of a batch or for
    one sentence alone, the product then takes half the time; with many it takes the same. Training keeps the other
    layout, which its backward pass is faster with. Weights in a type that the processor only stores want it, too, for
    their products with one vector, and their projection the other way round.
    """
    weight: Tensor | None = layer.weight_hidden
    if not multiplies(layer.weight_hidden.dtype, layer.weight_hidden.device.type):
        weight = layer.weight_projection
    if weight is None or weight.transpose(1, 2).is_contiguous():
        return
    weight.data = weight.data.transpose(1, 2).contiguous().transpose(1, 2)
