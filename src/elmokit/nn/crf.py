"""A linear-chain conditional random field (Lafferty et al. 2001): scores of whole tag sequences, in log space."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4
"""Added to the score of what is not allowed: no learned score outweighs it, and no gradient becomes NaN."""


class Sequence(NamedTuple):
    """A sequence of tags and its unnormalised log score."""

    score: float
    tags: list[int]


class LinearChainCRF(nn.Module):
    """Scores of tags at the begin, at the end and after one another, learned; what `allowed` forbids is never decoded.

    Sentences are padded at the right; `mask` (B, W) is true where a word stands. A sentence without words has the
    log-likelihood 0 and decodes to no tags.

    Args:
        n_tags: Number of tags T.
        allowed: (T, T) bool, row before column; None: all.
        allowed_start, allowed_end: (T,) bool.
    """

    forbidden: Tensor
    forbidden_start: Tensor
    forbidden_end: Tensor

    def __init__(
        self,
        n_tags: int,
        *,
        allowed: Tensor | None = None,
        allowed_start: Tensor | None = None,
        allowed_end: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.n_tags = n_tags
        self.transitions = nn.Parameter(torch.empty(n_tags, n_tags))
        self.start = nn.Parameter(torch.empty(n_tags))
        self.end = nn.Parameter(torch.empty(n_tags))
        self.register_buffer("forbidden", torch.zeros(n_tags, n_tags))  # persistent: they come back with the weights
        self.register_buffer("forbidden_start", torch.zeros(n_tags))
        self.register_buffer("forbidden_end", torch.zeros(n_tags))
        self.allow(allowed, allowed_start, allowed_end)
        self.reset_parameters()

    @torch.no_grad()
    def allow(self, steps: Tensor | None, start: Tensor | None, end: Tensor | None) -> None:
        """Set what may follow what: (T, T) row before column, (T,) at the begin, (T,) at the end; None: all."""
        for table, given in zip(
            (self.forbidden, self.forbidden_start, self.forbidden_end), (steps, start, end), strict=True
        ):
            if given is not None and given.shape != table.shape:
                raise ValueError(f"allowed is {tuple(given.shape)}; expected {tuple(table.shape)}.")
            table.zero_() if given is None else table.copy_(torch.where(given, 0.0, FORBIDDEN))

    def reset_parameters(self) -> None:
        """U(−0.1, 0.1): near to no preference."""
        for parameter in (self.transitions, self.start, self.end):
            nn.init.uniform_(parameter, -0.1, 0.1)

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Log-likelihood (B,) of `tags` (B, W) under `emissions` (B, W, T); tags in the padding do not count."""
        return self.score(emissions, tags, mask) - self.partition(emissions, mask)

    def score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Unnormalised log score (B,) of `tags`."""
        self._check(emissions, mask)
        if not emissions.shape[1]:
            return emissions.new_zeros(len(emissions))
        tags = tags.where(mask, 0)
        real = mask.to(emissions.dtype)
        total = (emissions.gather(2, tags.unsqueeze(2)).squeeze(2) * real).sum(dim=1)
        total = total + ((self._steps()[tags[:, :-1], tags[:, 1:]]) * real[:, 1:]).sum(dim=1)
        last = tags.gather(1, (mask.sum(dim=1, keepdim=True) - 1).clamp_min(0)).squeeze(1)
        ends = self._begins()[tags[:, 0]] + self._ends()[last]
        return total + ends * real[:, 0]

    def partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Log of the sum over all tag sequences (B,)."""
        self._check(emissions, mask)
        if not emissions.shape[1]:
            return emissions.new_zeros(len(emissions))
        steps = self._steps()
        alpha = self._begins() + emissions[:, 0]  # (B, T): sequences that end here with this tag
        for place in range(1, emissions.shape[1]):
            longer = torch.logsumexp(alpha.unsqueeze(2) + steps, dim=1) + emissions[:, place]
            alpha = torch.where(mask[:, place, None], longer, alpha)
        total = torch.logsumexp(alpha + self._ends(), dim=1)
        return torch.where(mask[:, 0], total, torch.zeros_like(total))

    def decode(self, emissions: Tensor, mask: Tensor) -> list[list[int]]:
        """The best tags of each sentence (Viterbi)."""
        return [best[0].tags for best in self.n_best(emissions, mask, 1)]

    @torch.no_grad()
    def n_best(self, emissions: Tensor, mask: Tensor, n: int) -> list[list[Sequence]]:
        """The `n` best tag sequences of each sentence, the best first; fewer where there are not so many."""
        self._check(emissions, mask)
        if n < 1:
            raise ValueError(f"n is {n}; expected at least 1.")
        lengths = mask.sum(dim=1).tolist()
        emissions = emissions.detach().double().cpu()
        steps, begins, ends = (table.detach().double().cpu() for table in (self._steps(), self._begins(), self._ends()))
        return [_n_best(rows[:length], steps, begins, ends, n) for rows, length in zip(emissions, lengths, strict=True)]

    @torch.no_grad()
    def max_marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """(B, W, T): the score of the best sequence that has this tag at this word; zero in the padding.

        The best tag of every word by these scores is the one that `decode` gives it, wherever the best sequence is
        unique: a chain's answer in the shape of independent scores.
        """
        self._check(emissions, mask)
        found = torch.zeros_like(emissions, dtype=torch.float64)
        if not emissions.shape[1]:
            return found.to(emissions.dtype)
        wide = emissions.double()
        steps, begins, ends = (table.double() for table in (self._steps(), self._begins(), self._ends()))
        width = emissions.shape[1]
        before = [begins + wide[:, 0]]  # the best beginning up to each tag of each word
        for place in range(1, width):
            before.append((before[-1].unsqueeze(2) + steps).amax(dim=1) + wide[:, place])
        last = mask.sum(dim=1) - 1  # (B,)
        behind = ends.expand_as(before[0])  # the best end from each tag on, without the word itself
        for place in range(width - 1, -1, -1):
            if place < width - 1:
                longer = (steps + (behind + wide[:, place + 1]).unsqueeze(1)).amax(dim=2)
                behind = torch.where((place < last).unsqueeze(1), longer, ends.expand_as(longer))
            found[:, place] = before[place] + behind
        return found.where(mask.unsqueeze(2), 0.0).to(emissions.dtype)

    def _check(self, emissions: Tensor, mask: Tensor) -> None:
        if emissions.ndim != 3 or emissions.shape[2] != self.n_tags:
            raise ValueError(f"emissions is {tuple(emissions.shape)}; expected (sentences, words, {self.n_tags}).")
        if mask.shape != emissions.shape[:2]:
            raise ValueError(f"mask is {tuple(mask.shape)}; expected {tuple(emissions.shape[:2])}.")

    def _steps(self) -> Tensor:
        return self.transitions + self.forbidden

    def _begins(self) -> Tensor:
        return self.start + self.forbidden_start

    def _ends(self) -> Tensor:
        return self.end + self.forbidden_end


def _n_best(emissions: Tensor, steps: Tensor, begins: Tensor, ends: Tensor, n: int) -> list[Sequence]:
    """One sentence (W, T). Each tag keeps its `n` best beginnings; `back` says where each came from."""
    if not len(emissions):
        return [Sequence(0.0, [])]
    n_tags = len(begins)
    scores = (begins + emissions[0]).unsqueeze(1)  # (T, k)
    back: list[Tensor] = []
    for row in emissions[1:]:
        kept = scores.shape[1]
        candidates = (scores.unsqueeze(2) + steps.unsqueeze(1)).flatten(0, 1)  # (T · k, T)
        best, came = candidates.topk(min(n, n_tags * kept), dim=0)
        scores = best.t() + row.unsqueeze(1)
        back.append(torch.stack([came // kept, came % kept]))  # (2, k', T): tag and rank before
    final = (scores + ends.unsqueeze(1)).flatten()
    best, came = final.topk(min(n, len(final)))
    found = []
    for score, number in zip(best.tolist(), came.tolist(), strict=True):
        tag, rank = divmod(number, scores.shape[1])
        tags = [tag]
        for pointers in reversed(back):
            tag, rank = pointers[:, rank, tag].tolist()
            tags.append(tag)
        found.append(Sequence(score, tags[::-1]))
    allowed = [sequence for sequence in found if sequence.score > FORBIDDEN / 2]
    return allowed or found[:1]
