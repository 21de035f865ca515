"""What the report compares: a model, an untrained network of its shape, static vectors, TF-IDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from elmokit import Encoder
from elmokit.encode.layer_choice import Layers
from elmokit.encode.pooling import Pooling
from judging.sentence_measures import Matrix, Vectorizer


@dataclass
class Contextual:
    """Sentence vectors of an encoder: one way for cosines, one for classifiers. Each text is encoded once."""

    name: str
    encoder: Encoder
    layers: Layers = "average"
    pooling: Pooling | None = None
    _known: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def fitted(self, _: Sequence[str]) -> Vectorizer:
        """Nothing is fitted."""
        return self.vectors

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, size)"""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        found = self.encoder.encode(new, layers=self.layers, level="sentence", pooling=self.pooling)
        self._known.update((text, vector.ravel()) for text, vector in zip(new, found, strict=True))
        return np.stack([self._known[text] for text in texts])

    def forget(self) -> None:
        """The vectors of the texts so far."""
        self._known.clear()


@dataclass
class TfIdf:
    """TF-IDF of words and pairs of words; frequencies are those of the training texts."""

    name: str = "TF-IDF"

    def fitted(self, texts: Sequence[str]) -> Vectorizer:
        """Count the words of `texts`."""
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True).fit(texts)

        def vectors(texts: Sequence[str]) -> Matrix:
            found: Any = vectorizer.transform(texts)
            return found

        return vectors

    def forget(self) -> None:
        """Nothing is kept."""
