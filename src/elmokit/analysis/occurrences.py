"""A word in its sentence, and its contextual vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.encoder import Encoder
from elmokit.encode.layer_choice import Layers
from elmokit.errors import DataError

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Occurrence:
    """A sentence and the place of a word in it."""

    words: list[str]
    place: int

    @property
    def word(self) -> str:
        """The word as it is written here."""
        return self.words[self.place]

    def replaced(self, word: str) -> Occurrence:
        """The same sentence with another word in this place."""
        return Occurrence([*self.words[: self.place], word, *self.words[self.place + 1 :]], self.place)

    def in_context(self, width: int) -> str:
        """The word with the whole words that fit into `width` characters on either side, as concordances print it."""
        before, after = " ".join(self.words[: self.place]), " ".join(self.words[self.place + 1 :])
        return f"{_fitting(before[::-1], width)[::-1]:>{width}} {self.word} {_fitting(after, width)}"


def _fitting(text: str, width: int) -> str:
    return shorten(text, width, placeholder=" …", break_long_words=False, break_on_hyphens=False)


def find_occurrences(
    word: str, sentences: Iterable[list[str]], *, most: int = 1000, longest: int = 200, least: int = 1
) -> list[Occurrence]:
    """The first `most` occurrences of a word in any case, one per sentence.

    Args:
        word: The word.
        sentences: Lists of words; those with more than `longest` words are cut around the word.
        most: Maximum number of occurrences.
        longest: See `sentences`.
        least: Minimum number of occurrences.

    Raises:
        DataError: There are fewer than `least`.
    """
    wanted, found = word.lower(), []
    for words in sentences:
        place = next((place for place, each in enumerate(words) if each.lower() == wanted), None)
        if place is None:
            continue
        start = max(0, min(place - longest // 2, len(words) - longest))
        found.append(Occurrence(words[start : start + longest], place - start))
        if len(found) == most:
            break
    if len(found) < least:
        raise DataError(f"{word!r} occurs in {len(found)} sentences; expected at least {least}")
    return found


def occurrence_vectors(encoder: Encoder, occurrences: Sequence[Occurrence], *, layers: Layers = "all") -> Array:
    """The vector of each occurrence.

    Returns:
        (L, n, D) of all layers or a list of them, (n, D) of one layer or a mix.

    Raises:
        ValueError: There are no occurrences.
    """
    if not occurrences:
        raise ValueError("no occurrences came, expected at least one")
    arrays = encoder.encode(
        [each.words for each in occurrences],
        layers=layers,
        positions=[[each.place] for each in occurrences],
        is_split_into_words=True,
    )
    return np.concatenate(arrays, axis=-2)
