"""Batches of like length, made without touching single words in Python.

A data set hands out whole batches (`__getitems__`, which torch's loader calls when it is there), so the collator has
nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from elmokit.tasks.classification.features import LayerStore
from elmokit.tasks.classification.tokens import TokenizedTexts

Batch = dict[str, Tensor]


class LayerDataset(Dataset[Batch]):
    """Texts as stored biLM layers: batches of `layers` (B, L, T, D) float16, `attention_mask` (B, T), `labels` (B,).

    `rows` picks the texts of this split out of the store.
    """

    def __init__(self, store: LayerStore, labels: NDArray[np.int64] | None, *, rows: NDArray[np.int64]) -> None:
        self.store, self.labels, self.rows = store, labels, rows
        self.lengths = store.lengths[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        picked = np.asarray(indices, dtype=np.int64)
        layers, mask = self.store.batch(self.rows[picked])
        return _with_labels({"layers": layers, "attention_mask": mask}, self.labels, picked)


class CharDataset(Dataset[Batch]):
    """Texts as characters: batches of `char_ids` (B, T, characters) int64, `attention_mask` (B, T), `labels` (B,)."""

    def __init__(self, tokens: TokenizedTexts, labels: NDArray[np.int64] | None, *, rows: NDArray[np.int64]) -> None:
        self.tokens, self.labels, self.rows = tokens, labels, rows
        self.lengths = tokens.lengths[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        picked = np.asarray(indices, dtype=np.int64)
        lengths = self.lengths[picked]
        chars = np.zeros((len(picked), int(lengths.max()), self.tokens.chars.shape[1]), dtype=np.int64)
        for place, row in enumerate(self.rows[picked]):
            start, end = self.tokens.offsets[row], self.tokens.offsets[row + 1]
            chars[place, : end - start] = self.tokens.chars[self.tokens.ids[start:end]]
        mask = np.arange(chars.shape[1]) < lengths[:, None]  # (B, T)
        batch = {"char_ids": torch.from_numpy(chars), "attention_mask": torch.from_numpy(mask.astype(np.int64))}
        return _with_labels(batch, self.labels, picked)


def _with_labels(batch: Batch, labels: NDArray[np.int64] | None, picked: NDArray[np.int64]) -> Batch:
    if labels is not None:
        batch["labels"] = torch.from_numpy(labels[picked])
    return batch


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
