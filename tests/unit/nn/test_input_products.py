from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from elmokit.nn import input_products
from elmokit.nn.bilm import BiLM
from elmokit.nn.input_products import InputProducts
from elmokit.nn.lstm import ProjectedLSTM

pytestmark = pytest.mark.usefixtures("code_path")

STEPS = [12, 12, 9, 9, 4, 1, 1]  # more sentences than the way for a few of them takes


def text(*, kinds: int, directions: int = 2) -> tuple[Tensor, Tensor]:
    """Vectors (D, N, 5) of words (D, N) out of so many."""
    generator = torch.Generator().manual_seed(3)
    words = torch.randint(0, kinds, (directions, sum(STEPS)), generator=generator) * 7
    return torch.randn(kinds * 7, 5, generator=generator)[words], words


@pytest.mark.parametrize("kinds", [1, 6, 1000])
@pytest.mark.parametrize("rows", [1, 5, 20, 1000])
def test_every_step_gets_its_own_products(monkeypatch: pytest.MonkeyPatch, kinds: int, rows: int) -> None:
    (x,), (words,) = text(kinds=kinds, directions=1)
    weight, bias = torch.randn(24, 5), torch.randn(24)
    monkeypatch.setattr(input_products, "_NUMBERS", rows * 24)
    monkeypatch.setattr(input_products, "_NUMBERS_OF_WORDS", rows * 24)
    right = x @ weight.t() + bias
    ends = torch.tensor([0, *STEPS]).cumsum(0).tolist()
    for numbers in (None, words):
        products = InputProducts(x, weight, numbers, STEPS, bias=bias)
        for start, stop in pairwise(ends):
            matrix, places = products.of_step(start, stop)
            assert len(matrix) <= max(rows, STEPS[0])
            found = matrix if places is None else matrix[places]
            torch.testing.assert_close(found, right[start:stop])


def test_a_word_is_multiplied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (x,), (words,) = text(kinds=6, directions=1)
    products = InputProducts(x, torch.randn(24, 5), words, STEPS, bias=None)
    matrix, _ = products.of_step(0, STEPS[0])
    assert len(matrix) == 6


@pytest.mark.parametrize("rows", [1, 14, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("given_state", [False, True])
def test_a_layer_that_knows_the_words_computes_the_same(
    monkeypatch: pytest.MonkeyPatch, rows: int, dtype: torch.dtype, given_state: bool
) -> None:
    torch.manual_seed(0)
    module = ProjectedLSTM(input_dim=5, cell_dim=6, projection_dim=4, cell_clip=0.5).to(dtype)
    x, words = text(kinds=9)
    state = (torch.randn(2, STEPS[0], 4), torch.randn(2, STEPS[0], 6)) if given_state else None
    monkeypatch.setattr(input_products, "_NUMBERS_OF_WORDS", rows * 4 * module.cell_dim)
    with torch.inference_mode():
        right, (h, c) = module(x, STEPS, state)
        outputs, (h_last, c_last) = module(x, STEPS, state, words=words)
    tolerance = 1e-6 if dtype == torch.float32 else 0.02
    for found, expected in ((outputs, right), (h_last, h), (c_last, c)):
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_dropout_makes_rows_of_a_word_unlike() -> None:
    torch.manual_seed(0)
    module = BiLM(input_dim=5, cell_dim=6, projection_dim=4, dropout=0.5)
    x, words = text(kinds=2)
    results = []
    for numbers in (None, words):
        torch.manual_seed(1)
        with torch.no_grad():
            results.append(module.forward_packed(x, STEPS, words=numbers)[0][-1])
    torch.testing.assert_close(*results)
    assert not torch.allclose(results[0], module.eval().forward_packed(x, STEPS)[0][-1])
