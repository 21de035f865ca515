"""A projected LSTM layer with clips and explicit state, for one or two reading directions at once.

The arithmetic is bilm-tf's ``LSTMCell`` (Peters et al. 2018; the cell: Sak et al. 2014): a cell state clipped to
± ``cell_clip``, an output projection clipped to ± ``proj_clip``, no peepholes, no projection bias. ``torch.nn.LSTM``
has the projection but neither clip.

What makes it fast, forward and backward:

* the input product leaves the time loop, and so do the weight gradients (one large GEMM each);
* every factor of the backward pass that does not depend on the recurrence is computed for all steps in one call;
* the directions never meet, so on a CPU each runs on a thread of its own with no barrier inside a step, and on a GPU
  all of them in one product (`lstm_triton.py`);
* rows are packed (``packing.py``): a finished sentence leaves the batch.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from elmokit.nn import lstm_native, lstm_steps
from elmokit.nn.dropout import Dropout
from elmokit.nn.few_rows import MOST_ROWS, FewRows
from elmokit.nn.lstm_steps import Clips, Steps, Weights, last_rows, own_copy
from elmokit.nn.native.library import SWITCH, kernels, kernels_for
from elmokit.nn.precision import multiplies
from elmokit.nn.side_by_side import each_direction

log = logging.getLogger(__name__)

_SAVED = len(Steps._fields) - 1  # all but `output`


def gpu_steps(device: torch.device) -> ModuleType | None:
    """The kernels for this device (`lstm_triton.py`), or None: on a CPU, without Triton, or where they do not work."""
    off = os.environ.get(SWITCH, "").lower() == "off"
    return None if device.type != "cuda" or off else _triton_steps(device)


@cache
def _triton_steps(device: torch.device) -> ModuleType | None:
    try:
        from elmokit.nn import lstm_triton
    except ImportError:
        return None
    try:
        with torch.autocast(device.type, enabled=False):
            lstm_triton.try_kernels(device)
    except Exception as error:  # noqa: BLE001 (whatever the compiler says: the PyTorch code does the same)
        reason = " ".join(str(error).split())[:200]
        log.warning("the LSTM kernels for the GPU cannot be used, PyTorch runs in their place (slower): %s", reason)
        return None
    return lstm_triton


class _PackedLSTM(torch.autograd.Function):
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
        zero_start: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        weights = _by_direction(w_input, w_hidden, bias, w_projection)
        outputs = x.new_empty(*x.shape[:2], h.shape[2])
        kernels = kernels_for(x)

        def work(d: int) -> Steps:
            given = x[d], h[d], c[d], weights[d], batch_sizes, clips, outputs[d]
            if kernels is None:
                return lstm_steps.forward(*given)
            return lstm_native.forward(kernels, *given, zero_start=zero_start)

        with torch.autocast(x.device.type, enabled=False):
            steps = each_direction(work, len(x), x.device)
        last = last_rows(batch_sizes).to(x.device)
        h_last, c_last = h.clone(), c.clone()
        h_last[:, : len(last)] = outputs[:, last]
        c_last[:, : len(last)] = torch.stack([s.cell[last] for s in steps])
        ctx.batch_sizes, ctx.clips, ctx.zero_start, ctx.kernels = batch_sizes, clips, zero_start, kernels
        ctx.used_up = False
        # Not the views of `outputs`: autograd refuses to save views of what it returns.
        saved = [tensor for each in steps for tensor in each[:_SAVED]]
        ctx.save_for_backward(x, h, c, w_input, w_hidden, bias, w_projection, outputs, *saved)
        ctx.set_materialize_grads(False)
        return outputs, h_last, c_last

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_outputs: Tensor | None, grad_h: Tensor | None, grad_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, h, c, w_input, w_hidden, bias, w_projection, outputs, *saved = ctx.saved_tensors
        if ctx.used_up:
            raise RuntimeError("the backward pass of the LSTM's kernels can run only once")
        ctx.used_up = ctx.kernels is not None  # they overwrite the gates
        kept = [Steps._make([*saved[d * _SAVED : (d + 1) * _SAVED], outputs[d]]) for d in range(len(x))]
        weights = _by_direction(w_input, w_hidden, bias, w_projection)
        grad_h, grad_c = own_copy(grad_h, h), own_copy(grad_c, c)

        def work(d: int) -> tuple[Tensor | None, ...]:
            grad = None if grad_outputs is None else grad_outputs[d]
            given = kept[d], grad, grad_h[d], grad_c[d], x[d], h[d], c[d], weights[d], ctx.batch_sizes, ctx.clips
            if ctx.kernels is None:
                return lstm_steps.backward(*given, input_needs=ctx.needs_input_grad[0])
            return lstm_native.backward(
                ctx.kernels, *given, input_needs=ctx.needs_input_grad[0], zero_start=ctx.zero_start
            )

        with torch.autocast(x.device.type, enabled=False):
            directions = each_direction(work, len(x), x.device)
        stacked = [None if parts[0] is None else torch.stack(parts) for parts in zip(*directions, strict=True)]
        return (*stacked, None, None, None)


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
        self,
        *,
        input_dim: int,
        cell_dim: int,
        projection_dim: int | None = None,
        directions: int = 2,
        cell_clip: float | None = 3.0,
        proj_clip: float | None = 3.0,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight_dropout = Dropout(weight_dropout)
        self.cell_dim, self.output_dim = cell_dim, projection_dim or cell_dim
        self.clips = Clips(cell_clip, proj_clip)
        self.prepares = False
        self._prepared: tuple[list[tuple[int, int]], list[FewRows]] | None = None
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
        self,
        x: Tensor,
        batch_sizes: list[int],
        state: tuple[Tensor, Tensor] | None = None,
        *,
        words: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Packed rows x (D, N, I) and states of the sorted sentences (default: zero) to outputs (D, N, H) and states.

        Rows of x with the same number in ``words`` (D, N) must be equal; where no gradient is needed, that saves time.
        Under autocast the products run in its dtype; the cell state stays as it is. The backward pass can run once.
        """
        h, c = self.zero_state(batch_sizes[0] if batch_sizes else 0) if state is None else state
        weights = (self.weight_input, self.weight_dropout(self.weight_hidden), self.bias, self.weight_projection)
        dtype = self.bias.dtype
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
        w = [None if weight is None else weight.to(dtype) for weight in weights]
        x, h, c = x.to(dtype).contiguous(), h.to(dtype), c.to(torch.promote_types(c.dtype, torch.float32))
        zero_start = state is None
        if not torch.is_grad_enabled():
            by_direction = _by_direction(*w)  # type: ignore[arg-type]
            return self._inferred(x, h, c, by_direction, batch_sizes, zero_start=zero_start, words=words)
        gpu = gpu_steps(x.device)
        function = _PackedLSTM if gpu is None else gpu.PackedLSTM
        outputs, h, c = function.apply(x, h, c, *w, batch_sizes, self.clips, zero_start)
        return outputs, (h, c)

    def _inferred(
        self,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        weights: list[Weights],
        batch_sizes: list[int],
        *,
        zero_start: bool,
        words: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        dtype, stored_only = x.dtype, not multiplies(x.dtype, x.device.type)
        with torch.autocast(x.device.type, enabled=False):
            h, c = (part.clone(memory_format=torch.contiguous_format) for part in (h, c))
            if stored_only:
                x, h = x.float(), h.float()
            outputs = x.new_empty(*x.shape[:2], self.output_dim)
            kernels = kernels_for(x)
            advance = None if kernels is None else lstm_native.advance_cell(kernels)

            few = self._few_rows(weights) if x.dtype == torch.float32 and batch_sizes[:1] <= [MOST_ROWS] else None

            def work(d: int) -> None:
                if few is not None:
                    few[d].run(x[d], h[d], c[d], batch_sizes, self.clips, outputs[d])
                    return
                w = lstm_steps.wide(weights[d], single=batch_sizes[:1] == [1]) if stored_only else weights[d]
                lstm_steps.infer(
                    x[d],
                    h[d],
                    c[d],
                    w,
                    batch_sizes,
                    self.clips,
                    outputs[d],
                    zero_start=zero_start,
                    words=None if words is None else words[d],
                    advance=advance,
                )

            each_direction(work, len(x), x.device)
        return outputs.to(dtype), (h.to(dtype), c)

    def __getstate__(self) -> dict[str, Any]:
        """Without the copy for a few sentences, which belongs to this process."""
        return {**self.__dict__, "_prepared": None}

    def _few_rows(self, weights: list[Weights]) -> list[FewRows] | None:
        """The weights laid out for a few sentences, where `lay_out_for_inference` allows it and they fit; made once."""
        library = kernels()
        if not self.prepares or library is None:
            return None
        # Changes with every weight of the layer.
        stamps = [(p.data_ptr(), 0 if p.is_inference() else p._version) for p in self.parameters()]
        if self._prepared is None or self._prepared[0] != stamps:
            made = [FewRows.of(w, library) for w in weights]
            self._prepared = stamps, [each for each in made if each is not None]
        return self._prepared[1] or None


@torch.inference_mode(False)  # a weight made in that mode could never be trained again
@torch.no_grad()
def lay_out_for_inference(layer: ProjectedLSTM) -> None:
    """Turn weights in memory: same values, same shape.

    The recurrent weights get their columns behind one another. With few rows a step, as at the end of a batch or for
    one sentence alone, the product then takes half the time; with many it takes the same. Training keeps the other
    layout, which its backward pass is faster with. Weights in a type that the processor only stores want it, too, for
    their products with one vector, and their projection the other way round. Where the compiled kernels are there,
    small layers make a copy instead when a few sentences first come (`few_rows.py`).
    """
    layer.prepares = True
    stacked = layer.weight_input, layer.weight_hidden, layer.bias, layer.weight_projection
    if kernels() is not None and FewRows.fits(_by_direction(*stacked)[0], torch.float32):
        return
    weight: Tensor | None = layer.weight_hidden
    if not multiplies(layer.weight_hidden.dtype, layer.weight_hidden.device.type):
        weight = layer.weight_projection
    if weight is None or weight.transpose(1, 2).is_contiguous():
        return
    weight.data = weight.data.transpose(1, 2).contiguous().transpose(1, 2)
