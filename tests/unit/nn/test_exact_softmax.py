from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn import exact_softmax
from elmokit.nn.exact_softmax import log_sum_exp, negative_log_likelihood

pytestmark = pytest.mark.usefixtures("code_path")


def problem(
    *, rows: int = 9, dim: int = 5, words: int = 23, scale: float = 1.0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    hidden, weight = torch.randn(rows, dim, generator=generator), torch.randn(words, dim, generator=generator)
    targets = torch.randint(0, words, (rows,), generator=generator)
    targets[:2] = torch.tensor([0, words - 1])
    return hidden, targets, scale * weight, torch.randn(words, generator=generator)


@pytest.mark.parametrize(("rows", "words"), [(128, 2048), (4, 7), (1, 1), (9, 23), (2, 22), (128, 12)])
@pytest.mark.parametrize("biased", [True, False])
def test_any_tiles_give_the_cross_entropy(monkeypatch: pytest.MonkeyPatch, rows: int, words: int, biased: bool) -> None:
    monkeypatch.setattr(exact_softmax, "_TILE_ROWS", rows)
    monkeypatch.setattr(exact_softmax, "_TILE_WORDS", words)
    hidden, targets, weight, bias = problem()
    found = negative_log_likelihood(hidden, targets, weight, bias if biased else None)
    logits = functional.linear(hidden.double(), weight.double(), bias.double() if biased else None)
    expected = functional.cross_entropy(logits, targets, reduction="none").float()
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_large_logits_neither_overflow_nor_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_softmax, "_TILE_WORDS", 5)
    hidden, targets, weight, bias = problem(scale=200.0)
    found = negative_log_likelihood(hidden, targets, weight, bias)
    logits = functional.linear(hidden.double(), weight.double(), bias.double())
    torch.testing.assert_close(found, functional.cross_entropy(logits, targets, reduction="none").float())
    assert bool((found > 100).any())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_products_are_in_the_type_of_the_weights_and_the_rest_in_single_precision_at_least(dtype: torch.dtype) -> None:
    hidden, targets, weight, bias = problem()
    found = negative_log_likelihood(hidden.to(dtype), targets, weight.to(dtype), bias.to(dtype))
    assert found.dtype == torch.promote_types(dtype, torch.float32)
    expected = functional.cross_entropy(functional.linear(hidden, weight, bias), targets, reduction="none")
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.05)


def test_autocast_changes_nothing() -> None:
    given = problem()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = negative_log_likelihood(*given)
    assert torch.equal(found, negative_log_likelihood(*given))


def test_no_rows_and_no_words() -> None:
    hidden, targets, weight, bias = problem()
    assert negative_log_likelihood(hidden[:0], targets[:0], weight, bias).shape == (0,)


def test_log_sum_exp() -> None:
    logits = torch.randn(6, 300, generator=torch.Generator().manual_seed(1)) * 5
    torch.testing.assert_close(log_sum_exp(logits), torch.logsumexp(logits, dim=1))
