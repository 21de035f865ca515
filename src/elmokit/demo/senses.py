"""Do the vectors of an ambiguous word tell its senses apart? Uses of a word, their nearest uses, and a score.

Two sentences from one template are nearly the same sentence, so only uses from different templates are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.demo.synthetic import Example, Sense
from elmokit.encode.encoder import Encoder
from elmokit.text.concordance import concordance
from elmokit.text.words import split_words, word_spans


@dataclass(frozen=True)
class Use:
    """An ambiguous word in its sentence, with the sense it was written in."""

    text: str
    mark: Sense

    def in_context(self, *, width: int) -> str:
        """The word with up to `width` characters of its sentence on either side."""
        start, end = self.mark.start, self.mark.end
        return concordance(self.text[:start], self.text[start:end], self.text[end:], width=width)


@dataclass(frozen=True)
class Uses:
    """Uses of words and their contextual vectors, one layer after the other."""

    uses: list[Use]
    vectors: NDArray[np.float32]  # (L, n, D), of length 1

    def of(self, word: str) -> Uses:
        """The uses of one word."""
        rows = [row for row, use in enumerate(self.uses) if use.mark.word == word]
        return Uses([self.uses[row] for row in rows], self.vectors[:, rows])

    def nearest(self, row: int, *, layer: int, count: int) -> list[tuple[float, Use]]:
        """The uses most like that of `row` by the cosine of their vectors, the best of each of `count` templates."""
        cosines = self._cosines(layer)[row]  # (n,)
        best: dict[str, tuple[float, Use]] = {}
        for other in np.argsort(-cosines, kind="stable"):
            if np.isfinite(cosines[other]):
                best.setdefault(self.uses[other].mark.clause, (float(cosines[other]), self.uses[other]))
        return list(best.values())[:count]

    def agreement(self, *, layer: int, count: int = 5) -> float:
        """Share of nearest uses (the `count` nearest of each) that have the same sense."""
        cosines = self._cosines(layer)
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        return float(self._same_sense()[np.arange(len(cosines))[:, None], nearest].mean())

    def chance(self) -> float:
        """The agreement of neighbours drawn blindly."""
        comparable = np.isfinite(self._cosines(0))
        return float((self._same_sense() & comparable).sum(axis=1).mean() / comparable.sum(axis=1).mean())

    def _cosines(self, layer: int) -> NDArray[np.float32]:
        """(n, n), minus infinity between uses from the same template."""
        cosines: NDArray[np.float32] = self.vectors[layer] @ self.vectors[layer].T
        clauses = np.array([use.mark.clause for use in self.uses])
        cosines[clauses[:, None] == clauses] = -np.inf
        return cosines

    def _same_sense(self) -> NDArray[np.bool_]:
        senses = np.array([use.mark.sense for use in self.uses])
        same: NDArray[np.bool_] = senses[:, None] == senses
        return same


def collect_uses(examples: Sequence[Example], encoder: Encoder) -> Uses:
    """All uses of ambiguous words in `examples`, the singular ones (a plural is another word), with their vectors."""
    uses: list[Use] = []
    vectors: list[NDArray[np.float32]] = []
    sentences = [split_words(example.text) for example in examples]
    for example, layers in zip(examples, encoder.encode(sentences, is_split_into_words=True), strict=True):
        places = {span: position for position, span in enumerate(word_spans(example.text))}
        for sense in example.senses:
            position = places.get((sense.start, sense.end))
            if position is not None and sense.end - sense.start == len(sense.word):
                uses.append(Use(example.text, sense))
                vectors.append(layers[:, position])  # (L, D)
    stacked = np.stack(vectors, axis=1)  # (L, n, D)
    return Uses(uses, stacked / np.linalg.norm(stacked, axis=2, keepdims=True))
