"""Beam search finds what exhaustive search finds, for each sentence as if it were alone."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from elmokit.nn.beam_search import Hypothesis, LengthNorm, Step, beam_search, normalised

BEGIN, END = 0, 1


def table(sentences: int, vocabulary: int, *, seed: int, sharpness: float = 2.0) -> Tensor:
    """(B, V, V, V) log-probabilities of a piece after the last two."""
    torch.manual_seed(seed)
    return torch.log_softmax(sharpness * torch.randn(sentences, vocabulary, vocabulary, vocabulary), dim=-1)


def model(log_probabilities: Tensor) -> tuple[Step, tuple[Tensor, ...]]:
    """A second-order Markov model: its state is the piece before the last, so a wrong reordering shows."""

    def step(pieces: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        (before,) = state
        rows = torch.arange(len(pieces)).unsqueeze(1)
        return log_probabilities[rows, before[..., 0], pieces], (pieces.unsqueeze(2),)

    return step, (torch.zeros(len(log_probabilities), 1, 1, dtype=torch.long),)


def exhaustive(table: Tensor, limit: int, *, norm: LengthNorm, power: float) -> list[Hypothesis]:
    """All sequences of one sentence, the best first."""
    found = []
    for length in range(1, limit + 1):
        for pieces in itertools.product(range(2, table.shape[-1]), repeat=length - 1):
            path = [BEGIN, BEGIN, *pieces, END]
            score = sum(float(table[a, b, c]) for a, b, c in zip(path, path[1:], path[2:], strict=False))
            found.append(Hypothesis(normalised(score, length, norm=norm, power=power), list(pieces)))
    return sorted(found, reverse=True)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000), vocabulary=st.integers(3, 5),
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    norm=st.sampled_from(["gnmt", "length"]), power=st.sampled_from([0.0, 0.6, 1.0]),
)  # fmt: skip
def test_a_wide_beam_is_exhaustive_search(
    seed: int, vocabulary: int, limits: list[int], norm: LengthNorm, power: float
) -> None:
    tables = table(len(limits), vocabulary, seed=seed)
    step, state = model(tables)
    found = beam_search(step, state, begin=BEGIN, end=END, beam=200, max_lengths=limits, norm=norm, power=power)
    for sentence, hypotheses, limit in zip(tables, found, limits, strict=True):
        expected = exhaustive(sentence, limit, norm=norm, power=power)
        assert [each.pieces for each in hypotheses] == [each.pieces for each in expected]
        assert [each.score for each in hypotheses] == pytest.approx([each.score for each in expected], abs=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), beam=st.integers(1, 4), limits=st.lists(st.integers(1, 9), min_size=2, max_size=4))
def test_a_sentence_does_not_see_its_neighbours(seed: int, beam: int, limits: list[int]) -> None:
    tables = table(len(limits), 6, seed=seed)
    step, state = model(tables)
    together = beam_search(step, state, begin=BEGIN, end=END, beam=beam, max_lengths=limits)
    for number, limit in enumerate(limits):
        step, state = model(tables[number : number + 1])
        assert beam_search(step, state, begin=BEGIN, end=END, beam=beam, max_lengths=[limit]) == [together[number]]
        assert 1 <= len(together[number]) <= beam
        assert all(len(each.pieces) < limit for each in together[number])


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy(seed: int) -> None:
    tables = table(1, 6, seed=seed)
    path = [BEGIN, BEGIN]
    while len(path) < 9:
        choices = tables[0, path[-2], path[-1]].clone()
        choices[BEGIN] = -torch.inf
        if (best := int(choices.argmax())) == END:
            break
        path.append(best)
    step, state = model(tables)
    ((found,),) = beam_search(step, state, begin=BEGIN, end=END, beam=1, max_lengths=[8])
    assert found.pieces == path[2:]


def test_length_normalisation_prefers_longer_ones() -> None:
    assert normalised(-3.0, 4, norm="length", power=1.0) == -0.75
    assert normalised(-3.0, 7, norm="gnmt", power=1.0) == -1.5
    assert normalised(-3.0, 7, norm="gnmt", power=0.0) == -3.0


def test_mistakes_are_told_and_nothing_is_nothing() -> None:
    step, state = model(table(1, 3, seed=0))
    with pytest.raises(ValueError, match="beam is 0"):
        beam_search(step, state, begin=BEGIN, end=END, beam=0, max_lengths=[3])
    assert beam_search(step, state, begin=BEGIN, end=END, beam=2, max_lengths=[]) == []
