from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.bilm import BiLM, State


def bilm(seed: int = 0, **settings: Any) -> BiLM:
    torch.manual_seed(seed)
    return BiLM(**{"input_dim": 4, "cell_dim": 6, "projection_dim": 4, "proj_clip": 0.2, **settings}).eval()


@pytest.mark.parametrize(("batch", "time", "lengths"), [(0, 0, []), (0, 3, []), (2, 0, [0, 0]), (2, 3, [0, 0])])
def test_nothing_to_read(batch: int, time: int, lengths: list[int]) -> None:
    """No sentences, or empty ones only: shapes stay, gradients flow, states pass."""
    module = bilm()
    tokens = torch.zeros(batch, time, 4, requires_grad=True)
    layers, state = module(tokens, lengths)
    assert [layer.shape for layer in layers] == [(batch, time, 8)] * 2
    assert (state.h.shape, state.c.shape) == ((2, 2, batch, 4), (2, 2, batch, 6))
    (sum(layer.sum() for layer in layers) + state.h.sum() + state.c.sum()).backward()
    assert tokens.grad is not None
    assert not tokens.grad.any()


def test_an_empty_sentence_among_others() -> None:
    module = bilm()
    tokens = torch.randn(3, 4, 4)
    start = State(*[torch.randn_like(part) for part in module.zero_state(3)])
    layers, final = module(tokens, [4, 0, 2], state=start)
    assert not layers[1][1].any()
    assert torch.equal(final.h[:, :, 1], start.h[:, :, 1])
    assert torch.equal(final.c[:, :, 1], start.c[:, :, 1])
    alone, _ = module(tokens[2:], [2], state=State(start.h[:, :, 2:], start.c[:, :, 2:]))
    torch.testing.assert_close(layers[1][2, :2], alone[1][0, :2], rtol=0, atol=1e-6)


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_a_sentence_does_not_depend_on_batch_order_or_padding(lengths: list[int], seed: int) -> None:
    module = bilm()
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(len(lengths), 8, 4, generator=generator)
    together, state = module(tokens, lengths)
    for row, length in enumerate(lengths):
        other_padding = torch.cat([tokens[row : row + 1, :length], torch.full((1, 1, 4), 99.0)], dim=1)
        alone, own_state = module(other_padding, [length])
        for layer, reference in zip(together, alone, strict=True):
            torch.testing.assert_close(layer[row, :length], reference[0, :length], rtol=0, atol=1e-6)
        torch.testing.assert_close(state.h[:, :, row], own_state.h[:, :, 0], rtol=0, atol=1e-6)
        torch.testing.assert_close(state.c[:, :, row], own_state.c[:, :, 0], rtol=0, atol=1e-6)


def test_directions_never_mix() -> None:
    """The forward half sees the words up to its own, the backward half those from its own on."""
    module, tokens = bilm(), torch.randn(1, 6, 4)
    changed = tokens.clone()
    changed[0, 3] += 1.0
    for before, after in zip(module(tokens, [6])[0], module(changed, [6])[0], strict=True):
        moved = (before != after)[0]
        assert not moved[:3, :4].any()
        assert bool(moved[3:, :4].any(dim=1).all())
        assert not moved[4:, 4:].any()
        assert bool(moved[:4, 4:].any(dim=1).all())


def test_one_direction_is_the_forward_half_of_two() -> None:
    both, forward = bilm(), bilm(directions=1)
    forward.load_state_dict({name: tensor[:1] for name, tensor in both.state_dict().items()})
    tokens = torch.randn(2, 5, 4)
    for two, one in zip(both(tokens, [5, 3])[0], forward(tokens, [5, 3])[0], strict=True):
        torch.testing.assert_close(two[:, :, :4], one, rtol=0, atol=1e-6)


def test_two_windows_of_the_forward_half_equal_one() -> None:
    module, tokens = bilm(directions=1), torch.randn(2, 9, 4)
    whole, final = module(tokens, [9, 9])
    first, state = module(tokens[:, :5], [5, 5])
    second, last = module(tokens[:, 5:], [4, 4], state=state)
    for one, two, reference in zip(first, second, whole, strict=True):
        torch.testing.assert_close(torch.cat([one, two], dim=1), reference, rtol=0, atol=1e-6)
    torch.testing.assert_close(last.c, final.c, rtol=0, atol=1e-6)


def test_dropout_is_for_cell_inputs_and_the_final_output() -> None:
    """The residual takes the layer's input as it was: with a second layer of zeros, its output is dropped once."""
    module, tokens = bilm(dropout=0.5), torch.randn(4, 5, 4)
    with torch.no_grad():
        for parameter in module.layers[1].parameters():
            parameter.zero_()
    calm_first, calm_second = module(tokens, [5] * 4)[0]
    assert torch.equal(calm_first, calm_second)
    first, second = module.train()(tokens, [5] * 4)[0]
    assert not torch.equal(first, calm_first)
    kept = second != 0
    assert 0.2 < kept.float().mean().item() < 0.7
    torch.testing.assert_close(second[kept], 2 * first[kept])


def test_a_wrong_number_of_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="lengths has 3 sentences, tokens has 2"):
        bilm()(torch.zeros(2, 5, 4), [5, 5, 5])


def test_a_length_beyond_the_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 5"):
        bilm()(torch.zeros(2, 5, 4), [5, 6])


def test_recurrent_weights_are_dropped_while_training_alone() -> None:
    """A dropped weight is zero in every step, the others are scaled, and the gradient reaches those alone."""
    module, tokens = bilm(n_layers=1, weight_dropout=0.5), torch.randn(2, 4, 4)
    calm = module(tokens, [4, 4])[0][0]
    assert torch.equal(module(tokens, [4, 4])[0][0], calm)
    torch.manual_seed(5)
    noisy = module.train()(tokens, [4, 4])[0][0]
    noisy.sum().backward()
    layer = module.layers[0]
    torch.manual_seed(5)
    dropped = layer.weight_dropout(layer.weight_hidden.detach())
    assert bool(((layer.weight_hidden.grad == 0) == (dropped == 0)).all())
    with torch.no_grad():
        layer.weight_hidden.copy_(dropped)
    torch.testing.assert_close(module.eval()(tokens, [4, 4])[0][0], noisy, rtol=0, atol=1e-6)


def test_locked_dropout_in_the_layers() -> None:
    """With layers of zeros the output is the locked mask of the residual: the same places at every word."""
    module = bilm(dropout=0.5, locked_dropout=True)
    with torch.no_grad():
        for parameter in module.layers[1].parameters():
            parameter.zero_()
    _, second = module.train()(torch.randn(3, 6, 4), [6] * 3)[0]
    assert torch.equal((second != 0), (second[:, :1] != 0).expand_as(second))
