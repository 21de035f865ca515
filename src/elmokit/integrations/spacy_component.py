"""The spaCy component `elmo`: `nlp.add_pipe("elmo", config={"model": "path"})`.

It sets `doc.tensor` (tokens, dim) and makes `token.vector`, `span.vector`, `doc.vector` and `.similarity` use it.
spaCy finds it by itself once elmokit is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from elmokit.cosines import paired_cosines
from elmokit.encode.backend import BackendName
from elmokit.encode.batching import windows
from elmokit.encode.encoder import Encoder, Start
from elmokit.encode.layer_choice import Layers
from elmokit.errors import ConfigError

Array = NDArray[np.float32]


class ElmoComponent:
    """Vectors for the words of a document, sentence by sentence where sentence borders are known.

    White-space tokens are no words: the network does not see them, and their vector is zero.
    """

    def __init__(self, encoder: Encoder, *, layers: Layers, batch_size: int) -> None:
        self.encoder, self.layers, self.batch_size = encoder, layers, batch_size
        self._width = encoder.layer_choice(layers).width

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int | None = None) -> Iterator[Doc]:
        """Documents many at a time."""
        for batch in windows(stream, batch_size or self.batch_size):
            spans = (span for doc in batch for span in (doc.sents if doc.has_annotation("SENT_START") else [doc]))
            sentences = [[token for token in span if not token.is_space] for span in spans]
            arrays = self.encoder.encode(
                [[token.text for token in sentence] for sentence in sentences],
                layers=self.layers,
                batch_size=self.batch_size,
                is_split_into_words=True,
            )
            for doc in batch:
                doc.tensor = np.zeros((len(doc), self._width), dtype=np.float32)
            for sentence, array in zip(sentences, arrays, strict=True):
                for token, vector in zip(sentence, array, strict=True):
                    token.doc.tensor[token.i] = vector
            for doc in batch:
                doc.user_hooks["vector"] = lambda doc: _mean(doc.tensor)
                doc.user_span_hooks["vector"] = lambda span: _mean(span.doc.tensor[span.start : span.end])
                doc.user_token_hooks["vector"] = lambda token: token.doc.tensor[token.i]
                for hooks in (doc.user_hooks, doc.user_span_hooks, doc.user_token_hooks):
                    hooks["vector_norm"] = lambda item: float(np.linalg.norm(item.vector))
                    hooks["has_vector"] = lambda item: bool(np.any(item.vector))
                    hooks["similarity"] = _similarity
                yield doc

    # What `nlp.to_disk` asks of a component; the model stays where it is.
    def to_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> None:
        """Nothing: the pipeline's configuration names the model."""

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> ElmoComponent:
        """Nothing."""
        return self


@Language.factory(
    "elmo",
    default_config={
        "layers": "average",
        "batch_size": 64,
        "dtype": "float32",
        "state": None,
        "device": None,
        "backend": None,
    },
)
def create(
    nlp: Language,
    name: str,
    model: str,
    layers: str | int,
    batch_size: int,
    dtype: str,
    state: Start | None,
    device: str | None,
    backend: BackendName | None,
) -> ElmoComponent:
    """What `nlp.add_pipe("elmo", config={"model": …})` calls."""
    encoder = Encoder.from_pretrained(model, backend=backend, device=device, dtype=dtype, state=state)
    if encoder.layer_choice(layers).stacked is not None:  # type: ignore[arg-type]
        raise ConfigError(
            f"layers is {layers!r}; the component gives one vector per word: 'top', 'average', 'mix', 'concat' or a "
            "number."
        )
    return ElmoComponent(encoder, layers=layers, batch_size=batch_size)  # type: ignore[arg-type]


def _mean(vectors: Array) -> Array:
    """Over the words, white space left out."""
    words = vectors[np.any(vectors != 0, axis=1)]
    mean: Array = words.mean(axis=0) if len(words) else np.zeros(vectors.shape[1], dtype=np.float32)
    return mean


def _similarity(one: Doc | Span | Token, other: Doc | Span | Token) -> float:
    """Cosine, 0 where there is no vector."""
    return float(paired_cosines(np.asarray(one.vector), np.asarray(other.vector)))
