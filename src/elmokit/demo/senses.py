"""Do the vectors of an ambiguous word separate its senses? Its occurrences, their nearest neighbours, and a score.

Two sentences from one template are nearly the same sentence, so only occurrences from different templates are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.agreement import agreement
from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.demo.synthetic import Example, Sense
from elmokit.encode.encoder import Encoder
from elmokit.text.words import split_words, word_spans


@dataclass(frozen=True)
class KnownSense:
    """An occurrence of an ambiguous word, and the sense it was written in."""

    occurrence: Occurrence
    mark: Sense


@dataclass(frozen=True)
class KnownSenses:
    """Occurrences of ambiguous words and their contextual vectors."""

    found: list[KnownSense]
    vectors: NDArray[np.float32]  # (L, n, D)

    def of(self, word: str) -> KnownSenses:
        """The occurrences of one word."""
        rows = [row for row, each in enumerate(self.found) if each.mark.word == word]
        return KnownSenses([self.found[row] for row in rows], self.vectors[:, rows])

    def nearest(self, row: int, *, layer: int, count: int) -> list[tuple[float, KnownSense]]:
        """The occurrences most similar to that of `row` with their cosines, the best of each of `count` templates."""
        similarity = self._cosines(layer)[row]  # (n,)
        best: dict[str, tuple[float, KnownSense]] = {}
        for other in np.argsort(-similarity, kind="stable"):
            if np.isfinite(similarity[other]):
                best.setdefault(self.found[other].mark.clause, (float(similarity[other]), self.found[other]))
        return list(best.values())[:count]

    def agreement(self, *, layer: int, count: int = 5) -> float:
        """Share of nearest neighbours (the `count` nearest of each) that have the same sense."""
        return agreement(self._cosines(layer), [each.mark.sense for each in self.found], count=count)

    def chance(self) -> float:
        """The agreement of neighbours drawn at random."""
        senses = np.array([each.mark.sense for each in self.found])
        comparable = np.isfinite(self._cosines(0))
        same = (senses[:, None] == senses) & comparable
        return float(same.sum(axis=1).mean() / comparable.sum(axis=1).mean())

    def _cosines(self, layer: int) -> NDArray[np.float32]:
        """(n, n), minus infinity between occurrences from the same template."""
        similarity = cosines(self.vectors[layer])
        clauses = np.array([each.mark.clause for each in self.found])
        similarity[clauses[:, None] == clauses] = -np.inf
        return similarity


def collect_known_senses(examples: Sequence[Example], encoder: Encoder) -> KnownSenses:
    """All ambiguous words in `examples` with their vectors; singular ones only, since a plural is another word."""
    found: list[KnownSense] = []
    for example in examples:
        words = split_words(example.text)
        places = {span: place for place, span in enumerate(word_spans(example.text))}
        for sense in example.senses:
            place = places.get((sense.start, sense.end))
            if place is not None and sense.end - sense.start == len(sense.word):
                found.append(KnownSense(Occurrence(words, place), sense))
    return KnownSenses(found, occurrence_vectors(encoder, [each.occurrence for each in found]))
