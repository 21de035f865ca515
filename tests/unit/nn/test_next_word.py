"""Likeliest words and ranks of targets, against the whole distribution."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from elmokit.nn import next_word
from elmokit.nn.softmax import AdaptiveSoftmax, SoftmaxHead, build_head

pytestmark = pytest.mark.usefixtures("code_path")

WORDS, AMONG = 90, 5


def head_of(kind: str, *, tail: float = 1.0) -> SoftmaxHead:
    """A head with random weights; `tail` scales the scores of an adaptive one's clusters."""
    torch.manual_seed(2)
    head = build_head(kind, 8, WORDS, n_samples=20, cutoffs=[12, 40], div_value=2.0).double()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(0, 1)
        if isinstance(head, AdaptiveSoftmax):
            head.adaptive.head.bias[12:] += tail
    return head.eval()


def positions(count: int = 400) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(6)
    hidden = torch.randn(count, 8, generator=generator, dtype=torch.float64)
    return hidden, torch.randint(0, WORDS, (count,), generator=generator)


@pytest.fixture(params=[256, 7, 1], ids=lambda rows: f"{rows} rows")
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_word, "_BLOCK_ROWS", request.param)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("kind", "tail"),
    [("full", 0), ("sampled", 0), ("adaptive", -20), ("adaptive", 0), ("adaptive", 3), ("adaptive", 20)],
)
def test_guesses_are_those_of_the_whole_distribution(kind: str, tail: float) -> None:
    """Whether clusters contain nothing, some or all of the probability."""
    head = head_of(kind, tail=tail)
    hidden, targets = positions()
    found = head.guesses(hidden, targets, among=AMONG)
    log_probs = head.log_probs(hidden).detach()
    own = log_probs.gather(1, targets[:, None])
    above = (log_probs > own).sum(dim=1)
    torch.testing.assert_close(found.nll, -own[:, 0])
    assert torch.equal(found.best, log_probs.argmax(dim=1))
    assert torch.equal(found.above.clamp_max(AMONG), above.clamp_max(AMONG))
    assert bool((above < AMONG).any())
    assert bool((above >= AMONG).any())


def test_a_likeliest_word_of_each_cluster_is_its_own_target() -> None:
    head = head_of("adaptive", tail=3)
    hidden, _ = positions()
    best = head.log_probs(hidden).argmax(dim=1)
    found = head.guesses(hidden, best, among=AMONG)
    assert torch.equal(found.best, best)
    assert not bool(found.above.any())
    assert bool((best >= 40).any())
    assert bool(((best >= 12) & (best < 40)).any())


@pytest.mark.parametrize("kind", ["full", "adaptive"])
def test_no_positions(kind: str) -> None:
    found = head_of(kind).guesses(torch.zeros(0, 8).double(), torch.zeros(0, dtype=torch.long), among=AMONG)
    assert [part.shape for part in found] == [(0,)] * 3


def test_many_words_in_few_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary larger than the room for logits is read row by row."""
    head, (hidden, targets) = head_of("adaptive"), positions(30)
    whole = head.guesses(hidden, targets, among=AMONG)
    monkeypatch.setattr(next_word, "_MOST_LOGITS", 10)
    for one, other in zip(head.guesses(hidden, targets, among=AMONG), whole, strict=True):
        torch.testing.assert_close(one, other)


def test_single_precision_and_autocast() -> None:
    head, (hidden, targets) = head_of("adaptive").float(), positions()
    found = head.guesses(hidden.float(), targets, among=AMONG)
    assert found.nll.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = head.guesses(hidden.float(), targets, among=AMONG)
    torch.testing.assert_close(again.nll, found.nll)
