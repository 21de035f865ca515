"""How well a biLM predicts held-out text: perplexities by the full softmax and next-word figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.bilm import State
from elmokit.pretrain.stream import PackedBatch

_ROWS = 1024
"""Positions whose whole distribution is held at a time."""


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean negative log-likelihood; ``mean`` is exp of the mean of both directions' (as published for ELMo).

    ``predictions`` counts one direction: the words and one sentence end a sentence. ``backward`` is None in a one-way model.
    """

    forward: float
    backward: float | None
    mean: float
    predictions: int

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood a prediction, in nats."""
        return math.log(self.mean)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class NextWord:
    """How often the likeliest words hold the target, and precision, recall and F1 of the likeliest, weighted by word frequency."""

    top1: float
    top5: float
    precision: float
    recall: float
    f1: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@torch.no_grad()
def evaluate_batches(
    model: ElmoForPreTraining, batches: Iterable[PackedBatch], *, carries_state: bool = False, next_word: bool = False
) -> tuple[Perplexity, NextWord | None]:
    """Perplexity over packed batches, in evaluation mode; the model's training mode comes back afterwards."""
    training = model.training
    model.eval()
    sums, count = np.zeros(model.config.directions), 0
    state: State | None = None
    guesses = _Guesses()
    for batch in batches:
        batch = batch.to(model.device)
        hidden, final = model.hidden(batch.chars, batch.index, batch.batch_sizes, state=state)
        state = final if carries_state else None
        targets = batch.targets
        nll = model.head.nll(hidden.flatten(0, 1), targets.flatten()).view(targets.shape)
        sums += nll.double().sum(dim=1).cpu().numpy()
        count += targets.shape[1]
        if next_word:
            guesses.add(model, hidden.flatten(0, 1), targets.flatten())
    model.train(training)
    if count == 0:
        return Perplexity(math.nan, None, math.nan, 0), None
    means = sums / count
    backward = math.exp(means[1]) if len(means) > 1 else None
    found = Perplexity(math.exp(means[0]), backward, math.exp(means.mean()), count)
    return found, guesses.figures() if next_word else None


class _Guesses:
    """Collects the five likeliest words of every position."""

    def __init__(self) -> None:
        self.gold: list[NDArray[np.int64]] = []
        self.best: list[NDArray[np.int64]] = []

    def add(self, model: ElmoForPreTraining, hidden: torch.Tensor, targets: torch.Tensor) -> None:
        for rows in hidden.split(_ROWS):
            width = min(5, model.config.vocab_size)
            self.best.append(model.log_probs(rows).topk(width, dim=1).indices.cpu().numpy())
        self.gold.append(targets.cpu().numpy())

    def figures(self) -> NextWord:
        gold, best = np.concatenate(self.gold), np.concatenate(self.best)
        hits = best == gold[:, None]
        precision, recall, f1, _ = precision_recall_fscore_support(
            gold, best[:, 0], average="weighted", zero_division=0
        )
        return NextWord(float(hits[:, 0].mean()), float(hits.any(axis=1).mean()), float(precision), float(recall), float(f1))
