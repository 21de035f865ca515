"""What a model makes of words it never saw: misspelt ones and unseen ones, in their sentences.

A character CNN reads any spelling, pieces fall back to shorter pieces, and a table of words knows one vector for all
that it lacks. The measures here tell how much each of them keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.analysis.cosines import unit
from elmokit.encode.encoder import Encoder, Layers
from elmokit.errors import DataError

SHORTEST = 5  # letters of a word that is misspelt: shorter ones become other words
_TOLD_APART = 0.999  # vectors with a higher cosine are the same for every purpose

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Slip:
    """A word misspelt in its sentence."""

    words: list[str]
    place: int
    wrong: str

    @property
    def word(self) -> str:
        """As it is spelt."""
        return self.words[self.place]

    @property
    def misspelt(self) -> list[str]:
        """The sentence with the slip."""
        return [*self.words[: self.place], self.wrong, *self.words[self.place + 1 :]]


@dataclass(frozen=True)
class Kept:
    """What one layer keeps.

    Attributes:
        cosine: Of the misspelt word to the same word spelt right in the same sentence, mean over slips.
        other: Of the misspelt word to the right spelling of another slip, mean: the floor of `cosine`.
        found: Share of slips whose nearest word among all right spellings is their own.
        unseen_apart: Share of pairs of unseen words with different vectors when they stand alone; None without pairs.
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
            place for place, word in enumerate(words)
            if len(word) >= SHORTEST and word.isalpha() and word.islower() and word in vocabulary and word not in used
        ]  # fmt: skip
        if not fit:
            continue
        place = fit[int(random.integers(len(fit)))]
        wrong = misspell(words[place], random)
        if wrong not in vocabulary:
            used.add(words[place])
            slips.append(Slip(list(words), place, wrong))
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
    right = _vectors(encoder, [slip.words for slip in slips], slips, layer)
    wrong = _vectors(encoder, [slip.misspelt for slip in slips], slips, layer)
    cosines = wrong @ right.T  # (n, n)
    count = len(slips)
    own = np.diagonal(cosines)
    apart = None
    if len(unseen) > 1:
        alone = encoder.encode([[word] for word in unseen], layers=layer, is_split_into_words=True)
        vectors = unit(np.concatenate(alone))
        pairs = (vectors @ vectors.T)[np.triu_indices(len(unseen), 1)]
        apart = float((pairs < _TOLD_APART).mean())
    return Kept(
        cosine=float(own.mean()),
        other=float((cosines.sum() - own.sum()) / (count * (count - 1))),
        found=float((_best(cosines) == np.arange(count)).mean()),
        unseen_apart=apart,
    )


def _best(cosines: NDArray[Any]) -> NDArray[np.int64]:
    """The nearest of each row, -1 where several are equally near: a vector that is the same for all finds nothing."""
    best = cosines.argmax(axis=1)
    ties = (cosines >= cosines.max(axis=1, keepdims=True) - 1e-6).sum(axis=1) > 1
    return np.where(ties, -1, best)


def _vectors(encoder: Encoder, sentences: list[list[str]], slips: Sequence[Slip], layer: Layers) -> Array:
    arrays = encoder.encode(sentences, layers=layer, is_split_into_words=True)
    return unit(np.stack([array[slip.place] for array, slip in zip(arrays, slips, strict=True)]))
