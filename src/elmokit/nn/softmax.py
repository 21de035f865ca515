"""Language-model heads over a large vocabulary: full, sampled and adaptive softmax with one surface.

Each has ``loss(hidden, targets)``, the training loss of every position, and ``log_probs(hidden)``, the exact
distribution over the whole vocabulary; ``nll`` and ``guesses`` say of targets what that distribution says, in bounded
memory and without computing all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.cross_entropy import cross_entropy, rows_at_once
from elmokit.nn.exact_softmax import negative_log_likelihood, wide_logits
from elmokit.nn.next_word import Cluster, Guesses, clustered_guesses, plain_guesses


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

    def scores(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (V, H) and bias (V,) of one plain softmax that says about the same of vectors like `hidden` (N, H)."""
        raise NotImplementedError

    def start_from(self, weight: Tensor, bias: Tensor, hidden: Tensor) -> None:
        """Say of vectors like `hidden` about what a plain softmax of this weight (V, H) and bias (V,) says."""
        raise NotImplementedError

    def nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Exact negative log-likelihood of each target, (N,) in nats; without a gradient."""
        raise NotImplementedError

    def guesses(self, hidden: Tensor, targets: Tensor, *, among: int) -> Guesses:
        """`nll`, the most likely words, and how many words are likelier than each target, exact below `among`."""
        raise NotImplementedError


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

    def scores(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        return self.weight.detach(), self.bias.detach()

    @torch.no_grad()
    def start_from(self, weight: Tensor, bias: Tensor, hidden: Tensor) -> None:
        self.weight.copy_(weight)
        self.bias.copy_(bias)

    def log_probs(self, hidden: Tensor) -> Tensor:
        return wide_logits(hidden, self.weight, self.bias).log_softmax(dim=1)

    @torch.no_grad()
    def nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return negative_log_likelihood(hidden, targets, self.weight, self.bias)

    @torch.no_grad()
    def guesses(self, hidden: Tensor, targets: Tensor, *, among: int) -> Guesses:
        return plain_guesses(hidden, targets, self.weight, self.bias)

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return self.nll(hidden, targets)
        return cross_entropy(hidden, targets, self.weight, self.bias)


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

    def _clusters(self) -> list[tuple[slice, nn.Linear, nn.Linear]]:
        """Of each cluster its words, the matrix that makes hidden vectors smaller, and the vectors of its words."""
        borders = self.adaptive.cutoffs  # the last is the number of words
        words = [slice(first, end) for first, end in pairwise(borders)]
        return [(part, *tail) for part, tail in zip(words, self.adaptive.tail, strict=True)]  # type: ignore[misc]

    @torch.no_grad()
    def scores(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """A word of a cluster scores its own product and the cluster's, less the logarithm of the cluster's sum.

        That logarithm is made linear by least squares over `hidden`.
        """
        head, n_short = self.adaptive.head, self.adaptive.shortlist_size
        weight, bias = head.weight.new_empty(self.vocab_size, self.hidden_dim), head.bias.new_empty(self.vocab_size)
        weight[:n_short], bias[:n_short] = head.weight[:n_short], head.bias[:n_short]
        for number, (words, smaller, vectors) in enumerate(self._clusters(), n_short):
            product = vectors.weight @ smaller.weight
            sum_weight, sum_bias = _linear_log_sum(product, product.new_zeros(len(product)), hidden)
            weight[words] = product + head.weight[number] - sum_weight
            bias[words] = head.bias[number] - sum_bias
        return weight, bias

    @torch.no_grad()
    def start_from(self, weight: Tensor, bias: Tensor, hidden: Tensor) -> None:
        """A cluster scores the logarithm of its words' sum, made linear; its words by the closest products of its rank.

        What is close is measured on `hidden`. Words of a cluster have no bias: a direction whose product with hidden
        vectors is nearly one carries it.
        """
        head, n_short = self.adaptive.head, self.adaptive.shortlist_size
        head.weight[:n_short], head.bias[:n_short] = weight[:n_short], bias[:n_short]
        ones = _least_squares(hidden, hidden.new_ones(len(hidden)))
        spread = torch.linalg.cholesky(hidden.T @ hidden / len(hidden) + 1e-6 * torch.eye(self.hidden_dim))
        for number, (words, smaller, vectors) in enumerate(self._clusters(), n_short):
            head.weight[number], head.bias[number] = _linear_log_sum(weight[words], bias[words], hidden)
            product = weight[words] + bias[words, None] * ones
            left, sizes, right = torch.linalg.svd((product - product.mean(0)) @ spread, full_matrices=False)
            rank = min(len(smaller.weight), len(sizes))
            root = sizes[:rank].sqrt()
            smaller.weight.zero_()[:rank] = torch.linalg.solve(spread, root[:, None] * right[:rank], left=False)
            vectors.weight.zero_()[:, :rank] = left[:, :rank] * root

    def loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        entropy = cross_entropy if torch.is_grad_enabled() else negative_log_likelihood
        head, n_short = self.adaptive.head, self.adaptive.shortlist_size
        clusters = self._clusters()
        inside = [(targets >= words.start) & (targets < words.stop) for words, _, _ in clusters]
        first = targets
        for number, rows in enumerate(inside, n_short):
            first = torch.where(rows, number, first)
        losses = entropy(hidden, first, head.weight, head.bias)
        for rows, (words, smaller, vectors) in zip(inside, clusters, strict=True):
            chosen = rows.nonzero()[:, 0]
            tail = entropy(smaller(hidden[chosen]), targets[chosen] - words.start, vectors.weight, None)
            losses = losses.index_add(0, chosen, tail)
        return losses

    @torch.no_grad()
    def nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            return self.loss(hidden.to(self.adaptive.head.weight.dtype), targets)

    @torch.no_grad()
    def guesses(self, hidden: Tensor, targets: Tensor, *, among: int) -> Guesses:
        clusters = [Cluster(words, smaller.weight, vectors.weight) for words, smaller, vectors in self._clusters()]
        head = self.adaptive.head
        with torch.autocast(hidden.device.type, enabled=False):
            hidden = hidden.to(head.weight.dtype)
            return clustered_guesses(hidden, targets, head.weight, head.bias, clusters, among=among)

    def log_probs(self, hidden: Tensor) -> Tensor:
        probabilities: Tensor = self.adaptive.log_prob(hidden)
        return probabilities


def _linear_log_sum(weight: Tensor, bias: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (H,) and bias () closest, over `hidden` (N, H), to log Σ exp(hidden · weightᵀ + bias)."""
    parts = [
        torch.logsumexp(functional.linear(part, weight, bias), dim=1)
        for part in torch.split(hidden, rows_at_once(len(weight), hidden.device))
    ]
    found = _least_squares(functional.pad(hidden, (0, 1), value=1.0), torch.cat(parts))
    return found[:-1], found[-1]


def _least_squares(inputs: Tensor, outputs: Tensor) -> Tensor:
    products = (inputs.T @ inputs).double()
    products += 1e-6 * products.trace() / len(products) * torch.eye(len(products))  # fewer rows than columns
    found: Tensor = torch.linalg.solve(products, (inputs.T @ outputs).double())
    return found.to(inputs.dtype)


def default_cutoffs(vocab_size: int) -> list[int]:
    """Cluster borders at 2,000 and 10,000 words, as far as the vocabulary reaches."""
    return [border for border in (2_000, 10_000) if border < vocab_size // 2]


def build_head(
    kind: str,
    hidden_dim: int,
    vocab_size: int,
    *,
    n_samples: int = 8192,
    cutoffs: Sequence[int] | None = None,
    div_value: float = 2.0,
) -> SoftmaxHead:
    """The head called ``kind``: "full", "sampled" or "adaptive" (full where the vocabulary is too small)."""
    borders = default_cutoffs(vocab_size) if cutoffs is None else list(cutoffs)
    if kind == "sampled":
        return SampledSoftmax(hidden_dim, vocab_size, n_samples=n_samples)
    if kind == "adaptive" and borders:
        return AdaptiveSoftmax(hidden_dim, vocab_size, cutoffs=borders, div_value=div_value)
    return FullSoftmax(hidden_dim, vocab_size)
