"""Beam search: the most likely sequences that a model writes piece by piece, found for many sentences at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

State = tuple[Tensor, ...]  # each (B, K, …): sentences, then the hypotheses of a sentence
Step = Callable[[Tensor, State], tuple[Tensor, State]]
LengthNorm = Literal["gnmt", "length"]


class Hypothesis(NamedTuple):
    """Pieces without begin and end, and the normalised log-probability they are ranked by."""

    score: float
    pieces: list[int]


def normalised(log_probability: float, length: int, *, norm: LengthNorm, power: float) -> float:
    """The log-probability of `length` pieces, the end among them, made comparable with that of other lengths.

    `gnmt` divides by ((5 + length) / 6) ** power (Wu et al. 2016, §7), `length` by length ** power; power 0 leaves the
    log-probability as it is, which favours short sequences.
    """
    unit: float = ((5 + length) / 6 if norm == "gnmt" else length) ** power
    return log_probability / unit


@torch.no_grad()
def beam_search(
    step: Step,
    state: State,
    *,
    begin: int,
    end: int,
    beam: int,
    max_lengths: Sequence[int],
    norm: LengthNorm = "gnmt",
    power: float = 1.0,
) -> list[list[Hypothesis]]:
    """The best finished sequences of each sentence, at most `beam`, the best first.

    A hypothesis that ends among the `beam` best continuations of its sentence is finished and gives its place to the
    next best. A sentence is done when it has `beam` finished ones. With a beam as wide as there are sequences this is
    exhaustive search.

    Args:
        step: Last pieces (B, K) and the state to log-probabilities (B, K, V) of the next piece and the new state.
        state: Before any piece, K = 1.
        begin, end: Numbers of the two markers; `begin` is never written.
        beam: Hypotheses kept of each sentence.
        max_lengths: Most pieces of each sentence, the end among them: there every hypothesis ends.
        norm, power: See `normalised`.

    Raises:
        ValueError: A beam or a length below 1.
    """
    if beam < 1 or min(max_lengths, default=1) < 1:
        raise ValueError(f"beam is {beam}, max_lengths {list(max_lengths)}; expected at least 1.")
    if not len(max_lengths):
        return []
    device = state[0].device
    limits = torch.tensor(list(max_lengths), device=device)  # (B,)
    finished: list[list[Hypothesis]] = [[] for _ in max_lengths]
    running = torch.ones_like(limits, dtype=torch.bool)
    scores = torch.zeros(len(limits), 1, device=device)  # (B, K)
    written = torch.full((len(limits), 1, 1), begin, device=device)  # (B, K, t)
    for length in range(1, max(max_lengths) + 1):
        log_probabilities, state = step(written[:, :, -1], state)  # (B, K, V)
        total = scores.unsqueeze(2) + log_probabilities
        ended = total[:, :, end].clone()
        total[:, :, begin] = -torch.inf
        total[length >= limits] = -torch.inf
        total[:, :, end] = ended
        vocabulary = total.shape[2]
        total = total.flatten(1)  # (B, K · V)
        # At most `beam` of twice as many can end here: as many as are wanted continue.
        best, picks = total.topk(min(2 * beam, total.shape[1]), dim=1)
        origin, pieces = picks // vocabulary, picks % vocabulary
        ends = pieces == end
        final = ends & best.isfinite() & running.unsqueeze(1)
        final[:, beam:] = False
        rows, columns = final.nonzero(as_tuple=True)
        done = written[rows, origin[rows, columns], 1:].tolist()
        for row, score, sequence in zip(rows.tolist(), best[rows, columns].tolist(), done, strict=True):
            finished[row].append(Hypothesis(normalised(score, length, norm=norm, power=power), sequence))
        running = running & (length < limits)
        running &= torch.tensor([len(found) < beam for found in finished], device=device)
        if not bool(running.any()):
            break
        # A stable sort keeps those that continue in their order, in front.
        keep = torch.sort(ends, dim=1, stable=True).indices[:, : min(beam, ends.shape[1])]
        scores = best.masked_fill(ends, -torch.inf).gather(1, keep)
        origin, pieces = origin.gather(1, keep), pieces.gather(1, keep)
        written = torch.cat([_picked(written, origin), pieces.unsqueeze(2)], dim=2)
        state = tuple(_picked(part, origin) for part in state)
    return [heapq.nlargest(beam, found, key=lambda hypothesis: hypothesis.score) for found in finished]


def _picked(part: Tensor, origin: Tensor) -> Tensor:
    """Of (B, K, …) the hypotheses `origin` (B, K')."""
    return part.gather(1, origin.view(*origin.shape, *[1] * (part.ndim - 2)).expand(-1, -1, *part.shape[2:]))
