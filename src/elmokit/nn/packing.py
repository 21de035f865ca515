"""Packed rows: sentences of unequal length laid out so that no padded position is ever computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Packing:
    """Where each packed row of a batch comes from, for both reading directions.

    Rows are sorted by falling length and laid out time-major, as in PyTorch's ``PackedSequence``: first the first word
    of every sentence, then the second word of every sentence that has one, and so on. The backward direction reads each
    sentence from its own last word, so both directions share ``batch_sizes``.

    ``forward`` and ``backward`` are (N,) positions in the flattened (B * stride) batch; ``order`` (B,) is the sentence
    of each sorted row (an empty sentence has a row, the last ones, and no packed step).
    """

    forward: Tensor
    backward: Tensor
    batch_sizes: list[int]
    order: Tensor

    @classmethod
    def ragged(cls, lengths: Sequence[int]) -> Packing:
        """Pack sentences that lie one behind the other without padding: positions are into (sum of lengths,)."""
        length = np.asarray(lengths, dtype=np.int64)
        return cls._at(length, np.cumsum(length) - length)

    @classmethod
    def of(cls, lengths: Sequence[int], *, stride: int | None = None) -> Packing:
        """Pack sentences of these lengths that lie ``stride`` positions apart (default: the longest length).

        Raises:
            ValueError: A length below 0 or above ``stride``: it would read the words of its neighbour.
        """
        length = np.asarray(lengths, dtype=np.int64)
        if len(length) and (length.min() < 0 or (stride is not None and length.max() > stride)):
            raise ValueError(f"Sentence lengths are {length.min()} to {length.max()}; expected 0 to {stride}.")
        step = int(length.max(initial=0)) if stride is None else stride
        return cls._at(length, np.arange(len(length)) * step)

    @classmethod
    def _at(cls, length: NDArray[np.int64], starts: NDArray[np.int64]) -> Packing:
        order = np.argsort(-length, kind="stable")
        sorted_length = length[order]
        longest = int(sorted_length[0]) if len(length) else 0
        active = np.arange(longest)[:, None] < sorted_length[None, :]  # (T, B)
        time, row = np.nonzero(active)
        start = starts[order[row]]
        return cls(
            forward=torch.from_numpy(start + time),
            backward=torch.from_numpy(start + sorted_length[row] - 1 - time),
            batch_sizes=active.sum(axis=1).tolist(),
            order=torch.from_numpy(order),
        )
