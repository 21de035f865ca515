from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn import cross_entropy
from elmokit.nn.softmax import AdaptiveSoftmax, FullSoftmax, SampledSoftmax, SoftmaxHead, build_head, default_cutoffs


@pytest.fixture(
    params=[(1 << 24, 1 << 24), (130, 1 << 24), (130, 200), (1, 0)],
    ids=["one chunk", "chunks of 2 rows", "the first two rows kept", "chunks of 1 row, none kept"],
)
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_entropy, "_CHUNK_LOGITS", request.param[0])
    monkeypatch.setattr(cross_entropy, "_KEPT_LOGITS", request.param[1])


def batch(rows: int = 7, *, hidden_dim: int = 5, vocab_size: int = 50) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    hidden = torch.randn(rows, hidden_dim, generator=generator, dtype=torch.float64)
    return hidden.requires_grad_(), torch.randint(0, vocab_size, (rows,), generator=generator)


def seeded(head: SoftmaxHead) -> Any:
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(0, 0.5)
    return head.double()


# Full ----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("chunk")
def test_full_softmax_is_cross_entropy() -> None:
    """Each loss and each gradient, whatever the chunks."""
    head: FullSoftmax = seeded(FullSoftmax(5, 50))
    hidden, targets = batch()
    weights = torch.rand(7, dtype=torch.float64)  # masked or weighted losses are the caller's business
    losses = head.loss(hidden, targets)
    logits = functional.linear(hidden, head.weight, head.bias)
    reference = functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(losses, reference, rtol=0, atol=1e-12)
    leaves = [hidden, head.weight, head.bias]
    theirs = torch.autograd.grad((reference * weights).sum(), leaves)
    for _ in range(2):  # the first pass uses up what was kept for it
        ours = torch.autograd.grad((losses * weights).sum(), leaves, retain_graph=True)
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("chunk")
def test_full_softmax_in_evaluation() -> None:
    head: FullSoftmax = seeded(FullSoftmax(5, 50)).eval()
    hidden, targets = batch()
    reference = functional.cross_entropy(functional.linear(hidden, head.weight, head.bias), targets, reduction="none")
    with torch.no_grad():
        torch.testing.assert_close(head.loss(hidden, targets), reference.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(head.nll(hidden, targets), reference.detach(), rtol=0, atol=1e-12)
    assert not head.nll(hidden, targets).requires_grad


@pytest.mark.parametrize("kind", ["full", "sampled", "adaptive"])
@pytest.mark.parametrize("vocab_size", [3, 4, 10, 100])
def test_no_rows(kind: str, vocab_size: int) -> None:
    cutoffs = [50] if vocab_size == 100 else None
    head = build_head(kind, 8, vocab_size, n_samples=5, cutoffs=cutoffs)
    hidden, targets = torch.zeros(0, 8, requires_grad=True), torch.zeros(0, dtype=torch.long)
    losses = head.loss(hidden, targets)
    assert losses.shape == (0,)
    losses.sum().backward()
    assert head.nll(hidden, targets).shape == (0,)


# Sampled -------------------------------------------------------------------------------------------------------------


def test_draws_are_distinct_and_as_many_as_wanted() -> None:
    head = SampledSoftmax(4, 60, n_samples=20)
    torch.manual_seed(0)
    for _ in range(50):
        negatives, tries = head._draw(torch.device("cpu"))
        assert len(negatives) == len(negatives.unique()) == 20
        assert 0 <= int(negatives.min()) <= int(negatives.max()) < 60
        assert tries >= 20


def test_expected_counts_agree_with_simulation() -> None:
    """Of distinct log-uniform draws: how often each word is among them, against the formula at each draw's tries."""
    head = SampledSoftmax(4, 60, n_samples=20).double()
    torch.manual_seed(1)
    drawn, expected, draws = torch.zeros(60), torch.zeros(60, dtype=torch.float64), 4000
    for _ in range(draws):
        negatives, tries = head._draw(torch.device("cpu"))
        drawn[negatives] += 1
        expected += head._log_expected(torch.arange(60), tries).exp()
    share, formula = drawn / draws, (expected / draws).float()
    assert share.sum().item() == pytest.approx(20)
    assert formula.sum().item() == pytest.approx(20, rel=0.02)
    torch.testing.assert_close(formula, share, rtol=0.03, atol=0.03)
    # tries · p, right for draws with repetition, would give the first word several times its share.
    assert share[0] <= 1 < 3 * share[0] < 20 * math.log(2) / math.log(61) * 2


def test_sampled_loss_by_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accidental hits are removed, every logit is corrected by the log of its expected count."""
    head: SampledSoftmax = seeded(SampledSoftmax(5, 50, n_samples=6))
    hidden, targets = batch(3)
    targets = torch.tensor([4, 9, 30])
    negatives = torch.tensor([0, 4, 9, 17, 20, 49])  # two accidental hits
    monkeypatch.setattr(head, "_draw", lambda device: (negatives, 31))
    losses = head.loss(hidden, targets)
    for row, target in enumerate(targets.tolist()):
        words = [target] + [word for word in negatives.tolist() if word != target]
        scores = []
        for word in words:
            probability = math.log((word + 2) / (word + 1)) / math.log(51)
            expected = 1 - (1 - probability) ** 31
            scores.append((hidden[row] @ head.weight[word] + head.bias[word]).item() - math.log(expected))
        reference = math.log(sum(map(math.exp, scores))) - scores[0]
        assert losses[row].item() == pytest.approx(reference, rel=1e-5)


def test_sampled_gradient_reaches_target_and_negatives_only(monkeypatch: pytest.MonkeyPatch) -> None:
    head: SampledSoftmax = seeded(SampledSoftmax(5, 50, n_samples=3))
    hidden, _ = batch(1)
    monkeypatch.setattr(head, "_draw", lambda device: (torch.tensor([1, 2, 7]), 5))
    head.loss(hidden, torch.tensor([7])).sum().backward()
    touched = head.weight.grad.abs().sum(1).nonzero()[:, 0].tolist()
    assert touched == [1, 2, 7]


def test_sampled_softmax_is_exact_in_evaluation_and_when_it_would_draw_every_word() -> None:
    head: SampledSoftmax = seeded(SampledSoftmax(5, 50, n_samples=8192))
    hidden, targets = batch()
    reference = functional.cross_entropy(functional.linear(hidden, head.weight, head.bias), targets, reduction="none")
    torch.testing.assert_close(head.loss(hidden, targets), reference, rtol=0, atol=1e-12)
    head = seeded(SampledSoftmax(5, 50, n_samples=5)).eval()
    torch.testing.assert_close(head.loss(hidden, targets), reference.detach(), rtol=0, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(head.train().loss(hidden, targets), reference.detach(), rtol=0, atol=1e-12)


def trained_perplexity(head: SoftmaxHead, contexts: Tensor, targets: Tensor) -> float:
    """Full-softmax perplexity after the same training for every head; contexts are one-hot."""
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=600)
    generator = torch.Generator().manual_seed(6)
    for _ in range(600):
        rows = torch.randint(0, len(targets), (256,), generator=generator)
        optimizer.zero_grad()
        head.loss(contexts[rows], targets[rows]).mean().backward()
        optimizer.step()
        schedule.step()
    return math.exp(head.eval().nll(contexts, targets).mean().item())


def test_training_with_samples_reaches_the_perplexity_of_full_training() -> None:
    """The over-correction of frequent words (tries · p for distinct draws) fails here by far."""
    torch.manual_seed(7)
    vocab_size, n_contexts = 200, 4
    zipf = 1 / torch.arange(1, vocab_size + 1)
    favourites = torch.rand(n_contexts, vocab_size).pow(4) * 8 + 0.2  # each context likes other words
    rows = torch.randint(0, n_contexts, (20_000,))
    targets = torch.multinomial(zipf * favourites, 20_000 // n_contexts, replacement=True)  # (contexts, draws)
    rows, targets = torch.arange(n_contexts).repeat_interleave(targets.shape[1]), targets.flatten()
    contexts = torch.eye(n_contexts)[rows] * 3
    torch.manual_seed(8)
    full = trained_perplexity(FullSoftmax(n_contexts, vocab_size), contexts, targets)
    torch.manual_seed(8)
    sampled = trained_perplexity(SampledSoftmax(n_contexts, vocab_size, n_samples=60), contexts, targets)
    torch.manual_seed(8)
    wrong = SampledSoftmax(n_contexts, vocab_size, n_samples=60)
    wrong._log_expected = over_corrected.__get__(wrong)  # type: ignore[method-assign]
    overdone = trained_perplexity(wrong, contexts, targets)
    assert full < 0.5 * vocab_size  # there is something to learn
    assert sampled == pytest.approx(full, rel=0.04)
    assert overdone > 1.3 * full


def over_corrected(head: SampledSoftmax, ids: Tensor, tries: int) -> Tensor:
    """The mistake: the expected count of draws with repetition."""
    k = ids.double()
    return torch.log(tries * torch.log((k + 2) / (k + 1)) / math.log(head.vocab_size + 1)).to(head.weight.dtype)


# Adaptive ------------------------------------------------------------------------------------------------------------


def test_adaptive_distribution_and_loss_agree() -> None:
    head: AdaptiveSoftmax = seeded(AdaptiveSoftmax(8, 100, cutoffs=[20, 60]))
    hidden, targets = batch(40, hidden_dim=8, vocab_size=100)
    log_probs = head.log_probs(hidden)
    assert log_probs.shape == (40, 100)
    torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(40, dtype=torch.float64), rtol=0, atol=1e-12)
    chosen = -log_probs.gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(head.loss(hidden, targets), chosen, rtol=0, atol=1e-12)
    torch.testing.assert_close(head.eval().nll(hidden, targets), chosen.detach(), rtol=0, atol=1e-12)
    ours = torch.autograd.grad(head.loss(hidden, targets).sum(), [hidden, *head.parameters()])
    theirs = torch.autograd.grad(chosen.sum(), [hidden, *head.parameters()])
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("rows", [1, 5])
def test_adaptive_with_rows_of_one_cluster_only(rows: int) -> None:
    head: AdaptiveSoftmax = seeded(AdaptiveSoftmax(8, 100, cutoffs=[20, 60]))
    hidden, _ = batch(rows, hidden_dim=8)
    for word in (0, 19, 20, 59, 60, 99):
        targets = torch.full((rows,), word)
        torch.testing.assert_close(head.loss(hidden, targets), -head.log_probs(hidden)[:, word], rtol=0, atol=1e-12)


# Common --------------------------------------------------------------------------------------------------------------


def test_default_cutoffs_leave_room_behind_them() -> None:
    assert default_cutoffs(3) == default_cutoffs(100) == default_cutoffs(4_000) == []
    assert default_cutoffs(4_002) == default_cutoffs(20_000) == [2_000]
    assert default_cutoffs(20_002) == default_cutoffs(793_471) == [2_000, 10_000]


@pytest.mark.parametrize("vocab_size", [3, 4, 10])
@pytest.mark.parametrize("kind", ["full", "sampled", "adaptive"])
@pytest.mark.parametrize("n_samples", [2, 8192])
def test_tiny_vocabularies(vocab_size: int, kind: str, n_samples: int) -> None:
    torch.manual_seed(9)
    head = build_head(kind, 6, vocab_size, n_samples=n_samples)
    hidden, targets = torch.randn(20, 6, requires_grad=True), torch.randint(0, vocab_size, (20,))
    losses = head.loss(hidden, targets)
    assert losses.shape == (20,)
    assert bool(losses.isfinite().all())
    losses.mean().backward()
    assert hidden.grad is not None
    assert bool(hidden.grad.isfinite().all())
    head.eval()
    torch.testing.assert_close(head.log_probs(hidden).exp().sum(1), torch.ones(20))
    chosen = -head.log_probs(hidden).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(head.nll(hidden, targets), chosen.detach())


def test_very_unlikely_words_have_a_finite_loss() -> None:
    """Their probability is 0 in single precision, the loss is not."""
    head = FullSoftmax(2, 3)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[300.0, 0.0], [0.0, 0.0], [-300.0, 0.0]]))
    hidden = torch.ones(2, 2, requires_grad=True)
    torch.testing.assert_close(head.loss(hidden, torch.tensor([2, 0])), torch.tensor([600.0, 0.0]))


def _wordy(kind: str, vocab_size: int = 120) -> tuple[SoftmaxHead, Tensor]:
    """A softmax whose words differ in frequency, and hidden vectors with a mean."""
    torch.manual_seed(11)
    head = build_head(kind, 16, vocab_size, n_samples=40, cutoffs=[20, 60], div_value=1.0)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(0, 0.5)
    return head, torch.randn(400, 16) + 0.5


def _divergence(one: SoftmaxHead, other: SoftmaxHead, hidden: Tensor) -> float:
    expected = one.log_probs(hidden).detach()
    return float((expected.exp() * (expected - other.log_probs(hidden).detach())).sum(1).mean())


@pytest.mark.parametrize("kind", ["full", "sampled", "adaptive"])
@pytest.mark.parametrize("other", ["full", "sampled", "adaptive"])
def test_one_head_starts_from_another(kind: str, other: str) -> None:
    head, hidden = _wordy(kind)
    torch.manual_seed(12)
    new = build_head(other, 16, 120, n_samples=40, cutoffs=[20, 60], div_value=1.0)
    before = _divergence(head, new, hidden)
    new.start_from(*head.scores(hidden), hidden)
    after = _divergence(head, new, hidden)
    if "adaptive" in (kind, other):  # the sums of the clusters are made linear
        assert after < 0.25 * before
    else:
        assert after == pytest.approx(0, abs=1e-6)


def test_a_cluster_of_fewer_words_than_its_rank_starts_from_another_head() -> None:
    head, hidden = _wordy("full", vocab_size=8)
    new = AdaptiveSoftmax(16, 8, cutoffs=[3, 6], div_value=1.0)
    new.start_from(*head.scores(hidden), hidden)
    assert _divergence(head, new, hidden) < 0.5
    assert all(bool(parameter.isfinite().all()) for parameter in new.parameters())


def test_build_head_picks_by_name() -> None:
    assert isinstance(build_head("adaptive", 8, 5_000), AdaptiveSoftmax)
    assert type(build_head("adaptive", 8, 50)) is FullSoftmax
    assert isinstance(build_head("adaptive", 8, 50, cutoffs=[20]), AdaptiveSoftmax)
    assert isinstance(build_head("sampled", 8, 5_000), SampledSoftmax)
    assert type(build_head("full", 8, 5_000)) is FullSoftmax


@pytest.mark.parametrize("kind", ["full", "sampled", "adaptive"])
def test_heads_train_under_autocast(kind: str) -> None:
    torch.manual_seed(10)
    head = build_head(kind, 16, 300, n_samples=40, cutoffs=[100])
    hidden, targets = torch.randn(30, 16, requires_grad=True), torch.randint(0, 300, (30,))
    exact = head.nll(hidden, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = head.loss(hidden.bfloat16(), targets)
        rough = head.nll(hidden.bfloat16(), targets)
    losses.float().mean().backward()
    assert bool(hidden.grad.isfinite().all())
    torch.testing.assert_close(rough.float(), exact, rtol=0.02, atol=0.05)
