"""The layer mix against NumPy, in every mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.layer_mix import Combine, LayerMix

DIM = 6


def layers_and_mask(n_layers: int = 3, lengths: tuple[int, ...] = (4, 0, 2)) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return torch.randn(n_layers, *mask.shape, DIM), mask  # padding is garbage on purpose


@given(weights=st.lists(st.floats(0.05, 3.0), min_size=3, max_size=3), gamma=st.floats(-2, 2))
def test_trainable_equals_the_formula(weights: list[float], gamma: float) -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix("trainable", n_layers=3, dim=DIM, weights=weights)
    with torch.no_grad():
        mix.gamma.fill_(gamma)
    share = np.array(weights) / sum(weights)
    expected = gamma * np.einsum("l,lbtd->btd", share, layers.numpy()) * mask.numpy()[..., None]
    np.testing.assert_allclose(mix(layers, mask).detach().numpy(), expected, atol=1e-5)
    given_back = mix.weights()
    assert given_back is not None
    np.testing.assert_allclose(given_back[0], share, atol=1e-6)
    assert given_back[1] == pytest.approx(gamma, abs=1e-6)


@pytest.mark.parametrize(
    ("mode", "normalize", "weights"),
    [("frozen", True, [0.5, -0.25, 2.0]), ("frozen", True, None), ("trainable", False, [0.5, -0.25, 2.0])],
)
def test_raw_and_frozen_weights_are_applied_as_given(mode: str, normalize: bool, weights: list[float] | None) -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix(mode, n_layers=3, dim=DIM, normalize=normalize, weights=weights)  # type: ignore[arg-type]
    applied = weights or [1 / 3] * 3
    expected = np.einsum("l,lbtd->btd", applied, layers.numpy()) * mask.numpy()[..., None]
    np.testing.assert_allclose(mix(layers, mask).detach().numpy(), expected, atol=1e-6)
    assert mix.weights() == (pytest.approx(applied), 1.0)


def test_frozen_has_nothing_to_train_but_is_saved() -> None:
    mix = LayerMix("frozen", n_layers=3, dim=DIM, weights=[1.0, 0.0, 0.0])
    assert list(mix.parameters()) == []
    assert mix.state_dict()["w"].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_function_is_a_perceptron_over_the_concatenated_layers(activation: str) -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix("function", n_layers=3, dim=DIM, activation=activation, hidden_dim=5)  # type: ignore[arg-type]
    joined = np.concatenate(layers.numpy(), axis=-1)
    hidden = joined @ mix.hidden.weight.detach().numpy().T + mix.hidden.bias.detach().numpy()
    hidden = np.maximum(hidden, 0) if activation == "relu" else np.tanh(hidden)
    expected = hidden @ mix.output.weight.detach().numpy().T + mix.output.bias.detach().numpy()
    np.testing.assert_allclose(mix(layers, mask).detach().numpy(), expected * mask.numpy()[..., None], atol=1e-5)
    assert mix.weights() is None


def test_layer_norm_takes_one_mean_and_variance_over_all_words_of_the_batch() -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix("frozen", n_layers=3, dim=DIM, do_layer_norm=True)
    words = layers.numpy()[:, mask.numpy()]  # (L, N, D)
    centred = (words - words.mean(axis=(1, 2), keepdims=True)) / words.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(mix(layers, mask)[mask].numpy(), centred.mean(axis=0), atol=1e-5)


def test_every_trained_weight_gets_a_gradient() -> None:
    layers, mask = layers_and_mask()
    for mix in (
        LayerMix("trainable", n_layers=3, dim=DIM),
        LayerMix("trainable", n_layers=3, dim=DIM, normalize=False),
        LayerMix("function", n_layers=3, dim=DIM),
    ):
        mix(layers, mask).square().sum().backward()
        assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in mix.parameters())


def test_penalty_is_the_squared_raw_weights_times_its_coefficient() -> None:
    raw = LayerMix("trainable", n_layers=3, dim=DIM, normalize=False, weights=[1.0, 2.0, -2.0], l2=0.1)
    assert raw.penalty().item() == pytest.approx(0.9)
    assert LayerMix("frozen", n_layers=3, dim=DIM, l2=0.1).penalty().item() == 0
    function = LayerMix("function", n_layers=3, dim=DIM, l2=0.1)
    squares = function.hidden.weight.square().sum() + function.output.weight.square().sum()
    assert function.penalty().item() == pytest.approx(0.1 * squares.item(), rel=1e-5)


def test_layers_of_half_precision_are_cast_and_a_list_will_do() -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix("trainable", n_layers=3, dim=DIM)
    assert mix(layers.half(), mask).dtype == torch.float32
    assert torch.equal(mix(list(layers), mask), mix(layers, mask))


def test_dropout_acts_in_training_only() -> None:
    layers, mask = layers_and_mask()
    mix = LayerMix("frozen", n_layers=3, dim=DIM, dropout=0.5)
    assert (mix(layers, mask)[mask] == 0).any()
    assert not (mix.eval()(layers, mask)[mask] == 0).any()


def test_mistakes_are_named() -> None:
    layers, mask = layers_and_mask()
    with pytest.raises(ValueError, match="Unknown layer mix 'sum'"):
        LayerMix("sum", n_layers=3, dim=DIM)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Got 2 layer weights; expected 3"):
        LayerMix("frozen", n_layers=3, dim=DIM, weights=[0.5, 0.5])
    with pytest.raises(ValueError, match="cannot come from a softmax"):
        LayerMix("trainable", n_layers=3, dim=DIM, weights=[1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="Got 2 layers; this mix was made for 3"):
        LayerMix("frozen", n_layers=3, dim=DIM)(layers[:2], mask)


@pytest.mark.parametrize("mode", ["trainable", "frozen", "function"])
def test_set_scale_brings_every_mode_to_the_same_deviation(mode: Combine) -> None:
    torch.manual_seed(0)
    layers = 0.01 * torch.randn(3, 4, 5, 8)
    mask = torch.ones(4, 5, dtype=torch.bool)
    mix = LayerMix(mode, n_layers=3, dim=8)
    factor = mix.set_scale(layers, mask)
    source = torch.cat(list(layers), dim=-1) if mode == "function" else layers.mean(dim=0)
    centred = source.flatten(0, 1) - source.flatten(0, 1).mean(dim=0)
    assert factor == pytest.approx(float(1 / centred.std()), rel=1e-4)
    fresh = LayerMix(mode, n_layers=3, dim=8)
    fresh.load_state_dict(mix.state_dict())
    torch.testing.assert_close(fresh(layers, mask), mix(layers, mask))
