"""What the language model itself says of a sentence: surprisal of its words, and words that would fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from elmokit.saved_model import SavedModel
from elmokit.text.char_ids import BOS, EOS
from elmokit.text.vocab import MARKERS, UNK_ID, Vocabulary

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
        end: Forward surprisal of the end of the sentence behind its last word, in bits.
        begin: Backward surprisal of its begin, in bits.
    """

    words: list[str]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]
    known: NDArray[np.bool_]
    end: float
    begin: float

    @property
    def mean(self) -> NDArray[np.float64]:
        return (self.forward + self.backward) / 2

    @property
    def forward_total(self) -> float:
        """−log2 p(sentence) of the forward direction, its end counted."""
        return float(self.forward.sum()) + self.end

    @property
    def backward_total(self) -> float:
        """−log2 p(sentence) of the backward direction, its begin counted."""
        return float(self.backward.sum()) + self.begin

    @property
    def perplexity(self) -> float:
        """exp of the mean negative log-likelihood over both directions, end and begin counted, as `elmo evaluate`."""
        return float(2 ** ((self.forward_total + self.backward_total) / (2 * (len(self.words) + 1))))


class Substitute(NamedTuple):
    """A word with its probability in each direction; `score` is the sum of their logarithms."""

    word: str
    forward: float
    backward: float
    score: float


class LanguageModel:
    """The softmax head of a pretrained folder over the layers of an engine."""

    def __init__(self, engine: Engine, head: SoftmaxHead, vocabulary: Vocabulary, *, zero_state: bool = False) -> None:
        """`zero_state`: sentences start from zero even if the model has a warm state."""
        self._engine, self._head, self._vocabulary = engine, head.train(False), vocabulary
        self._size = engine.model.config.projection_dim
        self._zero_state = zero_state

    @classmethod
    def of(cls, saved: SavedModel, engine: Engine, *, zero_state: bool = False) -> LanguageModel:
        """The head in a folder of `elmo pretrain`.

        Raises:
            ModelError: The folder holds none, its vocabulary is missing, or the model reads forward only.
        """
        config, folder = saved.config, saved.folder
        saved.require_language_head()
        if config.directions != 2:
            raise ModelError(f"{folder} is a forward language model; expected both directions")
        head = saved.language_head(dtype=str(engine.model.dtype).removeprefix("torch."))
        vocabulary = saved.vocabulary()
        if len(vocabulary) != config.vocab_size:
            raise ModelError(f"{folder}/vocab.txt has {len(vocabulary)} words; its head predicts {config.vocab_size}")
        return cls(engine, head.to(engine.model.device), vocabulary, zero_state=zero_state)

    @torch.inference_mode()
    def score(self, sentences: Sequence[Sequence[str]]) -> list[Score]:
        """See `Encoder.score`."""
        scores: list[Score] = []
        for window in word_windows(sentences, words=len, most_sentences=_WINDOW_SENTENCES, most_words=_WINDOW_WORDS):
            tops = self._tops(window)
            # A literal marker in a text is a word that the vocabulary lacks, as in `elmo evaluate`.
            known = [[word in self._vocabulary and word not in MARKERS for word in words] for words in window]
            ids = [
                [self._vocabulary[word] if there else UNK_ID for word, there in zip(words, row, strict=True)]
                for words, row in zip(window, known, strict=True)
            ]
            begin, end = self._vocabulary[BOS], self._vocabulary[EOS]
            # All targets of both directions go through the softmax together.
            hidden = torch.cat([*(top[:-1, : self._size] for top in tops), *(top[1:, self._size :] for top in tops)])
            targets = [*(each for row in ids for each in (*row, end)), *(each for row in ids for each in (begin, *row))]
            nll = self._head.nll(hidden, torch.tensor(targets, device=hidden.device))
            bits = nll.cpu().double().numpy() / math.log(2)
            borders = np.cumsum([len(row) + 1 for row in ids])[:-1]
            ahead, back = (np.split(half, borders) for half in np.split(bits, 2))
            for words, row, to_right, to_left in zip(window, known, ahead, back, strict=True):
                end_bits, begin_bits = float(to_right[-1]), float(to_left[0])
                there = np.array(row, dtype=bool)
                scores.append(Score(list(words), to_right[:-1], to_left[1:], there, end=end_bits, begin=begin_bits))
        return scores

    @torch.inference_mode()
    def substitutes(self, words: Sequence[str], i: int, k: int) -> list[Substitute]:
        """See `Encoder.substitutes`."""
        if not -len(words) <= i < len(words):
            raise IndexError(f"The sentence has {len(words)} words; there is no word {i}.")
        if k < 1:
            raise ConfigError(f"k is {k}; expected at least 1.")
        place = i % len(words)
        (top,) = self._tops([words])
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

    def _tops(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """The top layer (words + 2, D) of every sentence, sentence markers included."""
        layers = self._engine.layers(sentences, batch_size=_BATCH_SIZE, zero_state=self._zero_state, markers=True)
        tops = {number: found[-1] for number, found in layers}
        return [tops[number] for number in range(len(sentences))]
