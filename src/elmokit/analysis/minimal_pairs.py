"""Does a language model give the good sentence of a minimal pair more probability (BLiMP, Warstadt et al. 2020)?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from elmokit.encode.batching import windows
from elmokit.encode.encoder import Encoder
from elmokit.encode.language_model import Score
from elmokit.text.minimal_pairs import MinimalPair
from elmokit.whole_files import JsonObject

DIRECTIONS = ("forward", "backward", "both")
_PAIRS_AT_ONCE = 512
_SAME = 1e-6  # totals that differ by a smaller share are equal: below what float32 tells apart


@dataclass
class PairFigures:
    """How often the good sentence is the more probable one.

    Attributes:
        forward, backward, both: Pairs where it is, for the sum of log-probabilities of a direction with the end
            (backward: the begin) of the sentence, and for the sum of both directions; ties count half.
        unknown_only: Pairs that differ only in words that the vocabulary does not know.
    """

    pairs: int = 0
    forward: float = 0.0
    backward: float = 0.0
    both: float = 0.0
    unknown_only: int = 0

    def accuracy(self, direction: str) -> float:
        """The share of pairs that are right, of one of `DIRECTIONS`."""
        return float(getattr(self, direction)) / self.pairs

    def add(self, good: Score, bad: Score) -> None:
        """Count a pair."""
        totals = [(score.forward_total, score.backward_total) for score in (good, bad)]
        (good_forward, good_backward), (bad_forward, bad_backward) = totals
        self.pairs += 1
        self.forward += _right(good_forward, bad_forward)
        self.backward += _right(good_backward, bad_backward)
        self.both += _right(good_forward + good_backward, bad_forward + bad_backward)
        self.unknown_only += _as_known(good) == _as_known(bad) and good.words != bad.words

    def as_dict(self) -> JsonObject:
        """With accuracies in place of counts."""
        return {**asdict(self), **{direction: self.accuracy(direction) for direction in DIRECTIONS}}


@dataclass
class MinimalPairFigures:
    """Of all pairs, of each paradigm and of each group, in the order of the files."""

    all: PairFigures = field(default_factory=PairFigures)
    paradigms: dict[str, PairFigures] = field(default_factory=dict)
    groups: dict[str, PairFigures] = field(default_factory=dict)

    def as_dict(self) -> JsonObject:
        """For JSON."""
        named = {"paradigms": self.paradigms, "groups": self.groups}
        parts = {kind: {name: each.as_dict() for name, each in figures.items()} for kind, figures in named.items()}
        return {"all": self.all.as_dict(), **parts}


def judge_minimal_pairs(
    encoder: Encoder, pairs: Iterable[MinimalPair], *, pre_split: bool | None = None
) -> MinimalPairFigures:
    """Score both sentences of every pair; memory does not grow with their number.

    Args:
        encoder: Of a model with its language-model head.
        pairs: As `read_minimal_pairs` gives them.
        pre_split: Words of raw sentences are separated by spaces; None: as in pretraining.

    Raises:
        ModelError: The model has no language-model head.
    """
    figures = MinimalPairFigures()
    for window in windows(pairs, _PAIRS_AT_ONCE):
        cells = [cell for pair in window for cell in (pair.good, pair.bad)]
        sentences = [encoder.words(cell, pre_split=pre_split) if isinstance(cell, str) else cell for cell in cells]
        scores = encoder.score(sentences, is_split_into_words=True)
        for pair, good, bad in zip(window, scores[::2], scores[1::2], strict=True):
            parts = [figures.all, figures.paradigms.setdefault(pair.paradigm, PairFigures())]
            if pair.group is not None:
                parts.append(figures.groups.setdefault(pair.group, PairFigures()))
            for part in parts:
                part.add(good, bad)
    return figures


def _right(good: float, bad: float) -> float:
    return 0.5 if math.isclose(good, bad, rel_tol=_SAME) else float(good < bad)


def _as_known(score: Score) -> list[str | None]:
    return [word if known else None for word, known in zip(score.words, score.known, strict=True)]
