"""The maxima of the character filters against plain operations, values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from elmokit.nn import char_windows
from elmokit.nn.char_windows import filter_maxima


def plain(characters: Tensor, kernel: Tensor) -> Tensor:
    width = len(kernel) // characters.shape[2]
    windows = characters.unfold(1, width, 1).transpose(2, 3).flatten(2)  # (u, w, width · E)
    return (windows @ kernel).amax(dim=1)


def example(words: int = 7, length: int = 9, dim: int = 4, width: int = 3, count: int = 11) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(words, length, dim).double(), torch.randn(width * dim, count).double()


@pytest.mark.parametrize("width", [1, 3, 9])
def test_values_and_gradients(width: int) -> None:
    characters, kernel = (t.requires_grad_() for t in example(width=width))
    wanted = plain(characters, kernel)
    maxima = filter_maxima(characters, kernel)
    torch.testing.assert_close(maxima, wanted)
    weights = torch.randn_like(wanted)
    found = torch.autograd.grad((maxima * weights).sum(), [characters, kernel])
    expected = torch.autograd.grad((wanted * weights).sum(), [characters, kernel])
    torch.testing.assert_close(found, expected)


def test_ties_share_their_gradient() -> None:
    characters = torch.tensor([[[1.0], [1.0], [0.0]]], requires_grad=True)
    filter_maxima(characters, torch.ones(1, 1)).sum().backward()
    assert characters.grad is not None
    assert characters.grad.flatten().tolist() == [0.5, 0.5, 0.0]


def test_without_gradients_words_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    characters, kernel = example()
    monkeypatch.setattr(char_windows, "_ANSWERS_AT_ONCE", 250)  # two words
    torch.testing.assert_close(filter_maxima(characters, kernel), plain(characters, kernel))


def test_no_words_without_a_gradient() -> None:
    with torch.no_grad():
        assert filter_maxima(torch.zeros(0, 8, 4), torch.ones(12, 5)).shape == (0, 5)


def test_autocast_decides_the_type() -> None:
    characters, kernel = (t.float().requires_grad_() for t in example())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maxima = filter_maxima(characters, kernel)
    assert maxima.dtype == torch.bfloat16
    maxima.float().sum().backward()
    assert characters.grad is not None
    assert characters.grad.dtype == torch.float32
    wanted = torch.autograd.grad(plain(characters, kernel).sum(), kernel)[0]
    assert kernel.grad is not None
    assert torch.nn.functional.cosine_similarity(kernel.grad.flatten(), wanted.flatten(), dim=0) > 0.98


def test_a_second_backward_pass_is_refused() -> None:
    characters, kernel = (t.requires_grad_() for t in example())
    total = filter_maxima(characters, kernel).sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="only once"):
        total.backward()
