"""The context-free vectors of words as gensim's `KeyedVectors`: neighbours, analogies, word2vec files."""

from __future__ import annotations

from collections.abc import Iterable

from gensim.models import KeyedVectors

from elmokit.encode.encoder import Encoder
from elmokit.errors import DataError


def keyed_vectors(encoder: Encoder, words: Iterable[str]) -> KeyedVectors:
    """The token layer of each word: what the model knows of it without a sentence.

    Args:
        encoder: Any; the forward and the backward half of a token layer are equal, so one of them is taken.
        words: Each is kept once, as it is written.

    Raises:
        DataError: There is no word.
    """
    distinct = list(dict.fromkeys(words))
    if not distinct:
        raise DataError("there is no word to make vectors of")
    width = encoder._backend.config.projection_dim
    arrays = encoder.encode([[word] for word in distinct], layers=0, is_split_into_words=True)
    found = KeyedVectors(width)
    found.add_vectors(distinct, [array[0, :width] for array in arrays])
    return found
