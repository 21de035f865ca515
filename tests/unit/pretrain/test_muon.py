"""Muon against the singular value decomposition and PyTorch's own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import Parameter

from elmokit.pretrain import muon
from elmokit.pretrain.muon import Matrices, Muon, orthogonalized


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products in float32, whatever the processor has units for."""
    monkeypatch.setattr(muon, "multiplies", lambda dtype, device: False)


@pytest.mark.parametrize("shape", [(3, 24, 24), (3, 24, 60), (3, 60, 24), (1, 5, 1)])
@pytest.mark.parametrize("units", [True, False], ids=["bfloat16", "float32"])
def test_newton_schulz_keeps_singular_vectors_and_makes_singular_values_alike(
    shape: tuple[int, int, int], units: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(muon, "multiplies", lambda dtype, device: units)
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalized(1e-4 * matrices)
    assert found.dtype == (torch.bfloat16 if units else torch.float32)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    inside = left.mT @ found.float() @ right.mT  # of U S Vᵀ: S, which Vᵀ and U leave
    values = inside.diagonal(dim1=1, dim2=2)
    assert 0.65 < values.median() < values.max() + 1e-6 < 1.3
    off = inside - torch.diag_embed(values)
    assert off.abs().max() < (0.05 if units else 1e-4)


def test_a_matrix_of_zeros_stays_zero() -> None:
    assert not orthogonalized(torch.zeros(2, 4, 6)).any()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon")
@pytest.mark.parametrize("shape", [(32, 20), (20, 32), (24, 24)])
def test_single_matrices_move_as_under_the_optimizer_of_torch(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(2)
    ours, theirs = (Parameter(torch.ones(shape)) for _ in range(2))
    one = Muon([Matrices([ours])], [], lr=0.1, weight_decay=0.3)
    other = torch.optim.Muon([theirs], lr=0.1, weight_decay=0.3, momentum=0.95)
    for _ in range(4):
        ours.grad = torch.randn(shape, generator=generator)
        theirs.grad = ours.grad.clone()
        one.step()
        other.step()
        torch.testing.assert_close(ours, theirs, rtol=0, atol=4e-3)  # theirs is bfloat16 always
    assert (ours - 1).abs().max() > 0.1


def test_blocks_and_leading_dimensions_are_matrices_of_their_own(exact: None) -> None:
    """Two directions of four gates move as eight matrices given one by one."""
    generator = torch.Generator().manual_seed(3)
    together = Parameter(torch.zeros(2, 4 * 6, 5))
    alone: list[Tensor] = [Parameter(torch.zeros(6, 5)) for _ in range(8)]
    one, other = Muon([Matrices([together], blocks=4)], []), Muon([Matrices(alone)], [])
    for _ in range(2):
        together.grad = torch.randn(together.shape, generator=generator)
        for parameter, gradient in zip(alone, together.grad.view(8, 6, 5), strict=True):
            parameter.grad = gradient.clone()
        one.step()
        other.step()
    torch.testing.assert_close(together.view(8, 6, 5), torch.stack(list(alone)))


def test_the_scale_goes_by_outputs_and_inputs(exact: None) -> None:
    """√(outputs / inputs) where there are more outputs, whichever way round they are stored; else 1."""
    generator = torch.Generator().manual_seed(4)
    gradient = torch.randn(8, 2, generator=generator)

    def moved(gradient: Tensor, *, transposed: bool) -> Tensor:
        weight = Parameter(torch.zeros_like(gradient))
        weight.grad = gradient
        Muon([Matrices([weight], transposed=transposed)], [], lr=0.1).step()
        return weight.detach()

    plain = -0.1 * orthogonalized((gradient / 20)[None])[0]
    torch.testing.assert_close(moved(gradient, transposed=False), 2 * plain)
    torch.testing.assert_close(moved(gradient, transposed=True), plain)
    torch.testing.assert_close(moved(gradient.T.contiguous(), transposed=True), 2 * plain.T)
    torch.testing.assert_close(moved(gradient.T.contiguous(), transposed=False), plain.T)


def test_other_parameters_move_as_under_adamw() -> None:
    generator = torch.Generator().manual_seed(5)
    ours, theirs = (Parameter(torch.ones(4, 3)) for _ in range(2))
    matrix = Parameter(torch.ones(3, 3))
    one = Muon([Matrices([matrix])], [ours], adamw_lr=0.05, weight_decay=0.1, betas=(0.9, 0.99))
    other = torch.optim.AdamW([theirs], lr=0.05, weight_decay=0.1, betas=(0.9, 0.99), fused=True)
    for _ in range(3):
        ours.grad = torch.randn(4, 3, generator=generator)
        theirs.grad = ours.grad.clone()
        one.step()
        other.step()
    assert torch.equal(ours, theirs)
    assert torch.equal(matrix, torch.ones(3, 3))  # it had no gradient


def test_a_saved_optimizer_goes_on_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(6)
    gradients = [torch.randn(2, 8, 5, generator=generator) for _ in range(6)]
    biases = [torch.randn(5, generator=generator) for _ in range(6)]

    def built() -> tuple[nn.ParameterList, Muon]:
        weights = nn.ParameterList([torch.zeros(2, 8, 5), torch.zeros(5)])
        return weights, Muon([Matrices([weights[0]], blocks=4)], [weights[1]])

    def trained(weights: nn.ParameterList, optimizer: Muon, steps: range) -> None:
        for step in steps:
            weights[0].grad, weights[1].grad = gradients[step].clone(), biases[step].clone()
            optimizer.step()

    whole, first, second = built(), built(), built()
    trained(*whole, range(6))
    trained(*first, range(3))
    second[0].load_state_dict(first[0].state_dict())
    second[1].load_state_dict(copy.deepcopy(first[1].state_dict()))
    trained(*second, range(3, 6))
    assert all(torch.equal(one, other) for one, other in zip(whole[0], second[0], strict=True))


def test_a_closure_gives_its_loss() -> None:
    weight = Parameter(torch.ones(3, 3))
    optimizer = Muon([], [weight])

    def loss() -> float:
        optimizer.zero_grad()
        value = weight.square().sum()
        value.backward()
        return value.item()

    assert optimizer.step(loss) == 9.0
    assert (weight < 1).all()
