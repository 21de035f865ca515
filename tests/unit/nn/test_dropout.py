"""Dropout: the right share, the right scale, the gradient of what was kept, all from torch's seed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.dropout import Dropout


@given(p=st.floats(0.01, 0.99), dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]))
def test_share_and_scale(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    y = Dropout(p)(torch.ones(101, 397, dtype=dtype)).double()  # a count that no four divides
    numbers = y.numel()
    assert float((y == 0).double().mean()) == pytest.approx(p, abs=5 * (p * (1 - p) / numbers) ** 0.5 + 2**-16)
    torch.testing.assert_close(y[y != 0], torch.full_like(y[y != 0], 1 / (1 - p)), rtol=0.01, atol=0)


def test_neighbours_are_independent() -> None:
    """Four numbers share a random word; what becomes of one says nothing about the next."""
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(100_000)) != 0).double()
    for distance in (1, 2, 3, 4):
        assert abs(float((kept[:-distance] * kept[distance:]).mean()) - 0.25) < 0.01


def test_the_gradient_passes_where_the_number_did() -> None:
    x = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    y = Dropout(0.4)(x)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x.detach(), y.detach())


def test_torch_s_seed_decides() -> None:
    layer, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first, second = layer(x), layer(x)
    state = torch.get_rng_state()
    third = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer(x), second)
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(layer(x), third)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (1,), ()])
def test_small_shapes(shape: tuple[int, ...]) -> None:
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


def test_off_unless_training() -> None:
    x = torch.randn(9)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert torch.equal(Dropout(1.0)(x), torch.zeros(9))


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match="expected a probability from 0 to 1"):
        Dropout(p)


@pytest.mark.parametrize("batch_sizes", [[3, 3, 3], [3, 2, 1]])
def test_a_locked_mask_is_the_same_at_every_word_of_a_sentence(batch_sizes: list[int]) -> None:
    torch.manual_seed(0)
    x = torch.ones(2, sum(batch_sizes), 40)
    y = Dropout(0.5).locked(x, batch_sizes)
    first = y[:, :3]
    start = 0
    for count in batch_sizes:
        assert torch.equal(y[:, start : start + count], first[:, :count])
        start += count
    assert not torch.equal(first[0, 0], first[0, 1])
    assert not torch.equal(first[0, 0], first[1, 0])
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(Dropout(0.5).eval().locked(x, batch_sizes), x)
