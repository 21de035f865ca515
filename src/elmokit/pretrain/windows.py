"""Batches of a text of many shards: window after window, so that memory does not grow with the text.

An epoch permutes the shards and takes them in windows of about `WINDOW_TOKENS` words; the sentences of a window are
shuffled together, as those of a small text are. The order is a pure function of (seed, epoch, step) and, within a
window, of the number of processes only where a batch has fewer sentences than processes. So a run can continue with
another number of processes at the border of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.pretrain.augment import Augmentation
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.shard_files import WINDOW_TOKENS, ShardedText, ShardSentences
from elmokit.pretrain.stream import PackedBatch, SentenceBatches, chosen_steps

_SHARDS = 0x54A2D  # keeps this draw apart from those of sentences


class WindowedBatches:
    """Independent sentences of a text in shards.

    Args:
        corpus: Whose vocabulary and characters are used.
        text: Its training text.
        seed, shuffle: As of `SentenceBatches`.
        window_tokens: Words of a window, about.
        augmentation: Changes the spelling of a window, made from its number (`window`) and that of its `sentences`.
        options: Of each window's `SentenceBatches`.
    """

    carries_state = False

    def __init__(
        self,
        corpus: Corpus,
        text: ShardedText,
        *,
        seed: int = 0,
        shuffle: bool = True,
        window_tokens: int = WINDOW_TOKENS,
        augmentation: Callable[..., Augmentation] | None = None,
        **options: Any,
    ) -> None:
        self.corpus, self.text, self.seed, self.shuffle = corpus, text, seed, shuffle
        self.window_tokens, self.augmentation, self.options = window_tokens, augmentation, options
        self._predictions: tuple[int, list[NDArray[np.int64]]] | None = None

    def windows(self, epoch: int) -> list[NDArray[np.int64]]:
        """The shards of each window of an epoch."""
        count = len(self.text.sizes)
        order = (
            np.random.default_rng([self.seed, epoch, _SHARDS]).permutation(count) if self.shuffle else np.arange(count)
        )
        ends = self.text.sizes[order, 1].cumsum()
        cuts = np.searchsorted(ends, np.arange(self.window_tokens, self.text.n_tokens, self.window_tokens)) + 1
        return [window for window in np.split(order, np.unique(cuts)) if len(window)]

    def steps(self, epoch: int) -> int:
        return sum(map(len, self._by_window(epoch)))

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        return np.concatenate(self._by_window(epoch)) if self._by_window(epoch) else np.zeros(0, dtype=np.int64)

    def borders(self, epoch: int) -> list[int]:
        return list(accumulate(map(len, self._by_window(epoch)[:-1]), initial=0))

    def read(self, epoch: int, first: int = 0, *, every: int = 1, together: int = 1) -> Iterator[PackedBatch]:
        wanted = chosen_steps(first, self.steps(epoch), every=every, together=together)
        step = next(wanted, None)
        end = 0
        for number, (window, steps) in enumerate(zip(self.windows(epoch), self._by_window(epoch), strict=True)):
            begin, end = end, end + len(steps)
            if step is None or step >= end:
                continue
            batches = self._batches(window, number, check=True)
            while step is not None and step < end:
                yield from batches.read(epoch, step - begin, every=len(steps))
                step = next(wanted, None)

    def _by_window(self, epoch: int) -> list[NDArray[np.int64]]:
        """The predictions of each step of each window; to know them the lengths of all sentences are read once."""
        if self._predictions is None or self._predictions[0] != epoch:
            found = [
                self._batches(window, number, check=False).predictions(epoch)
                for number, window in enumerate(self.windows(epoch))
            ]
            self._predictions = (epoch, found)
        return self._predictions[1]

    def _batches(self, window: NDArray[np.int64], number: int, *, check: bool) -> SentenceBatches:
        sentences = ShardSentences([self.text.shard(shard) for shard in window.tolist()], check=check)
        augmentation = None
        if self.augmentation is not None and check:
            augmentation = self.augmentation(sentences=len(sentences), window=number)
        return SentenceBatches(
            self.corpus,
            sentences,
            seed=self.seed,
            shuffle=self.shuffle,
            window=number,
            augmentation=augmentation,
            **self.options,
        )
