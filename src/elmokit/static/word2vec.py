"""CBOW and skip-gram with negative sampling (Mikolov et al. 2013), trained by gensim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from gensim.models import Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.word2vec import MAX_WORDS_IN_BATCH

from elmokit.static.numbered import NumberedText
from elmokit.static.vectors import WordVectors

Method = Literal["cbow", "skipgram"]


def word2vec_vectors(
    text: NumberedText,
    *,
    method: Method,
    dim: int = 256,
    window: int = 4,
    negative: int = 5,
    epochs: int = 5,
    subsample: float = 1e-3,
    learning_rate: float = 0.025,
    seed: int = 1,
    on_sentence: Callable[[], None] = lambda: None,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> WordVectors:
    """Train on one thread: with more, gensim's result depends on their race.

    Args:
        text: Sentences over the vocabulary; rare words are left out before windows are laid, as word2vec does.
        method: "cbow" or "skipgram".
        dim, window, negative, epochs, subsample, learning_rate, seed: As gensim names them (`vector_size`, `sample`,
            `alpha`).
        on_sentence: Called at every sentence read: once a sentence and epoch, and once to build the vocabulary.
        on_epoch: Called with the number of an epoch and the mean loss of a word in it.
    """
    model = Word2Vec(
        _Sentences(text, on_sentence),
        vector_size=dim,
        window=window,
        min_count=1,
        sg=int(method == "skipgram"),
        negative=negative,
        epochs=epochs,
        sample=subsample,
        alpha=learning_rate,
        seed=seed,
        workers=1,
        compute_loss=True,
        callbacks=[_Losses(on_epoch, words=int(text.counts.sum()))],
        max_vocab_size=None,
    )
    return WordVectors(text.words, model.wv[text.words])


class _Sentences:
    """What gensim reads several times, in pieces of 10,000 words: of a longer sentence it drops the rest."""

    def __init__(self, text: NumberedText, on_sentence: Callable[[], None]) -> None:
        self._text, self._on_sentence = text, on_sentence

    def __iter__(self) -> Iterator[list[str]]:
        for words in self._text.sentences():
            self._on_sentence()
            for start in range(0, max(len(words), 1), MAX_WORDS_IN_BATCH):
                yield words[start : start + MAX_WORDS_IN_BATCH]


class _Losses(CallbackAny2Vec):  # type: ignore[misc]
    """gensim sums the loss over the whole training, in single precision: it is set back after each epoch."""

    def __init__(self, on_epoch: Callable[[int, float], None], *, words: int) -> None:
        self._on_epoch, self._words, self._epoch = on_epoch, words, 0

    def on_epoch_end(self, model: Word2Vec) -> None:
        self._epoch += 1
        self._on_epoch(self._epoch, float(model.get_latest_training_loss()) / self._words)
        model.running_training_loss = 0.0
