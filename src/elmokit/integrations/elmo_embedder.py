"""AllenNLP's `ElmoEmbedder`: sentences of words to NumPy arrays of all layers.

from elmokit.integrations.elmo_embedder import ElmoEmbedder  # was: from allennlp.commands.elmo import …
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.batching import windows
from elmokit.encode.encoder import Encoder, Start

Array = NDArray[np.float32]
DEFAULT_BATCH_SIZE = 64


class ElmoEmbedder:
    """Arrays (layers, words, dim) of sentences, which are lists of words.

    Args:
        options_file: The options of a published model; or any model that `elmokit.Encoder` loads, with
            `weight_file=None`.
        weight_file: Its weights.
        cuda_device: Number of a card; −1: the CPU.
        state: "carry" as AllenNLP: a batch continues where the one before ended. "zero" and "warm" start every sentence
            alike.

    Raises:
        ModelError: The files are missing, damaged, or do not fit.
        ConfigError: There is no such card.
    """

    def __init__(
        self,
        options_file: str | Path,
        weight_file: str | Path | None = None,
        cuda_device: int = -1,
        *,
        state: Start = "carry",
    ) -> None:
        self.encoder = Encoder.from_pretrained(
            options_file if weight_file is None else weight_file,
            backend="torch",
            state=state,
            options=None if weight_file is None else options_file,
            device="cpu" if cuda_device < 0 else f"cuda:{cuda_device}",
        )

    def embed_sentence(self, sentence: Sequence[str]) -> Array:
        """(layers, words, dim) of one sentence."""
        return self.embed_batch([sentence])[0]

    def embed_batch(self, batch: Sequence[Sequence[str]]) -> list[Array]:
        """One array a sentence; the sentences are one batch."""
        sentences = [list(words) for words in batch]
        return self.encoder.encode(sentences, batch_size=max(len(batch), 1), is_split_into_words=True)

    def embed_sentences(
        self, sentences: Iterable[Sequence[str]], batch_size: int = DEFAULT_BATCH_SIZE
    ) -> Iterator[Array]:
        """One array a sentence, batch by batch."""
        for batch in windows(sentences, batch_size):
            yield from self.embed_batch(batch)
