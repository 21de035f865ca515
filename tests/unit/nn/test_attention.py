"""Attention against loops over single words, and untouched by padding."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.attention import BidirectionalAttention, SelfAttention, TrilinearSimilarity, masked_softmax

DIM = 3


def similar(module: TrilinearSimilarity, x: torch.Tensor, y: torch.Tensor) -> float:
    """One pair of words, as eq. 1 of Seo et al. writes it: w · [x; y; x ∘ y]."""
    weights = torch.cat([module.first, module.second, module.product])
    return float(weights @ torch.cat([x, y, x * y]))


def softmax(values: list[float]) -> list[float]:
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    return [power / sum(powers) for power in powers]


def weighed(weights: list[float], words: torch.Tensor) -> torch.Tensor:
    return sum((weight * word for weight, word in zip(weights, words, strict=True)), torch.zeros(DIM))


def bidirectional(module: BidirectionalAttention, passage: torch.Tensor, question: torch.Tensor) -> torch.Tensor:
    """One passage and its question, word by word."""
    table = [[similar(module.similarity, h, u) for u in question] for h in passage]
    summary = weighed(softmax([max(row) for row in table]), passage)
    rows = []
    for h, row in zip(passage, table, strict=True):
        u = weighed(softmax(row), question)
        rows.append(torch.cat([h, u, h * u, h * summary]))
    return torch.stack(rows)


def attending(module: SelfAttention, words: torch.Tensor) -> torch.Tensor:
    rows = []
    for place, h in enumerate(words):
        others = torch.cat([words[:place], words[place + 1 :]])
        scores = [similar(module.similarity, h, other) for other in others]
        a = weighed(softmax(scores), others) if scores else torch.zeros(DIM)
        rows.append(torch.cat([h, a, h * a]))
    return torch.stack(rows)


def padded(rows: list[torch.Tensor], *, filling: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Padding that would be seen if anything read it."""
    width = max(len(row) for row in rows) + 1
    batch = torch.full((len(rows), width, DIM), filling)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for number, row in enumerate(rows):
        batch[number, : len(row)], mask[number, : len(row)] = row, True
    return batch, mask


LENGTHS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=3)


@given(lengths=LENGTHS, seed=st.integers(0, 1000))
def test_both_directions_by_hand(lengths: list[tuple[int, int]], seed: int) -> None:
    torch.manual_seed(seed)
    module = BidirectionalAttention(DIM)
    passages, questions = ([torch.randn(pair[place], DIM) for pair in lengths] for place in (0, 1))
    passage, passage_mask = padded(passages, filling=7.0)
    question, question_mask = padded(questions, filling=9.0)
    with torch.no_grad():
        joined = module(passage, question, passage_mask, question_mask)
        for row, h, u in zip(joined, passages, questions, strict=True):
            torch.testing.assert_close(row[: len(h)], bidirectional(module, h, u), atol=1e-5, rtol=1e-5)
            assert not row[len(h) :].any()


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_self_attention_by_hand(lengths: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    module = SelfAttention(DIM)
    texts = [torch.randn(length, DIM) for length in lengths]
    words, mask = padded(texts, filling=7.0)
    with torch.no_grad():
        joined = module(words, mask)
        for row, text in zip(joined, texts, strict=True):
            torch.testing.assert_close(row[: len(text)], attending(module, text), atol=1e-5, rtol=1e-5)
            assert not row[len(text) :].any()


def test_a_question_without_words_adds_nothing() -> None:
    torch.manual_seed(0)
    passage, question = torch.randn(1, 2, DIM), torch.randn(1, 2, DIM)
    mask = torch.ones(1, 2, dtype=torch.bool)
    joined = BidirectionalAttention(DIM)(passage, question, mask, ~mask)
    torch.testing.assert_close(joined[..., :DIM], passage)
    assert not joined[..., DIM:].any()


def test_gradients_are_finite_where_all_is_masked() -> None:
    scores = torch.randn(2, 3, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    weights = masked_softmax(scores, mask)
    assert weights.sum(dim=1).tolist() == [pytest.approx(1.0), 0.0]
    weights.square().sum().backward()
    assert scores.grad is not None
    assert bool(scores.grad.isfinite().all())
    assert not scores.grad[1].any()
