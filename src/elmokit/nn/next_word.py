"""What a softmax finds most likely at each position, and how many words it finds likelier than the right one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn.exact_softmax import log_sum_exp, negative_log_likelihood, wide_logits
from elmokit.nn.side_by_side import row_halves, side_by_side

_BLOCK_ROWS = 256
_MOST_LOGITS = 7 << 20
"""Logits held at a time: 28 MB in float32. From 32 MB on, memory would come from the system anew for each use."""


class Guesses(NamedTuple):
    """Of each position, (N,).

    Attributes:
        nll: −log p(target) in nats.
        best: The most likely word.
        above: How many words are likelier than the target: exact below the number asked for, else at least that number.
    """

    nll: Tensor
    best: Tensor
    above: Tensor


class Cluster(NamedTuple):
    """Words of an adaptive softmax that share one place in its head.

    Attributes:
        words: Their ids.
        smaller: (h, H), makes hidden vectors smaller.
        vectors: (words, h).
    """

    words: slice
    smaller: Tensor
    vectors: Tensor

    def holding(self, targets: Tensor) -> Tensor:
        """The rows of targets (N,) that are words of it."""
        inside: Tensor = (targets >= self.words.start) & (targets < self.words.stop)
        return inside.nonzero()[:, 0]


def plain_guesses(hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None) -> Guesses:
    """Of a softmax with logits hidden (N, H) · weight (V, H)ᵀ + bias (V,); every number is exact."""

    def block(rows: Tensor, words: Tensor) -> Guesses:
        logits = wide_logits(rows, weight, bias)
        own = logits.gather(1, words[:, None])[:, 0]
        return Guesses(log_sum_exp(logits) - own, logits.argmax(dim=1), _count_above(logits, own))

    return _in_blocks(block, len(weight), hidden, targets)


def clustered_guesses(
    hidden: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, clusters: Sequence[Cluster], *, among: int
) -> Guesses:
    """Of an adaptive softmax, whose head has a row of weight (S + clusters, H) for each frequent word and each cluster.

    A cluster is looked into where all of it is likelier than the most likely word so far, or than a target with fewer
    than `among` likelier words so far: no word of it can be likelier than all of it.
    """
    n_short = len(weight) - len(clusters)
    first = targets.clone()
    tails = hidden.new_zeros(len(targets), dtype=torch.promote_types(weight.dtype, torch.float32))
    for number, cluster in enumerate(clusters, n_short):
        chosen = cluster.holding(targets)
        smaller = functional.linear(hidden[chosen], cluster.smaller)
        first[chosen] = number
        tails[chosen] = negative_log_likelihood(smaller, targets[chosen] - cluster.words.start, cluster.vectors, None)

    def block(rows: Tensor, words: Tensor, places: Tensor, tails: Tensor) -> Guesses:
        logits = wide_logits(rows, weight, bias)
        own = logits.gather(1, places[:, None])[:, 0] - tails
        top, best = logits[:, :n_short].max(dim=1)
        found = _Found(words, own, top, best, _count_above(logits[:, :n_short], own))
        for number, cluster in enumerate(clusters, n_short):
            found.look_into(cluster, rows, logits[:, number], among=among)
        return Guesses(log_sum_exp(logits) - own, found.best, found.above)

    width = max(len(weight), *(len(cluster.vectors) for cluster in clusters))
    return _in_blocks(block, width, hidden, targets, first, tails)


@dataclass
class _Found:
    """What is known of n rows. Scores are log-probabilities, less a number that is the same for all words of a row."""

    targets: Tensor
    own: Tensor  # score of the target
    top: Tensor  # score of the most likely word
    best: Tensor  # which that is
    above: Tensor

    def look_into(self, cluster: Cluster, hidden: Tensor, mass: Tensor, *, among: int) -> None:
        """Count the words of a cluster, too; mass (n,) is the score of all of it."""
        rows = self._reached(mass, among=among).nonzero()[:, 0]
        smaller = functional.linear(hidden[rows], cluster.smaller)
        logits = wide_logits(smaller, cluster.vectors, None)
        largest = logits.amax(dim=1)
        # Σ exp is at least the number of words times exp of their mean: that spares most exponentials
        least = wide_logits(smaller, cluster.vectors.mean(dim=0, keepdim=True), None)[:, 0] + math.log(logits.shape[1])
        bound = mass.index_copy(0, rows, mass[rows] + largest - torch.maximum(largest, least))
        kept = self._reached(bound, among=among)[rows].nonzero()[:, 0]
        rows, logits, largest = rows[kept], logits[kept], largest[kept]
        shift = mass[rows] - log_sum_exp(logits)
        scores = largest + shift
        higher = (scores > self.top[rows]).nonzero()[:, 0]
        self.top[rows[higher]] = scores[higher]
        self.best[rows[higher]] = logits[higher].argmax(dim=1) + cluster.words.start
        limit, targets = self.own[rows] - shift, self.targets[rows]
        inside = cluster.holding(targets)
        logits[inside, targets[inside] - cluster.words.start] = -torch.inf  # a target is not likelier than itself
        self.above[rows] += _count_above(logits, limit)

    def _reached(self, scores: Tensor, *, among: int) -> Tensor:
        """Where a word of this score would change what is known."""
        return (scores > self.top) | ((scores > self.own) & (self.above < among))


def _count_above(scores: Tensor, limit: Tensor) -> Tensor:
    """How many of scores (n, V) are above limit (n,), (n,); numbers are summed several times as fast as booleans."""
    return torch.gt(scores, limit[:, None], out=torch.empty_like(scores)).sum(dim=1).long()


def _in_blocks(block: Callable[..., Guesses], width: int, *tensors: Tensor) -> Guesses:
    """`block` of some rows of every tensor at a time, with at most `width` logits a row."""
    device = tensors[0].device
    rows = max(1, _MOST_LOGITS // width)
    if device.type == "cpu":
        rows = min(rows, _BLOCK_ROWS)

    def guesses(half: slice) -> list[Guesses]:
        parts = zip(*(torch.split(tensor[half], rows) for tensor in tensors), strict=True)
        return [block(*part) for part in parts]

    halves = side_by_side([partial(guesses, half) for half in row_halves(len(tensors[0]))], device)
    return Guesses(*(torch.cat(each) for each in zip(*(found for half in halves for found in half), strict=True)))
