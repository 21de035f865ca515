from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from elmokit.nn.char_cnn import CharCNN, Highway


def ids_of(lengths: list[int], *, seed: int = 0, max_characters: int = 50) -> Tensor:
    """Random words of so many bytes between their marks; −1 gives a padded position, a row of zeros."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.full((len(lengths), max_characters), 261)
    for row, length in zip(rows, lengths, strict=True):
        row[0] = 259
        row[1 : length + 1] = torch.randint(1, 257, (max(length, 0),), generator=generator)
        row[length + 1] = 260
        if length < 0:
            row[:] = 0
    return rows


def plain(module: CharCNN, chars: Tensor) -> Tensor:
    """The definition, over all positions at once."""
    characters = functional.embedding(chars.long(), module.embedding.weight, padding_idx=0).transpose(1, 2)
    activate = torch.relu if module.activation == "relu" else torch.tanh
    x = torch.cat([activate(convolution(characters)).amax(dim=2) for convolution in module.convolutions], dim=1)
    for highway in module.highways:
        gate = torch.sigmoid(highway.carry(x))
        x = gate * torch.relu(highway.transform(x)) + (1 - gate) * x
    return x if module.projection is None else module.projection(x)


def module_of(**given_: Any) -> CharCNN:
    torch.manual_seed(3)
    module = CharCNN(
        **{"filters": [[1, 4], [3, 5], [7, 6]], "embedding_dim": 4, "projection_dim": 6, "n_highway": 2, **given_}
    ).double()
    with torch.no_grad():
        for convolution in module.convolutions:
            convolution.bias.normal_(0, 0.3)  # zero biases would hide windows that are missing
    return module


@given(lengths=st.lists(st.integers(-1, 48), min_size=1, max_size=12), activation=st.sampled_from(["relu", "tanh"]))
def test_grouping_by_length_changes_nothing(lengths: list[int], activation: str) -> None:
    module, chars = module_of(activation=activation), ids_of(lengths)
    torch.testing.assert_close(module(chars), plain(module, chars), rtol=0, atol=1e-13)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_grouping_by_length_changes_no_gradient(activation: str) -> None:
    module, chars = module_of(activation=activation), ids_of([3, 0, 48, 47, 5, -1, 12, 41, 42, 43, 44, 5, 9, 20])
    weight_of = torch.randn(14, 6, dtype=torch.float64)
    parameters = list(module.parameters())
    ours = torch.autograd.grad((module(chars) * weight_of).sum(), parameters)
    theirs = torch.autograd.grad((plain(module, chars) * weight_of).sum(), parameters)
    for (name, _), one, other in zip(module.named_parameters(), ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12, msg=name)


def test_windows_over_the_padding_count() -> None:
    """A filter that answers to padding alone is heard in every word that has room for it, and in no other."""
    module = CharCNN(filters=[[3, 1]], embedding_dim=1, projection_dim=1, n_highway=0)
    with torch.no_grad():
        module.embedding.weight.zero_()
        module.embedding.weight[261] = 1.0
        module.convolutions[0].weight.fill_(1.0)
        module.convolutions[0].bias.fill_(-2.5)  # only three paddings in a row answer
    assert module(ids_of([1, 44, 45, 46, 47, 48]))[:, 0].tolist() == [0.5, 0.5, 0.5, 0.0, 0.0, 0.0]


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(0, 48), min_size=2, max_size=10), seed=st.integers(0, 99))
def test_a_word_does_not_depend_on_its_neighbours(lengths: list[int], seed: int) -> None:
    module, chars = module_of(), ids_of(lengths, seed=seed)
    alone = torch.cat([module(word[None]) for word in chars])
    torch.testing.assert_close(module(chars), alone, rtol=0, atol=1e-13)


@pytest.mark.parametrize("max_characters", [7, 12, 50, 64])
def test_other_word_lengths(max_characters: int) -> None:
    module = module_of(max_characters=max_characters)
    chars = ids_of([0, 3, max_characters - 2], max_characters=max_characters)
    torch.testing.assert_close(module(chars), plain(module, chars), rtol=0, atol=1e-13)


def test_no_words() -> None:
    module = module_of()
    vectors = module(torch.zeros(0, 50, dtype=torch.int16))
    assert vectors.shape == (0, 6)
    vectors.sum().backward()


def test_no_projection_when_filters_are_as_many_as_wanted() -> None:
    module = CharCNN(filters=[[1, 2], [2, 3]], projection_dim=5)
    assert module.projection is None
    assert module(ids_of([4])).shape == (1, 5)


def test_padding_learns_nothing() -> None:
    module = module_of()
    module(ids_of([3, -1])).sum().backward()
    assert not module.embedding.weight[0].any()
    assert not module.embedding.weight.grad[0].any()
    assert module.embedding.weight.grad[261].any()


def test_highway_starts_nearly_closed() -> None:
    highway = Highway(8)
    x = torch.randn(100, 8)
    gate = torch.sigmoid(highway.carry(x))
    assert bool((highway.carry.bias == -2).all())
    assert gate.mean() < 0.3
    torch.testing.assert_close(highway(x), gate * highway.transform(x).relu() + (1 - gate) * x)


def test_initialisation_is_the_published_recipe() -> None:
    torch.manual_seed(0)
    module = CharCNN(filters=[[1, 64], [3, 256]], projection_dim=128)
    assert module.embedding.weight[1:].abs().max() <= 1.0
    assert module.embedding.weight[1:].std().item() == pytest.approx(3**-0.5, rel=0.1)  # of U(−1, 1)
    assert all(convolution.weight.abs().max() <= 0.05 for convolution in module.convolutions)
    assert module.projection is not None
    assert module.projection.weight.std().item() == pytest.approx(320**-0.5, rel=0.05)
    tanh = CharCNN(filters=[[3, 256]], projection_dim=128, activation="tanh")
    assert tanh.convolutions[0].weight.std().item() == pytest.approx((3 * 16) ** -0.5, rel=0.1)
