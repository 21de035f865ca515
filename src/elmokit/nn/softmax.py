"""Language-model heads over a large vocabulary: full, sampled and adaptive softmax with one surface.

Each has ``loss(hidden, targets)``, the training loss of every position, and ``log_probs(hidden)``, the exact
distribution over the whole vocabulary; ``nll`` reads targets off that distribution in chunks of bounded memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_CHUNK_LOGITS = 1 << 24
"""Logits held at a time (64 MB in float32)."""


def rows_at_once(vocab_size: int) -> int:
    """Positions whose logits are held together."""
    return max(1, _CHUNK_LOGITS // vocab_size)


class SoftmaxHead(nn.Module):
    """What the three heads share. Vocabulary ids go by falling count (0, 1, 2 are ``<S>``, ``</S>``, ``<UNK>``)."""

    def __init__(self, hidden_dim: int, vocab_size: int) -> None:
        super().__init__()
        self.hidden_dim, self.vocab_size = hidden_dim, vocab_size

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """hidden (N, H) and targets (N,) to the training loss of each position (N,), in nats."""
        raise NotImplementedError

    def log_probs(self, hidden: Tensor) -> Tensor:
        """hidden (N, H) to log-probabilities (N, V)."""
        raise NotImplementedError

    @torch.no_grad()
    def nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Exact negative log-likelihood of each target, (N,) in nats."""
        rows = rows_at_once(self.vocab_size)
        parts = [
            -self.log_probs(h).gather(1, t[:, None])[:, 0]
            for h, t in zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
        ]
        return torch.cat(parts) if parts else hidden.new_zeros(0)


class FullSoftmax(SoftmaxHead):
    """The exact softmax; logits are computed, used for the gradient and dropped chunk by chunk."""

    def __init__(self, hidden_dim: int, vocab_size: int) -> None:
        super().__init__(hidden_dim, vocab_size)
        self.weight = nn.Parameter(torch.empty(vocab_size, hidden_dim))
        self.bias = nn.Parameter(torch.empty(vocab_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """N(0, 1/√H) as bilm-tf."""
        with torch.no_grad():
            self.weight.normal_(0, self.hidden_dim**-0.5)
            self.bias.zero_()

    def log_probs(self, hidden: Tensor) -> Tensor:
        return functional.log_softmax(functional.linear(hidden, self.weight, self.bias).float(), dim=1)

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return self.nll(hidden, targets)
        losses: Tensor = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
            hidden.to(self.weight.dtype), targets, self.weight, self.bias
        )
        return losses


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Cross-entropy of each row without holding all logits: the backward pass computes each chunk's again.

    Only the last chunk's probabilities stay until then. Mostly it is the only one, and a tenth of a small model's step
    is saved.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        losses = []
        rows = rows_at_once(len(weight))
        log_probs = hidden.new_empty(0, len(weight))
        for h, t in zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True):
            log_probs = torch.addmm(bias, h, weight.t()).log_softmax(dim=1, dtype=weight.dtype)
            losses.append(log_probs.gather(1, t[:, None])[:, 0].neg_())
        ctx.save_for_backward(hidden, targets, weight, bias)
        ctx.last_probs = log_probs.exp_()
        return torch.cat(losses) if losses else hidden.new_zeros(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        hidden, targets, weight, bias = ctx.saved_tensors
        last, ctx.last_probs = ctx.last_probs, None  # used up below; a second backward pass computes it again
        grad_hidden, grad_weight, grad_bias = torch.empty_like(hidden), torch.zeros_like(weight), torch.zeros_like(bias)
        rows = rows_at_once(len(weight))
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            h = hidden[part]
            kept = last if start + rows >= len(hidden) else None
            scores = torch.addmm(bias, h, weight.t()).softmax(dim=1) if kept is None else kept
            scores[torch.arange(len(scores), device=scores.device), targets[part]] -= 1
            scores *= grad[part, None]
            torch.mm(scores, weight, out=grad_hidden[part])
            grad_weight.addmm_(scores.t(), h)
            grad_bias += scores.sum(0)
        return grad_hidden, None, grad_weight, grad_bias


class SampledSoftmax(FullSoftmax):
    """Softmax over the target and ``n_samples`` distinct log-uniform negatives, as TensorFlow's (Jean et al. 2015).

    Logits are corrected by the log of the expected count; for distinct draws that is −expm1(tries · log1p(−p)), p the
    log-uniform probability of the word. Negatives equal to a row's target are removed. ``log_probs`` and ``nll`` are
    exact.
    """

    def __init__(self, hidden_dim: int, vocab_size: int, *, n_samples: int) -> None:
        super().__init__(hidden_dim, vocab_size)
        self.n_samples = min(n_samples, vocab_size)

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        if not torch.is_grad_enabled() or not self.training:
            return self.nll(hidden, targets)
        if self.n_samples == self.vocab_size:  # every word: nothing to sample, and drawing the last ones takes long
            return super().loss(hidden, targets)
        negatives, tries = self._draw(hidden.device)
        true_bias = self.bias[targets] - self._log_expected(targets, tries)
        true = (hidden * self.weight[targets]).sum(1) + true_bias  # (N,)
        bias = self.bias[negatives] - self._log_expected(negatives, tries)
        scores = functional.linear(hidden, self.weight[negatives], bias)  # (N, K)
        scores = scores.masked_fill(targets[:, None] == negatives[None, :], -math.inf)
        together = torch.cat([true[:, None], scores], dim=1).float()
        return torch.logsumexp(together, dim=1) - together[:, 0]

    def _draw(self, device: torch.device) -> tuple[Tensor, int]:
        """``n_samples`` distinct ids in the order they were first drawn, and how many draws that took."""
        draws = torch.empty(0, dtype=torch.long)
        while True:
            uniform = torch.rand(2 * self.n_samples, dtype=torch.float64)
            more = (uniform * math.log(self.vocab_size + 1)).exp().long() - 1
            draws = torch.cat([draws, more.clamp_(0, self.vocab_size - 1)])
            distinct, inverse = torch.unique(draws, return_inverse=True)
            if len(distinct) >= self.n_samples:
                break
        first = torch.full_like(distinct, len(draws)).scatter_reduce(0, inverse, torch.arange(len(draws)), "amin")
        first, order = first.sort()
        return distinct[order[: self.n_samples]].to(device), int(first[self.n_samples - 1]) + 1

    def _log_expected(self, ids: Tensor, tries: int) -> Tensor:
        k = ids.double()
        probability = torch.log((k + 2) / (k + 1)) / math.log(self.vocab_size + 1)
        return torch.log(-torch.expm1(tries * torch.log1p(-probability))).to(self.weight.dtype)


class AdaptiveSoftmax(SoftmaxHead):
    """Frequent words in a short list, rarer ones in clusters of ever smaller vectors (Grave et al. 2017); exact."""

    def __init__(self, hidden_dim: int, vocab_size: int, *, cutoffs: Sequence[int], div_value: float = 2.0) -> None:
        super().__init__(hidden_dim, vocab_size)
        self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(
            hidden_dim, vocab_size, list(cutoffs), div_value=div_value, head_bias=True
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """N(0, 1/√inputs) for every matrix."""
        with torch.no_grad():
            for linear in self.adaptive.modules():
                if isinstance(linear, nn.Linear):
                    linear.weight.normal_(0, linear.in_features**-0.5)
                    if linear.bias is not None:
                        linear.bias.zero_()

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        log_probs: Tensor = self.adaptive(hidden, targets).output
        return -log_probs

    def nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            return self.loss(hidden, targets)

    def log_probs(self, hidden: Tensor) -> Tensor:
        probabilities: Tensor = self.adaptive.log_prob(hidden)
        return probabilities


def default_cutoffs(vocab_size: int) -> list[int]:
    """Cluster borders at 2,000 and 10,000 words, as far as the vocabulary reaches."""
    return [border for border in (2_000, 10_000) if border < vocab_size // 2]


def build_head(
    kind: str, hidden_dim: int, vocab_size: int, *, n_samples: int = 8192, cutoffs: Sequence[int] | None = None,
    div_value: float = 2.0,
) -> SoftmaxHead:  # fmt: skip
    """The head called ``kind``: "full", "sampled" or "adaptive" (full where the vocabulary is too small)."""
    borders = default_cutoffs(vocab_size) if cutoffs is None else list(cutoffs)
    if kind == "sampled":
        return SampledSoftmax(hidden_dim, vocab_size, n_samples=n_samples)
    if kind == "adaptive" and borders:
        return AdaptiveSoftmax(hidden_dim, vocab_size, cutoffs=borders, div_value=div_value)
    return FullSoftmax(hidden_dim, vocab_size)
