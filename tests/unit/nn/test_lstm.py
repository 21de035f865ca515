from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from elmokit.nn import input_products
from elmokit.nn import side_by_side as directions_module
from elmokit.nn.lstm import ProjectedLSTM

RAGGED = [4, 4, 2, 1, 1]  # sentences still running at each step: lengths 5, 3, 2, 2


def layer(seed: int = 0, **settings: Any) -> ProjectedLSTM:
    torch.manual_seed(seed)
    module = ProjectedLSTM(**{"input_dim": 5, "cell_dim": 6, "projection_dim": 4, "directions": 2, **settings})
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
    return module


def inputs(module: ProjectedLSTM, batch_sizes: list[int], *, seed: int = 1) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    directions, _, input_dim = module.weight_input.shape
    dtype, batch = module.bias.dtype, batch_sizes[0]
    x = torch.randn(directions, sum(batch_sizes), input_dim, generator=generator, dtype=torch.float64).to(dtype)
    h, c = (
        torch.randn(directions, batch, size, generator=generator, dtype=torch.float64).mul(0.2).to(dtype)
        for size in (module.output_dim, module.cell_dim)
    )
    return x, (h, c)


@pytest.fixture
def threads() -> Iterator[None]:
    """Whatever a test does to the number of threads is undone."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


# Against torch.nn.LSTM -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("projection_dim", [4, None])
@pytest.mark.parametrize("directions", [1, 2])
def test_without_biting_clips_it_is_torch_lstm(projection_dim: int | None, directions: int) -> None:
    """Outputs, final states and every gradient."""
    module = layer(projection_dim=projection_dim, directions=directions, cell_clip=1e3, proj_clip=1e3).double()
    x, (h, c) = inputs(module, RAGGED)
    x.requires_grad_()
    h.requires_grad_()
    outputs, (h_last, c_last) = module(x, RAGGED, (h, c))
    weight_of = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view_as(outputs)
    ((outputs * weight_of).sum() + h_last.square().sum() + c_last.sin().sum()).backward()
    for d in range(directions):
        theirs = torch_lstm(module, d)
        x_d = x.detach()[d].clone().requires_grad_()
        h_d = h.detach()[d][None].clone().requires_grad_()
        packed, (h_ref, c_ref) = theirs(PackedSequence(x_d, torch.tensor(RAGGED)), (h_d, c[d][None]))
        ((packed.data * weight_of[d]).sum() + h_ref.square().sum() + c_ref.sin().sum()).backward()
        torch.testing.assert_close(outputs[d], packed.data, rtol=0, atol=1e-12)
        torch.testing.assert_close(h_last[d], h_ref[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(c_last[d], c_ref[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(x.grad[d], x_d.grad, rtol=0, atol=1e-10)
        torch.testing.assert_close(h.grad[d], h_d.grad[0], rtol=0, atol=1e-10)
        pairs = [
            (module.weight_input.grad[d], theirs.weight_ih_l0.grad),
            (module.weight_hidden.grad[d], theirs.weight_hh_l0.grad),
            (module.bias.grad[d], theirs.bias_ih_l0.grad),
        ]
        for ours, reference in pairs:
            torch.testing.assert_close(torch_gates(ours), reference, rtol=0, atol=1e-10)
        if projection_dim:
            torch.testing.assert_close(
                module.weight_projection.grad[d], theirs.weight_hr_l0.grad.t(), rtol=0, atol=1e-10
            )


def torch_gates(tensor: Tensor) -> Tensor:
    """Rows o, i, f, g to torch's i, f, g, o."""
    o, i, f, g = tensor.chunk(4)
    return torch.cat([i, f, g, o])


def torch_lstm(module: ProjectedLSTM, d: int) -> nn.LSTM:
    projection = 0 if module.weight_projection is None else module.output_dim
    theirs = nn.LSTM(module.weight_input.shape[2], module.cell_dim, proj_size=projection).to(module.bias.dtype)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch_gates(module.weight_input[d]))
        theirs.weight_hh_l0.copy_(torch_gates(module.weight_hidden[d]))
        theirs.bias_ih_l0.copy_(torch_gates(module.bias[d]))
        theirs.bias_hh_l0.zero_()
        if projection:
            theirs.weight_hr_l0.copy_(module.weight_projection[d].t())
    return theirs


# Gradients -----------------------------------------------------------------------------------------------------------


def autograd_reference(
    module: ProjectedLSTM, x: Tensor, batch_sizes: list[int], h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same arithmetic step by step, left to autograd."""
    outputs, final_h, final_c = [], [], []
    for d in range(len(x)):
        hs, cs, start, rows = list(h[d]), list(c[d]), 0, []
        for size in batch_sizes:
            for row in range(size):
                z = module.weight_input[d] @ x[d, start + row] + module.weight_hidden[d] @ hs[row] + module.bias[d]
                o, i, f, g = z.chunk(4)
                cs[row] = f.sigmoid() * cs[row] + i.sigmoid() * g.tanh()
                if module.clips.cell is not None:
                    cs[row] = cs[row].clamp(-module.clips.cell, module.clips.cell)
                hs[row] = o.sigmoid() * cs[row].tanh()
                if module.weight_projection is not None:
                    hs[row] = hs[row] @ module.weight_projection[d]
                    if module.clips.projection is not None:
                        hs[row] = hs[row].clamp(-module.clips.projection, module.clips.projection)
                rows.append(hs[row])
            start += size
        outputs.append(torch.stack(rows))
        final_h.append(torch.stack(hs))
        final_c.append(torch.stack(cs))
    return torch.stack(outputs), torch.stack(final_h), torch.stack(final_c)


CASES: dict[str, dict[str, Any]] = {
    "clips bite": {"cell_clip": 0.3, "proj_clip": 0.2},
    "no clips": {"cell_clip": None, "proj_clip": None},
    "cell clip alone": {"cell_clip": 0.3, "proj_clip": None},
    "projection clip alone": {"cell_clip": None, "proj_clip": 0.2},
    "no projection": {"projection_dim": None, "cell_clip": 0.3},
    "one direction": {"directions": 1, "cell_clip": 0.3, "proj_clip": 0.2},
    "one direction, no projection": {"directions": 1, "projection_dim": None, "cell_clip": None},
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_autograd(case: str) -> None:
    """With gradients into outputs and both final states, ragged rows, a given start."""
    module = layer(**CASES[case]).double()
    x, state = inputs(module, RAGGED)
    leaves = [tensor.requires_grad_() for tensor in (x, *state)] + list(module.parameters())
    outputs, (h_last, c_last) = module(x, RAGGED, (leaves[1], leaves[2]))
    reference = autograd_reference(module, x, RAGGED, leaves[1], leaves[2])
    weights = [torch.randn(part.shape, dtype=torch.float64) for part in reference]
    for ours, theirs in zip((outputs, h_last, c_last), reference, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    if (clip := module.clips.cell) is not None:
        assert (c_last.abs() == clip).any(), "the clip should bite in this test"
    found = torch.autograd.grad([outputs, h_last, c_last], leaves, weights)
    expected = torch.autograd.grad(reference, leaves, weights)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("used", ["outputs", "h", "c"])
def test_gradients_of_one_result_alone(used: str) -> None:
    """What is not used gives no gradient, and stands in nobody's way."""
    module = layer(cell_clip=0.3, proj_clip=0.2).double()
    x, (h, c) = inputs(module, RAGGED)
    outputs, (h_last, c_last) = module(x, RAGGED, (h, c))
    number = ["outputs", "h", "c"].index(used)
    chosen = (outputs, h_last, c_last)[number].square().sum()
    reference = autograd_reference(module, x, RAGGED, h, c)[number].square().sum()
    parameters = list(module.parameters())
    theirs = torch.autograd.grad(reference, parameters, materialize_grads=True)
    for one, other in zip(torch.autograd.grad(chosen, parameters), theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


def test_an_input_that_needs_no_gradient_changes_no_other_gradient() -> None:
    module = layer(cell_clip=0.3, proj_clip=0.2).double()
    x, state = inputs(module, RAGGED)
    parameters = list(module.parameters())
    without = torch.autograd.grad(module(x, RAGGED, state)[0].square().sum(), parameters)
    x.requires_grad_()
    *having, of_x = torch.autograd.grad(module(x, RAGGED, state)[0].square().sum(), [*parameters, x])
    assert bool(of_x.any())
    for one, other in zip(without, having, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("case", ["clips bite", "no projection", "one direction"])
def test_gradcheck(case: str) -> None:
    """Against finite differences, in case autograd and we share a mistake."""
    module = layer(input_dim=2, cell_dim=3, **{"projection_dim": 2, **CASES[case]}).double()
    batch_sizes = [2, 2, 1]
    x, state = inputs(module, batch_sizes)
    names = [name for name, _ in module.named_parameters()]

    def run(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        given = dict(zip(names, weights, strict=True))
        outputs, (h, c) = torch.func.functional_call(module, given, (x, batch_sizes, (h, c)))
        return outputs, h, c

    tensors = [tensor.detach().clone().requires_grad_() for tensor in (x, *state, *module.parameters())]
    assert torch.autograd.gradcheck(run, tensors, eps=1e-6, atol=1e-6)


def test_an_upstream_gradient_is_left_alone() -> None:
    """The backward pass works in place on copies: what autograd hands in may be used elsewhere."""
    module = layer().double()
    x, state = inputs(module, RAGGED)
    outputs, (h, c) = module(x, RAGGED, state)
    given = [torch.ones_like(part) for part in (outputs, h, c)]
    torch.autograd.backward([outputs, h, c], given)
    assert all(bool((part == 1).all()) for part in given)


# State ---------------------------------------------------------------------------------------------------------------


def test_state_carried_over_two_windows_equals_one_long_window() -> None:
    module = layer(cell_clip=0.3, proj_clip=0.2)
    x, state = inputs(module, [3] * 8)
    whole, final = module(x, [3] * 8, state)
    first, carried = module(x[:, : 3 * 5], [3] * 5, state)
    second, last = module(x[:, 3 * 5 :], [3] * 3, carried)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-6)
    for ours, reference in zip(last, final, strict=True):
        torch.testing.assert_close(ours, reference, rtol=0, atol=1e-6)


def test_zero_state_is_the_default_and_finished_rows_keep_theirs() -> None:
    module = layer()
    x, (h, c) = inputs(module, RAGGED)
    default, _ = module(x, RAGGED)
    assert torch.equal(default, module(x, RAGGED, module.zero_state(4))[0])
    h, c = torch.cat([h, h[:, :1]], dim=1), torch.cat([c, c[:, :1]], dim=1)  # a fifth sentence, empty
    _, (h_last, c_last) = module(x, RAGGED, (h, c))
    assert torch.equal(h_last[:, 4], h[:, 4])
    assert torch.equal(c_last[:, 4], c[:, 4])


def test_given_state_is_not_written_to() -> None:
    module = layer()
    x, (h, c) = inputs(module, RAGGED)
    h_before, c_before, x_before = h.clone(), c.clone(), x.clone()
    with torch.no_grad():
        module(x, RAGGED, (h, c))
    assert torch.equal(h, h_before)
    assert torch.equal(c, c_before)
    assert torch.equal(x, x_before)


def test_no_steps_at_all() -> None:
    """A batch of empty sentences: states pass through, with gradients."""
    module = layer()
    h, c = (part.normal_().requires_grad_() for part in module.zero_state(2))
    outputs, (h_last, c_last) = module(torch.zeros(2, 0, 5), [], (h, c))
    assert outputs.shape == (2, 0, 4)
    (h_last.sum() + 2 * c_last.sum()).backward()
    assert bool((h.grad == 1).all())
    assert bool((c.grad == 2).all())


def test_initialisation_holds_the_forget_bias() -> None:
    module = ProjectedLSTM(input_dim=3, cell_dim=4, projection_dim=2)
    _, _, forget, _ = module.bias.chunk(4, dim=1)
    assert bool((forget == 1).all())
    assert module.bias.sum() == forget.sum()
    module.reset_parameters()
    assert bool((module.bias[:, 8:12] == 1).all())


# Threads -------------------------------------------------------------------------------------------------------------


def test_one_and_two_threads_agree(threads: None) -> None:
    results = []
    for count in (1, 2):
        torch.set_num_threads(count)
        module = layer(cell_clip=0.3, proj_clip=0.2)
        x, state = inputs(module, RAGGED)
        outputs, final = module(x.requires_grad_(), RAGGED, state)
        (outputs.sum() + final[0].sum() + final[1].sum()).backward()
        results.append([outputs, *final, x.grad, *(parameter.grad for parameter in module.parameters())])
        assert torch.get_num_threads() == count
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-6)


def test_each_direction_has_a_thread_and_the_modes_of_its_caller(threads: None) -> None:
    torch.set_num_threads(2)

    def work(direction: int) -> tuple[int, bool, bool, int]:
        modes = torch.is_inference_mode_enabled(), torch.is_grad_enabled()
        return direction, *modes, threading.get_ident()

    with torch.inference_mode():
        (first, *modes, here), (second, *others, there) = directions_module.each_direction(work, 2, torch.device("cpu"))
    assert (first, second) == (0, 1)
    assert modes == others == [True, False]
    assert here != there


@pytest.mark.parametrize("failing", [0, 1])
def test_thread_count_is_restored_after_an_exception(threads: None, failing: int) -> None:
    torch.set_num_threads(2)

    def work(direction: int) -> int:
        if direction == failing:
            raise ArithmeticError("stop")
        return direction

    with pytest.raises(ArithmeticError, match="stop"):
        directions_module.each_direction(work, 2, torch.device("cpu"))
    assert torch.get_num_threads() == 2
    assert directions_module.each_direction(lambda direction: direction, 2, torch.device("cpu")) == [0, 1]


def test_thread_count_is_restored_after_a_wrong_shape(threads: None) -> None:
    torch.set_num_threads(2)
    module = layer()
    with pytest.raises(RuntimeError, match=r"size|shape"):
        module(torch.zeros(2, 3, 7), [3])
    assert torch.get_num_threads() == 2


# Modes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_inference_mode_and_no_grad(threads: None, count: int) -> None:
    torch.set_num_threads(count)
    module = layer(cell_clip=0.3, proj_clip=0.2)
    x, state = inputs(module, RAGGED)
    usual, _ = module(x, RAGGED, state)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            outputs, final = module(x, RAGGED, state)
            again, _ = module(x, RAGGED, final)
        assert not outputs.requires_grad
        assert torch.equal(outputs, usual)
        assert again.shape == usual.shape
    assert usual.requires_grad


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("projection_dim", [None, 3])
def test_inference_in_windows_of_few_rows(
    monkeypatch: pytest.MonkeyPatch, rows: int, projection_dim: int | None
) -> None:
    module = layer(cell_clip=0.3, proj_clip=0.2, projection_dim=projection_dim)
    x, state = inputs(module, RAGGED)
    usual, (h, c) = module(x, RAGGED, state)
    monkeypatch.setattr(input_products, "_NUMBERS", rows * 4 * module.cell_dim)
    before = [part.clone() for part in state]
    with torch.inference_mode():
        outputs, (h_last, c_last) = module(x, RAGGED, state)
    torch.testing.assert_close(outputs, usual.detach())
    torch.testing.assert_close(h_last, h.detach())
    torch.testing.assert_close(c_last, c.detach())
    assert all(torch.equal(given, kept) for given, kept in zip(state, before, strict=True))


@pytest.mark.parametrize("count", [1, 2])
def test_autocast_is_close_and_keeps_the_cell_state_in_float32(threads: None, count: int) -> None:
    torch.set_num_threads(count)
    module = layer(cell_dim=16, projection_dim=8)
    x, state = inputs(module, RAGGED)
    exact, exact_final = module(x, RAGGED, state)
    exact.square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, (h, c) = module(x, RAGGED, state)
        _, (_, c_again) = module(x, RAGGED, (h, c))  # carried on
    outputs.float().square().sum().backward()
    assert outputs.dtype == torch.bfloat16
    assert c.dtype == c_again.dtype == torch.float32
    assert (outputs - exact).abs().max() < 0.05
    assert (c - exact_final[1]).abs().max() < 0.05
    for parameter, gradient in zip(module.parameters(), gradients, strict=True):
        assert parameter.grad.dtype == torch.float32
        assert (parameter.grad - gradient).norm() < 0.05 * gradient.norm()


def test_bfloat16_weights_keep_the_cell_state_in_float32() -> None:
    torch.manual_seed(0)
    layer = ProjectedLSTM(input_dim=6, cell_dim=8, projection_dim=4)
    x = torch.randn(2, 7, 6)
    expected, _ = layer(x, [3, 2, 2])
    outputs, (h, c) = layer.to(torch.bfloat16)(x.to(torch.bfloat16), [3, 2, 2])
    assert (outputs.dtype, h.dtype, c.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)
    torch.testing.assert_close(outputs.float(), expected, atol=2e-2, rtol=0)
