"""From a prepared corpus to packed training batches: independent sentences, or endless rows with carried state.

Both kinds are a pure function of (corpus, settings, seed, epoch, step), which is what makes a resumed run equal to one
that was never stopped. A sentence ``w1 … wn`` gives n + 1 predictions a direction: forward reads ``<S> w1 … wn`` and
predicts ``w1 … wn </S>``; backward reads ``</S> wn … w1`` and predicts ``wn … w1 <S>``. With an `Augmentation` some of
what is read is spelled differently; what is predicted stays as written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.nn.packing import Packing
from elmokit.pretrain.augment import Augmentation
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.shards import SentenceList
from elmokit.text.vocab import UNK_ID

BOS_ID, EOS_ID = 0, 1

_POOL_BATCHES = 64
"""Batches whose sentences are sorted by length together: enough for few ragged ends, few enough to stay random."""


@dataclass(frozen=True)
class PackedBatch:
    """What `ElmoForPreTraining.forward` takes, and what the words are.

    ``predictions`` are those of the whole step, over all processes, in one direction.
    """

    words: Tensor  # (U,) ids of the distinct words that are read
    chars: Tensor  # (U, 50)
    index: Tensor  # (D, N)
    targets: Tensor  # (D, N)
    batch_sizes: list[int]
    predictions: int

    def to(self, device: torch.device) -> PackedBatch:
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> PackedBatch:
        """In memory that a GPU reads by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> PackedBatch:
        return replace(
            self,
            words=change(self.words),
            chars=change(self.chars),
            index=change(self.index),
            targets=change(self.targets),
        )


class Batches(Protocol):
    """Training batches of one process of a run."""

    carries_state: bool

    def steps(self, epoch: int) -> int: ...

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        """(steps,): predictions of each step in one direction, over all processes."""
        ...

    def borders(self, epoch: int) -> list[int]:
        """Steps before which the batches so far do not depend on the number of processes; the first is 0."""
        ...

    def read(self, epoch: int, first: int = 0, *, every: int = 1, together: int = 1) -> Iterator[PackedBatch]:
        """The batches from the ``first`` on, or of ``every`` so many of them the first ``together``."""
        ...


def chosen_steps(first: int, end: int, *, every: int, together: int) -> Iterator[int]:
    """Numbers below ``end``: ``together`` from ``first`` on, as many from ``first + every`` on, and so forth."""
    return (step for start in range(first, end, every) for step in range(start, min(start + together, end)))


def _pack(
    corpus: Corpus,
    words: NDArray[np.int64],
    targets: NDArray[np.int64],
    sizes: list[int],
    total: int,
    augmentation: Augmentation | None,
) -> PackedBatch:
    """words and targets (D, N) are word ids; targets beyond the vocabulary become ``<UNK>``."""
    distinct, index = np.unique(words, return_inverse=True)
    rows = np.asarray(corpus.inputs[distinct]) if augmentation is None else augmentation.rows(distinct)
    return PackedBatch(
        words=torch.from_numpy(distinct),
        chars=torch.from_numpy(rows),
        index=torch.from_numpy(index.reshape(words.shape)),
        targets=torch.from_numpy(np.where(targets < len(corpus.vocab), targets, UNK_ID)),
        batch_sizes=sizes,
        predictions=total,
    )


def pack_sentences(
    corpus: Corpus,
    sentences: Sequence[NDArray[np.int32]],
    *,
    directions: int = 2,
    total: int | None = None,
    read: Sequence[NDArray[np.int64]] | None = None,
    augmentation: Augmentation | None = None,
) -> PackedBatch:
    """Whole sentences (ids without markers) as one batch from zero states.

    ``read`` are the ids that ``augmentation`` gives for them, where some words are read otherwise than written.
    """
    lengths = np.array([len(sentence) + 1 for sentence in sentences])
    stride = int(lengths.max()) + 1
    packing = Packing.of(lengths.tolist(), stride=stride)
    forward, backward = packing.forward.numpy(), packing.backward.numpy()
    written = _marked_rows(sentences, stride)
    inputs = written if read is None else _marked_rows(read, stride)
    words = np.stack([inputs[forward], inputs[backward + 1]][:directions])
    targets = np.stack([written[forward + 1], written[backward]][:directions])
    predictions = int(lengths.sum()) if total is None else total
    return _pack(corpus, words, targets, packing.batch_sizes, predictions, augmentation)


def _marked_rows(sentences: Sequence[NDArray[np.integer]], stride: int) -> NDArray[np.int64]:
    """(n * stride,): each sentence between its markers."""
    ids = np.full((len(sentences), stride), BOS_ID, dtype=np.int64)
    for row, sentence in zip(ids, sentences, strict=True):
        row[1 : len(sentence) + 1] = sentence
        row[len(sentence) + 1] = EOS_ID
    return ids.ravel()


class SentenceBatches:
    """Independent sentences of like length, up to ``tokens`` predictions a batch over all processes.

    ``most_sentences`` is a second bound. ``window`` is the number of these sentences in a text of many windows: each
    has an order of its own.
    """

    carries_state = False

    def __init__(
        self,
        corpus: Corpus,
        sentences: SentenceList,
        *,
        tokens: int,
        seed: int = 0,
        shuffle: bool = True,
        directions: int = 2,
        rank: int = 0,
        world: int = 1,
        most_sentences: int | None = None,
        augmentation: Augmentation | None = None,
        window: int | None = None,
    ) -> None:
        self.window = window
        self.corpus, self.sentences, self.augmentation = corpus, sentences, augmentation
        self.tokens, self.seed, self.shuffle, self.directions = tokens, seed, shuffle, directions
        self.most_sentences = most_sentences
        self.rank, self.world = rank, world
        self._planned: tuple[int, list[NDArray[np.int64]]] | None = None

    def steps(self, epoch: int) -> int:
        return len(self._plan(epoch))

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        lengths = self.sentences.lengths
        return np.array([int(lengths[chosen].sum()) + len(chosen) for chosen in self._plan(epoch)], dtype=np.int64)

    def borders(self, epoch: int) -> list[int]:
        return [0]

    def read(self, epoch: int, first: int = 0, *, every: int = 1, together: int = 1) -> Iterator[PackedBatch]:
        lengths, plan = self.sentences.lengths, self._plan(epoch)
        for step in chosen_steps(first, len(plan), every=every, together=together):
            chosen = plan[step]
            total = int(lengths[chosen].sum()) + len(chosen)
            numbers = chosen[self.rank :: self.world].tolist()
            mine = [self.sentences[number] for number in numbers]
            read = None
            if self.augmentation is not None:
                pairs = zip(mine, numbers, strict=True)
                read = [self.augmentation.read(words, epoch=epoch, number=number) for words, number in pairs]
            yield pack_sentences(
                self.corpus, mine, directions=self.directions, total=total, read=read, augmentation=self.augmentation
            )

    def _plan(self, epoch: int) -> list[NDArray[np.int64]]:
        """The sentences of every batch of an epoch, the same on all processes; each process gets some of each batch."""
        if self._planned is not None and self._planned[0] == epoch:
            return self._planned[1]
        generator = np.random.default_rng([self.seed, epoch, *([] if self.window is None else [self.window])])
        costs = np.asarray(self.sentences.lengths, dtype=np.int64) + 1
        order = generator.permutation(len(costs)) if self.shuffle else np.arange(len(costs))
        size = self.tokens * _POOL_BATCHES
        pools = np.split(order, np.searchsorted(costs[order].cumsum(), np.arange(size, int(costs.sum()), size)))
        batches: list[NDArray[np.int64]] = []
        for pool in pools:
            pool = pool[np.argsort(costs[pool], kind="stable")]
            ends = costs[pool].cumsum()
            first, spent = 0, 0
            while first < len(pool):  # cut where the token budget is full; a longer sentence is a batch of its own
                end = max(int(np.searchsorted(ends, spent + self.tokens, side="right")), first + 1)
                if self.most_sentences is not None:
                    end = min(end, first + self.most_sentences)
                batches.append(pool[first:end])
                first, spent = end, int(ends[end - 1])
        if self.shuffle:
            batches = [batches[i] for i in generator.permutation(len(batches))]
        filled: list[NDArray[np.int64]] = []
        for batch in batches:  # one with fewer sentences than processes joins the one before: all work in every step
            if filled and (len(batch) < self.world or len(filled[-1]) < self.world):
                filled[-1] = np.concatenate([filled[-1], batch])
            else:
                filled.append(batch)
        self._planned = (epoch, filled if not filled or len(filled[-1]) >= self.world else [])
        return self._planned[1]


class StreamBatches:
    """The reference's truncated back-propagation: ``rows`` streams of text cut into windows, their states carried on.

    Each direction has an order of its own. A row is a stretch of about 1/rows of the sentences, so that with
    ``shuffle=False`` one row is the text as it stands. What does not fill all rows evenly is left out of an epoch:
    fewer than ``rows`` predictions.
    """

    carries_state = True

    def __init__(
        self,
        corpus: Corpus,
        sentences: SentenceList,
        *,
        rows: int,
        window: int,
        seed: int = 0,
        shuffle: bool = True,
        directions: int = 2,
        rank: int = 0,
        world: int = 1,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.corpus, self.sentences, self.augmentation = corpus, sentences, augmentation
        self.rows, self.window, self.directions = rows, window, directions
        self.seed, self.shuffle = seed, shuffle
        self.mine = range(rank * rows // world, (rank + 1) * rows // world)
        self._predictions = int(sentences.n_tokens) + len(sentences)

    def steps(self, epoch: int) -> int:
        return -(-(self._predictions // self.rows) // self.window) if len(self.sentences) else 0

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        starts = np.arange(self.steps(epoch), dtype=np.int64) * self.window
        return self.rows * np.minimum(self.window, self._predictions // self.rows - starts)

    def borders(self, epoch: int) -> list[int]:
        return []  # the states of the rows belong to their processes

    def read(self, epoch: int, first: int = 0, *, every: int = 1, together: int = 1) -> Iterator[PackedBatch]:
        if (every, together) != (1, 1):
            raise ValueError("A stream is read batch after batch: each starts from the states of the one before.")
        per_row = self._predictions // self.rows
        positions = [row * per_row + first * self.window for row in self.mine]
        lengths = np.asarray(self.sentences.lengths, dtype=np.int64)
        readers: list[list[_StreamReader]] = []
        for direction in range(self.directions):  # all rows of it share its order, as long as the text has sentences
            generator = np.random.default_rng([self.seed, epoch, direction])
            order = generator.permutation(len(lengths)) if self.shuffle else np.arange(len(lengths))
            make = partial(
                _StreamReader,
                self.sentences,
                order,
                (lengths[order] + 1).cumsum(),
                backward=direction == 1,
                epoch=epoch,
                augmentation=self.augmentation,
            )
            readers.append([make(position) for position in positions])
        for step in range(first, self.steps(epoch)):
            window = min(self.window, per_row - step * self.window)
            taken = np.array([[reader.take(window) for reader in rows] for rows in readers])  # (D, B, 2, T)
            time_major = taken.transpose(2, 0, 3, 1).reshape(2, self.directions, -1)
            sizes, predictions = [len(self.mine)] * window, window * self.rows
            yield _pack(self.corpus, time_major[0], time_major[1], sizes, predictions, self.augmentation)


class _StreamReader:
    """Reads (word, target) pairs of sentences in a given order, from the ``position``-th prediction on.

    ``ends`` counts the predictions up to the end of each sentence of the order.
    """

    def __init__(
        self,
        sentences: SentenceList,
        order: NDArray[np.int64],
        ends: NDArray[np.int64],
        position: int,
        *,
        backward: bool,
        epoch: int,
        augmentation: Augmentation | None,
    ) -> None:
        self.sentences, self.order, self.backward = sentences, order, backward
        self.epoch, self.augmentation = epoch, augmentation
        self.next = int(np.searchsorted(ends, position, side="right"))
        before = int(ends[self.next - 1]) if self.next else 0
        self.pairs = self._sentence()[:, position - before :]

    def _sentence(self) -> NDArray[np.int64]:
        """(2, n + 1) words and targets of the next sentence; after the last one the order begins again."""
        number = int(self.order[self.next % len(self.order)])
        self.next += 1
        written = self.sentences[number]
        targets = _marked(written)
        inputs = targets
        if self.augmentation is not None:
            inputs = _marked(self.augmentation.read(written, epoch=self.epoch, number=number))
        if self.backward:
            inputs, targets = inputs[::-1], targets[::-1]
        return np.stack([inputs[:-1], targets[1:]])

    def take(self, count: int) -> NDArray[np.int64]:
        while self.pairs.shape[1] < count:
            self.pairs = np.concatenate([self.pairs, self._sentence()], axis=1)
        taken, self.pairs = self.pairs[:, :count], self.pairs[:, count:]
        return taken


def _marked(words: NDArray[np.integer]) -> NDArray[np.int64]:
    """(n + 2,): a sentence between its markers."""
    return np.concatenate([[BOS_ID], words, [EOS_ID]]).astype(np.int64)
