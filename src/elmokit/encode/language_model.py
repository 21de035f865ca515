"""What the language model itself says of a sentence: surprisal of its words, and words that would fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.encode.batching import word_windows
from elmokit.encode.engine import Engine
from elmokit.errors import ConfigError, ModelError
from elmokit.nn.softmax import SoftmaxHead
from elmokit.saved_model import VOCABULARY_FILE, SavedModel
from elmokit.text.char_ids import BOS, EOS
from elmokit.text.vocab import Vocabulary

_BATCH_SIZE = 64
_WINDOW_SENTENCES, _WINDOW_WORDS = 1024, 1 << 15


@dataclass(frozen=True)
class Score:
    """Surprisal of a sentence.

    Attributes:
        words: The words scored.
        forward: (words,) −log2 p(word | the words before it), in bits.
        backward: (words,) −log2 p(word | the words after it), in bits.
        mean: (words,) the mean of the two.
        known: (words,) whether the word is in the vocabulary; an unknown one is scored as `<UNK>`.
        perplexity: exp of the mean negative log-likelihood over both directions, the end of the sentence (backward:
            its begin) counted, as `elmo evaluate` counts.
    """

    words: list[str]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]
    known: NDArray[np.bool_]
    perplexity: float

    @property
    def mean(self) -> NDArray[np.float64]:
        return (self.forward + self.backward) / 2


class Substitute(NamedTuple):
    """A word with its probability in each direction; `score` is the sum of their logarithms."""

    word: str
    forward: float
    backward: float
    score: float


class LanguageModel:
    """The softmax head of a pretrained folder over the layers of an engine."""

    def __init__(self, engine: Engine, head: SoftmaxHead, vocabulary: Vocabulary) -> None:
        self._engine, self._head, self._vocabulary = engine, head.train(False), vocabulary
        self._size = engine.model.config.projection_dim

    @classmethod
    def of(cls, saved: SavedModel, engine: Engine) -> LanguageModel:
        """The head in a folder of `elmo pretrain`.

        Raises:
            ModelError: The folder holds none, its vocabulary is missing, or the model reads forward only.
        """
        config, folder = saved.config, saved.folder
        if not config.vocab_size or not (folder / VOCABULARY_FILE).is_file():
            raise ModelError(f"{folder} has no language-model head: expected a folder of elmo pretrain")
        if config.directions != 2:
            raise ModelError(f"{folder} is a forward language model; expected both directions")
        head = saved.language_head(dtype=str(engine.model.dtype).removeprefix("torch."))
        vocabulary = saved.vocabulary()
        if len(vocabulary) != config.vocab_size:
            raise ModelError(f"{folder}/vocab.txt has {len(vocabulary)} words; its head predicts {config.vocab_size}")
        return cls(engine, head.to(engine.model.device), vocabulary)

    def score(self, sentences: Sequence[Sequence[str]]) -> list[Score]:
        """See `Encoder.score`."""
        return [self._score(words, top) for words, top in self._tops(sentences)]

    def _score(self, words: Sequence[str], top: Tensor) -> Score:
        ids = [self._vocabulary[word] for word in words]
        begin, end = self._vocabulary[BOS], self._vocabulary[EOS]
        forward = self._nll(top[:-1, : self._size], [*ids, end])
        backward = self._nll(top[1:, self._size :], [begin, *ids])
        mean = (forward.mean() + backward.mean()) / 2
        return Score(
            words=list(words), forward=forward[:-1] / math.log(2), backward=backward[1:] / math.log(2),
            known=np.array([word in self._vocabulary for word in words], dtype=bool),
            perplexity=math.exp(mean),
        )  # fmt: skip

    def substitutes(self, words: Sequence[str], i: int, k: int) -> list[Substitute]:
        """See `Encoder.substitutes`."""
        if not -len(words) <= i < len(words):
            raise IndexError(f"The sentence has {len(words)} words; there is no word {i}.")
        if k < 1:
            raise ConfigError(f"k is {k}; expected at least 1.")
        place = i % len(words)
        ((_, top),) = self._tops([words])
        before, after = top[place, : self._size], top[place + 2, self._size :]  # `top` begins with <S>
        log_probs = self._head.log_probs(torch.stack([before, after])).float()
        total = log_probs.sum(dim=0)
        total[:3] = -torch.inf  # the markers and <UNK> are no words
        best = total.topk(min(k, len(total) - 3))
        return [
            Substitute(
                self._vocabulary.words[number], math.exp(log_probs[0, number]), math.exp(log_probs[1, number]), score
            )
            for number, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def _tops(self, sentences: Sequence[Sequence[str]]) -> Iterator[tuple[Sequence[str], Tensor]]:
        """Every sentence with its top layer (words + 2, D), sentence markers included, in order."""
        for window in word_windows(sentences, words=len, most_sentences=_WINDOW_SENTENCES, most_words=_WINDOW_WORDS):
            layers = self._engine.layers(window, batch_size=_BATCH_SIZE, zero_state=False, markers=True)
            tops = {number: found[-1] for number, found in layers}
            yield from ((words, tops[number]) for number, words in enumerate(window))

    def _nll(self, hidden: Tensor, targets: list[int]) -> NDArray[np.float64]:
        """Negative log-likelihood of each target in nats, (n,)."""
        found = self._head.nll(hidden, torch.tensor(targets, device=hidden.device))
        return found.double().cpu().numpy()
