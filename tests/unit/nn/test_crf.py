"""The CRF against brute force: every tag sequence of short sentences."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.crf import LinearChainCRF


def crf(n_tags: int, seed: int = 0, **settings: Any) -> LinearChainCRF:
    torch.manual_seed(seed)
    module = LinearChainCRF(n_tags, **settings).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module


def by_hand(module: LinearChainCRF, emissions: torch.Tensor, tags: tuple[int, ...]) -> float:
    """The score of one sequence, term by term."""
    if not tags:
        return 0.0
    total = float(module.start.detach()[tags[0]] + module.forbidden_start[tags[0]])
    total += float(module.end.detach()[tags[-1]] + module.forbidden_end[tags[-1]])
    total += sum(float(emissions[place, tag]) for place, tag in enumerate(tags))
    steps = module.transitions.detach() + module.forbidden
    return total + sum(float(steps[one, two]) for one, two in pairwise(tags))


@given(lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4), n_tags=st.integers(1, 4), seed=st.integers(0, 99))
def test_partition_score_and_decoding_by_enumeration(lengths: list[int], n_tags: int, seed: int) -> None:
    module = crf(n_tags, seed)
    emissions = torch.randn(len(lengths), max(lengths), n_tags, dtype=torch.float64)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    tags = torch.randint(n_tags, (len(lengths), max(lengths)))
    scores, partition = module.score(emissions, tags, mask).detach(), module.partition(emissions, mask).detach()
    best = module.n_best(emissions, mask, 3)
    marginals = module.max_marginals(emissions, mask)
    for row, length in enumerate(lengths):
        every = {
            each: by_hand(module, emissions[row], each) for each in product(range(n_tags), repeat=length)
        }  # fmt: skip
        for place, tag in product(range(length), range(n_tags)):
            through = max(score for each, score in every.items() if each[place] == tag)
            assert float(marginals[row, place, tag]) == pytest.approx(through, abs=1e-9)
        assert marginals[row, :length].argmax(dim=1).tolist() == best[row][0].tags
        assert not marginals[row, length:].any()
        assert float(scores[row]) == pytest.approx(every[tuple(tags[row, :length].tolist())], abs=1e-9)
        expected = float(torch.tensor(list(every.values()), dtype=torch.float64).logsumexp(0)) if length else 0.0
        assert float(partition[row]) == pytest.approx(expected, abs=1e-9)
        ranked = sorted(every, key=lambda each: -every[each])[:3]
        assert [tuple(found.tags) for found in best[row]] == ranked
        assert [found.score for found in best[row]] == pytest.approx([every[each] for each in ranked], abs=1e-9)
    assert module.decode(emissions, mask) == [found[0].tags for found in best]


def test_padding_changes_nothing() -> None:
    module, emissions = crf(3), torch.randn(2, 3, 3, dtype=torch.float64)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    wide = torch.cat([emissions, torch.full((2, 4, 3), 1e6, dtype=torch.float64)], dim=1)
    wider = torch.cat([mask, torch.zeros(2, 4, dtype=torch.bool)], dim=1)
    tags = torch.tensor([[0, 1, 2, 2, 2, 2, 2], [1, 0, 0, 2, 2, 2, 2]])
    torch.testing.assert_close(module(wide, tags, wider), module(emissions, tags[:, :3], mask))
    assert module.decode(wide, wider) == module.decode(emissions, mask)


def test_what_is_forbidden_is_never_decoded_and_has_no_probability() -> None:
    allowed = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])
    module = crf(3, allowed=allowed, allowed_start=torch.tensor([True, False, False]))
    emissions = torch.randn(20, 5, 3, dtype=torch.float64) * 5
    mask = torch.ones(20, 5, dtype=torch.bool)
    for sequences in module.n_best(emissions, mask, 4):
        for found in sequences:
            assert found.tags[0] == 0
            assert (0, 2) not in pairwise(found.tags)
    bad = torch.tensor([[0, 2, 2, 2, 2]]).expand(20, -1)
    assert bool((module(emissions, bad, mask) < -1000).all())
    every: torch.Tensor = sum(  # type: ignore[assignment]
        module(emissions[:1], torch.tensor([each]), mask[:1]).exp() for each in product(range(3), repeat=5)
    )  # fmt: skip
    assert float(every.detach()) == pytest.approx(1.0)


def test_gradients() -> None:
    module, emissions = crf(3), torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    tags = torch.tensor([[0, 1, 2, 0], [2, 2, 0, 0]])
    parameters = (module.transitions, module.start, module.end)

    def likelihood(emissions: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return module(emissions, tags, mask)

    assert torch.autograd.gradcheck(likelihood, (emissions, *parameters))


def test_it_learns_a_rule_that_no_word_shows() -> None:
    """The tags alternate, the emissions say nothing: transitions alone must hold it."""
    torch.manual_seed(0)
    module = LinearChainCRF(2)
    tags = torch.tensor([[0, 1, 0, 1, 0], [1, 0, 1, 0, 1]])
    emissions, mask = torch.zeros(2, 5, 2), torch.ones(2, 5, dtype=torch.bool)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        (-module(emissions, tags, mask).mean()).backward()
        optimizer.step()
    emissions[0, 0, 0] = emissions[1, 0, 1] = 1.0
    assert module.decode(emissions, mask) == tags.tolist()


def test_wrong_shapes_are_told() -> None:
    with pytest.raises(ValueError, match=r"emissions is \(1, 2, 4\); expected \(sentences, words, 3\)"):
        crf(3).partition(torch.zeros(1, 2, 4), torch.ones(1, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"mask is \(1, 3\)"):
        crf(3).partition(torch.zeros(1, 2, 3), torch.ones(1, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"allowed is \(2, 2\); expected \(3, 3\)"):
        crf(3, allowed=torch.ones(2, 2, dtype=torch.bool))
