"""How a model represents words it never saw in training: misspelt words in sentences, and out-of-vocabulary words.

A character CNN reads any spelling, subword pieces fall back to shorter pieces, and a word table has one vector for all
unknown words. The measures here show how much of a word each of them preserves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.encode.encoder import Encoder
from elmokit.encode.layer_choice import Layers
from elmokit.errors import DataError

SHORTEST = 5  # letters of a word that is misspelt: shorter ones become other words
_TOLD_APART = 0.999  # vectors with a higher cosine are the same for every purpose


@dataclass(frozen=True)
class Slip:
    """An occurrence of a word, and a misspelling of it."""

    right: Occurrence
    wrong: str

    @property
    def misspelt(self) -> Occurrence:
        """The same sentence with the misspelling."""
        return self.right.replaced(self.wrong)


@dataclass(frozen=True)
class Kept:
    """What one layer preserves.

    Attributes:
        cosine: Between the misspelt word and the correct word in the same sentence, mean over slips.
        other: Between the misspelt word and the correct word of another slip, mean: the baseline for `cosine`.
        found: Share of slips whose nearest word among all correct ones is their own.
        unseen_apart: Share of pairs of unseen words, each encoded alone, with different vectors; None without pairs.
    """

    cosine: float
    other: float
    found: float
    unseen_apart: float | None


def misspell(word: str, random: np.random.Generator) -> str:
    """Swap two neighbours, drop, double or replace a letter inside a word; the first and the last stay.

    Raises:
        ValueError: The word has fewer than `SHORTEST` letters.
    """
    if len(word) < SHORTEST:
        raise ValueError(f"{word!r} has {len(word)} letters; expected at least {SHORTEST}")
    while True:
        place = int(random.integers(1, len(word) - 2))
        kind = int(random.integers(4))
        if kind == 0:
            wrong = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        elif kind == 1:
            wrong = word[:place] + word[place + 1 :]
        elif kind == 2:
            wrong = word[:place] + word[place] + word[place:]
        else:
            wrong = word[:place] + chr(ord("a") + int(random.integers(26))) + word[place + 1 :]
        if wrong != word:
            return wrong


def find_slips(
    sentences: Iterable[Sequence[str]], known: Iterable[str], *, most: int = 500, longest: int = 60, seed: int = 1
) -> list[Slip]:
    """One slip a sentence in a known word of lower-case letters, each word once, the result no known word.

    Args:
        sentences: Lists of words; longer ones than `longest` are passed over.
        known: Words that the models saw in training.
        most: Slips.
        longest: See `sentences`.
        seed: Of what is drawn.

    Raises:
        DataError: There are fewer than two.
    """
    random, vocabulary = np.random.default_rng(seed), set(known)
    slips: list[Slip] = []
    used: set[str] = set()
    for words in sentences:
        if len(words) > longest:
            continue
        fit = [
            place
            for place, word in enumerate(words)
            if len(word) >= SHORTEST and word.isalpha() and word.islower() and word in vocabulary and word not in used
        ]
        if not fit:
            continue
        place = fit[int(random.integers(len(fit)))]
        wrong = misspell(words[place], random)
        if wrong not in vocabulary:
            used.add(words[place])
            slips.append(Slip(Occurrence(list(words), place), wrong))
        if len(slips) == most:
            break
    if len(slips) < 2:
        raise DataError(f"{len(slips)} words could be misspelt; expected at least two: give more text")
    return slips


def find_unseen(sentences: Iterable[Sequence[str]], known: Iterable[str], *, most: int = 500) -> list[str]:
    """The most frequent words of letters that are not known, `most` at most."""
    vocabulary = set(known)
    counts = Counter(word for words in sentences for word in words if word.isalpha() and word not in vocabulary)
    return [word for word, _ in counts.most_common(most)]


def what_is_kept(encoder: Encoder, slips: Sequence[Slip], unseen: Sequence[str], *, layer: Layers) -> Kept:
    """Measure one layer of a model (not "all")."""
    right = occurrence_vectors(encoder, [slip.right for slip in slips], layers=layer)  # (n, D)
    wrong = occurrence_vectors(encoder, [slip.misspelt for slip in slips], layers=layer)
    between = cosines(wrong, right)  # (n, n)
    count = len(slips)
    own = np.diagonal(between)
    # One vector for all words identifies none: where several are equally near, no right word is found.
    ties = (between >= between.max(axis=1, keepdims=True) - 1e-6).sum(axis=1) > 1
    found = (between.argmax(axis=1) == np.arange(count)) & ~ties
    apart = None
    if len(unseen) > 1:
        alone = occurrence_vectors(encoder, [Occurrence([word], 0) for word in unseen], layers=layer)
        pairs = cosines(alone)[np.triu_indices(len(unseen), 1)]
        apart = float((pairs < _TOLD_APART).mean())
    return Kept(
        cosine=float(own.mean()),
        other=float((between.sum() - own.sum()) / (count * (count - 1))),
        found=float(found.mean()),
        unseen_apart=apart,
    )
