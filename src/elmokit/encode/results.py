"""The arrays of a call: of all words of a sentence, of some positions, or of the sentence as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.common_component import CommonComponent
from elmokit.encode.layer_choice import LayerChoice
from elmokit.encode.pooling import PARTS, Pooling, pooled
from elmokit.encode.word_weights import WordWeights
from elmokit.errors import DataError

Array = NDArray[np.float32]
Positions = Iterable[Iterable[int]]


class Item(NamedTuple):
    """A sentence as it is encoded: its words, the positions whose vectors are wanted (None: all), and its file's id."""

    words: list[str]
    positions: Sequence[int] | None = None
    id: str | None = None

    @property
    def chosen(self) -> Sequence[int]:
        """The positions whose vectors are wanted."""
        return range(len(self.words)) if self.positions is None else self.positions


Result = Callable[[Item, Sequence[Array]], Array]  # from the layers (W, D) of a sentence


@dataclass(frozen=True)
class WordVectors:
    """Vectors of words: (W, width), or (stacked, W, width)."""

    choice: LayerChoice

    def __call__(self, item: Item, layers: Sequence[Array]) -> Array:
        if item.positions is not None:
            index = np.asarray(item.positions, dtype=np.intp)
            layers = [layer[index] for layer in layers]
        array = self.choice.combine(layers)
        return array if array.base is None else np.array(array)  # the layers are part of a batch


@dataclass(frozen=True)
class SentenceVector:
    """One vector of a sentence: (size,), or (stacked, size), where "mean+max" has twice the size.

    Attributes:
        choice: Of the layers.
        pooling: Of the words.
        weights: For "weighted".
        component: Is removed from each layer.
    """

    choice: LayerChoice
    pooling: Pooling
    weights: WordWeights | None = None
    component: CommonComponent | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sentence's result."""
        *stacked, width = self.choice.shape
        return *stacked, width * len(PARTS[self.pooling])

    def __call__(self, item: Item, layers: Sequence[Array]) -> Array:
        vectors = self.choice.combine(layers)
        weights = self.weights(item.words) if self.weights is not None and item.words else None
        parts = []
        for part in PARTS[self.pooling]:
            vector = pooled(vectors, part, weights)
            if self.component is not None:
                vector = self.component.removed(vector, part, self.choice.views)
            parts.append(vector)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def items(sentences: Iterable[list[str]], positions: Positions | None) -> Iterator[Item]:
    """Sentences with their positions, counted from 0 or, negative, from the end.

    Raises:
        DataError: A sentence has no such word, or there are more or fewer lists of positions than sentences.
    """
    if positions is None:
        yield from (Item(words) for words in sentences)
        return
    lists = iter(positions)
    number = -1
    for number, words in enumerate(sentences):
        wanted = next(lists, None)
        if wanted is None:
            raise DataError(f"positions has {number} lists, but there are more sentences: expected one per sentence")
        yield Item(words, checked_positions(wanted, words, where=f"positions of sentence {number}"))
    if next(lists, None) is not None:
        raise DataError(f"positions has more lists than the {number + 1} sentences: expected one per sentence")


def checked_positions(wanted: Iterable[int], words: Sequence[str], *, where: str) -> list[int]:
    """Numbers from 0 of the words that `wanted` names; `where` begins an error.

    Raises:
        DataError: There is no such word.
    """
    found = []
    for position in wanted:
        if isinstance(position, bool) or not isinstance(position, int | np.integer):
            raise DataError(f"{where}: expected the number of a word, got {position!r}")
        if not -len(words) <= position < len(words):
            raise DataError(
                f"{where}: there is no word {position}; the sentence has {len(words)} words, the first is 0"
            )
        found.append(int(position) % len(words))
    return found
