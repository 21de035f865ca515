"""Is a word still itself when its sentence is written in capitals, or in lower case?"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from elmokit import Encoder
from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.errors import DataError
from english_text.data_folder import DataFolder

SPELLINGS: dict[str, Callable[[str], str]] = {"capitals": str.upper, "lower case": str.lower}

_WORDS, _SHORTEST, _SEED = 400, 4, 1


@dataclass(frozen=True)
class Robustness:
    """Of one layer and spelling.

    Attributes:
        found: Share of the words whose nearest vector, among those of all words as written, is their own.
        cosine: Of a word in the respelt sentence and as written, the mean.
        random: Of two different words as written, the mean.
    """

    found: float
    cosine: float
    random: float


def title_words(data: DataFolder, encoder: Encoder) -> list[Occurrence]:
    """Distinct words of four letters or more, one of each title of AG News test, drawn always alike.

    Raises:
        DataError: There are fewer than 400.
    """
    titles = [row[1] for row in csv.reader(data.lines("ag_news/test.csv.gz"))]
    draw = random.Random(_SEED)
    draw.shuffle(titles)
    found: dict[str, Occurrence] = {}
    for title in titles:
        words = encoder.words(title)
        places = [
            place for place, word in enumerate(words)
            if len(word) >= _SHORTEST and word.isalpha() and word.isascii() and word.lower() not in found
        ]  # fmt: skip
        if places:
            place = draw.choice(places)
            found[words[place].lower()] = Occurrence(words, place)
        if len(found) == _WORDS:
            return list(found.values())
    raise DataError(f"the titles of AG News have {len(found)} words to compare; expected {_WORDS}")


def robustness(
    encoder: Encoder, occurrences: Sequence[Occurrence], *, layers: Sequence[int]
) -> dict[tuple[int, str], Robustness]:
    """By layer and spelling."""
    written = occurrence_vectors(encoder, occurrences, layers=list(layers))
    measured: dict[tuple[int, str], Robustness] = {}
    for name, spell in SPELLINGS.items():
        inside = [Occurrence([spell(word) for word in each.words], each.place) for each in occurrences]
        respelt = occurrence_vectors(encoder, inside, layers=list(layers))
        for layer, own, other in zip(layers, written, respelt, strict=True):
            across, among = cosines(other, own), cosines(own)  # (n, n)
            count = len(own)
            measured[layer, name] = Robustness(
                found=float((across.argmax(axis=1) == np.arange(count)).mean()),
                cosine=float(np.diagonal(across).mean()),
                random=float((among.sum() - np.trace(among)) / (count * (count - 1))),
            )
    return measured
