"""The LSTM's kernels for a GPU against the PyTorch code, run by Triton's interpreter on the CPU."""

from __future__ import annotations

import os
from types import ModuleType

import pytest
import torch
from torch import Tensor

from elmokit.nn import lstm_steps
from elmokit.nn.lstm_steps import Clips, Weights


@pytest.fixture
def kernels() -> ModuleType:
    """`elmokit.nn.lstm_triton`, whose kernels are interpreted: the switch is read when they are defined."""
    pytest.importorskip("triton", reason="Triton is not installed: the GPU kernels are not tried")
    os.environ["TRITON_INTERPRET"] = "1"
    from elmokit.nn import lstm_triton

    return lstm_triton


def _drawn(*shape: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Tensor:
    return (torch.randn(*shape) * scale).to(dtype)


def _case(
    batch_sizes: list[int], *, dtype: torch.dtype = torch.float32, projected: bool = True, size: int = 6
) -> tuple[Tensor, Tensor, Tensor, list[Tensor | None]]:
    torch.manual_seed(3)
    directions, inputs, hidden = 2, 5, 4 if projected else size
    rows, batch = sum(batch_sizes), batch_sizes[0]
    weights = [
        _drawn(directions, 4 * size, inputs, dtype=dtype),
        _drawn(directions, 4 * size, hidden, dtype=dtype),
        _drawn(directions, 4 * size, dtype=dtype),
        _drawn(directions, size, hidden, dtype=dtype) if projected else None,
    ]
    x, h = _drawn(directions, rows, inputs, dtype=dtype, scale=2.0), _drawn(directions, batch, hidden, dtype=dtype)
    return x, h, _drawn(directions, batch, size), weights


def _of_direction(weights: list[Tensor | None], direction: int) -> Weights:
    w_input, w_hidden, bias, projection = (None if part is None else part[direction] for part in weights)
    assert w_input is not None
    assert w_hidden is not None
    assert bias is not None
    return Weights(w_input, w_hidden, bias, projection)


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("clips", [Clips(None, None), Clips(0.8, 0.5)])
@pytest.mark.parametrize("batch_sizes", [[1], [3, 3, 2, 1], [4, 2]])
def test_outputs_states_and_gradients_are_those_of_the_steps_in_pytorch(
    kernels: ModuleType, projected: bool, clips: Clips, batch_sizes: list[int]
) -> None:
    x, h, c, weights = _case(batch_sizes, projected=projected)
    needed = [part.requires_grad_() for part in (x, h, c, *weights) if part is not None]
    outputs, h_last, c_last = kernels.PackedLSTM.apply(x, h, c, *weights, batch_sizes, clips, False)
    factors = torch.randn_like(outputs), torch.randn_like(h_last), torch.randn_like(c_last)
    total = sum((factor * part).sum() for factor, part in zip(factors, (outputs, h_last, c_last), strict=True))
    gradients = torch.autograd.grad(total, needed)

    last = lstm_steps.last_rows(batch_sizes)
    wanted: list[list[Tensor | None]] = []
    with torch.no_grad():
        for d in range(2):
            w = _of_direction(weights, d)
            expected = torch.empty_like(outputs[d])
            steps = lstm_steps.forward(x[d], h[d], c[d], w, batch_sizes, clips, expected)
            torch.testing.assert_close(outputs[d], expected, rtol=0, atol=2e-6)
            torch.testing.assert_close(h_last[d], expected[last], rtol=0, atol=2e-6)
            torch.testing.assert_close(c_last[d], steps.cell[last], rtol=0, atol=2e-6)
            starts = factors[0][d], factors[1][d].clone(), factors[2][d].clone()
            given = steps, *starts, x[d], h[d], c[d], w, batch_sizes, clips
            wanted.append(list(lstm_steps.backward(*given, input_needs=True)))
    stacked = [torch.stack(list(parts)) for parts in zip(*wanted, strict=True) if parts[0] is not None]
    for gradient, expected in zip(gradients, stacked, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=2e-5)


def test_products_in_bfloat16_keep_the_cell_in_single_precision(kernels: ModuleType) -> None:
    batch_sizes = [3, 2, 2]
    x, h, c, weights = _case(batch_sizes, dtype=torch.bfloat16)
    outputs, h_last, c_last = kernels.PackedLSTM.apply(x, h, c, *weights, batch_sizes, Clips(3.0, 3.0), False)
    assert (outputs.dtype, h_last.dtype, c_last.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)
    w = _of_direction([None if part is None else part.float() for part in weights], 0)
    exact = torch.empty_like(outputs[0], dtype=torch.float32)
    lstm_steps.forward(x[0].float(), h[0].float(), c[0], w, batch_sizes, Clips(3.0, 3.0), exact)
    torch.testing.assert_close(outputs[0].float(), exact, rtol=0, atol=0.1)


def test_the_backward_pass_runs_once(kernels: ModuleType) -> None:
    x, h, c, weights = _case([2, 1])
    outputs, _, _ = kernels.PackedLSTM.apply(x.requires_grad_(), h, c, *weights, [2, 1], Clips(None, None), False)
    outputs.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="only once"):
        outputs.sum().backward()
