"""Batches of like length, made without touching single words in Python.

A data set hands out whole batches (`__getitems__`, which torch's loader calls when it is there), so the collator has
nothing left to do.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from elmokit.tasks.inputs.layer_store import LayerStore
from elmokit.tasks.inputs.tokens import TokenizedTexts

Batch = dict[str, Tensor]
IGNORED = -100  # the label of padding, as in transformers


class BatchDataset(Dataset[Batch]):
    """A data set that hands out whole batches; `lengths` (rows,) are what batches of like length are made by."""

    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The batch of these rows."""
        raise NotImplementedError


class RowDataset(BatchDataset):
    """The rows of one split: picks them out of texts that several splits may share, hands out batches.

    Subclasses give the batch of some texts. Where labels are known they go with it, as `labels`.

    Args:
        offsets: (texts + 1,) where the words of each text lie.
        rows: (rows,) the texts of this split.
        labels: (rows,) a class for each row; or
        word_labels: (words of all texts,) a class for each word; a batch gets them as (B, T), -100 in the padding.
    """

    def __init__(
        self,
        offsets: NDArray[np.int64],
        *,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64] | None = None,
        word_labels: NDArray[np.int64] | None = None,
    ) -> None:
        self.offsets, self.rows, self.labels, self.word_labels = offsets, rows, labels, word_labels
        self.lengths = np.diff(offsets)[rows]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        picked = np.asarray(indices, dtype=np.int64)
        batch = self.texts(self.rows[picked])
        if self.labels is not None:
            batch["labels"] = torch.from_numpy(self.labels[picked])
        if self.word_labels is not None:
            batch["labels"] = self.padded(self.word_labels, self.rows[picked], filling=IGNORED)
        return batch

    def texts(self, numbers: NDArray[np.int64]) -> Batch:
        """The batch of the texts of these numbers, without labels."""
        raise NotImplementedError

    def padded(self, values: NDArray[np.int64], numbers: NDArray[np.int64], *, filling: int) -> Tensor:
        """A value a word (words of all texts,), of some texts: (B, T) int64."""
        lengths = self.offsets[numbers + 1] - self.offsets[numbers]
        rows = np.full((len(numbers), int(lengths.max(initial=0))), filling, dtype=np.int64)
        for row, number, length in zip(rows, numbers, lengths, strict=True):
            row[:length] = values[self.offsets[number] : self.offsets[number] + length]
        return torch.from_numpy(rows)

    def part(self, indices: NDArray[np.int64]) -> Self:
        """The same data set of some of its rows."""
        part = copy.copy(self)
        part.rows, part.lengths = self.rows[indices], self.lengths[indices]
        part.labels = None if self.labels is None else self.labels[indices]
        return part


class LayerDataset(RowDataset):
    """Texts as stored biLM layers: batches of `layers` (B, L, T, D) float16, `attention_mask` (B, T), and labels.

    `static_ids` (words of all texts,), where given, are the numbers of static vectors: batches get them as (B, T).
    `spelling`, where given, are the same texts with the bytes of their words as rows, which batches get as (B, T, L).
    """

    def __init__(
        self,
        store: LayerStore,
        *,
        static_ids: NDArray[np.int64] | None = None,
        spelling: TokenizedTexts | None = None,
        **rows_and_labels: Any,
    ) -> None:
        super().__init__(store.offsets, **rows_and_labels)
        self.store, self.static_ids, self.spelling = store, static_ids, spelling

    def texts(self, numbers: NDArray[np.int64]) -> Batch:
        """See the class."""
        layers, mask = self.store.batch(numbers)
        batch = {"layers": layers, "attention_mask": mask}
        if self.static_ids is not None:
            batch["static_ids"] = self.padded(self.static_ids, numbers, filling=0)
        if self.spelling is not None:
            batch["spelling"] = _word_rows(self.spelling, numbers)
        return batch


class CharDataset(RowDataset):
    """Texts as the model reads them: batches of `char_ids` (B, T, width) int64, `attention_mask` (B, T), and labels.

    `sentence_ids` (words of all texts,) tell sentences apart where texts hold several: batches get them as (B, T).
    """

    def __init__(
        self, tokens: TokenizedTexts, *, sentence_ids: NDArray[np.int64] | None = None, **rows_and_labels: Any
    ) -> None:
        super().__init__(tokens.offsets, **rows_and_labels)
        self.tokens, self.sentence_ids = tokens, sentence_ids

    def texts(self, numbers: NDArray[np.int64]) -> Batch:
        """See the class."""
        chars = _word_rows(self.tokens, numbers)
        lengths = self.offsets[numbers + 1] - self.offsets[numbers]
        mask = np.arange(chars.shape[1]) < lengths[:, None]  # (B, T)
        batch = {"char_ids": chars, "attention_mask": torch.from_numpy(mask.astype(np.int64))}
        if self.sentence_ids is not None:
            batch["sentence_ids"] = self.padded(self.sentence_ids, numbers, filling=0)
        return batch


def _word_rows(tokens: TokenizedTexts, numbers: NDArray[np.int64]) -> Tensor:
    """The rows of the words of some texts, (B, T, width) int64, zeros in the padding."""
    starts, ends = tokens.offsets[numbers], tokens.offsets[numbers + 1]
    rows = np.zeros((len(numbers), int((ends - starts).max()), tokens.rows.shape[1]), dtype=np.int64)
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        rows[place, : end - start] = tokens.rows[tokens.ids[start:end]]
    return torch.from_numpy(rows)


def by_falling_length(data: BatchDataset, *, batch_size: int) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """All rows of `data` without their labels, the longest first: numbers of rows, and their batch."""
    order: NDArray[np.int64] = np.argsort(-data.lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        picked = order[start : start + batch_size]
        batch = data.__getitems__(picked.tolist())
        batch.pop("labels", None)
        yield picked, batch


def as_is(batch: Any) -> Any:
    """The collator of data sets that already hand out batches."""
    return batch


class LengthGroupedSampler(Sampler[int]):
    """Random order in which each run of `batch_size` rows has like lengths.

    Rows are shuffled, sorted by length within blocks of `blocks` batches, and the batches shuffled again. The order is
    a function of seed and epoch alone, so that a resumed run sees what the uninterrupted one would have seen.
    """

    def __init__(self, lengths: NDArray[np.int64], *, batch_size: int, seed: int, blocks: int = 50) -> None:
        self.lengths, self.batch_size, self.seed, self.blocks = lengths, batch_size, seed, blocks
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate's loader before each pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self.seed, self.epoch])
        order = random.permutation(len(self.lengths))
        size = self.batch_size * self.blocks
        for start in range(0, len(order), size):
            block = order[start : start + size]
            order[start : start + size] = block[np.argsort(self.lengths[block], kind="stable")]
        full = len(order) - len(order) % self.batch_size  # the short last batch stays last
        batches = order[:full].reshape(-1, self.batch_size)
        return iter(np.concatenate([batches[random.permutation(len(batches))].ravel(), order[full:]]).tolist())


class LongestFirstSampler(Sampler[int]):
    """All rows by falling length: the least padding, for passes that only measure."""

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        self.order: list[int] = np.argsort(-lengths, kind="stable").tolist()

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)
