"""The updates of a run, each of one batch or of several whose gradients are summed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from elmokit.pretrain.stream import Batches, PackedBatch


class Updates:
    """Successive batches of an epoch, ``accumulate`` of them per update; the last one of an epoch may have fewer.

    A pure function of what the batches are one of, so a run resumes at any update.
    """

    def __init__(self, batches: Batches, accumulate: int) -> None:
        self.batches, self.accumulate = batches, accumulate

    @property
    def carries_state(self) -> bool:
        """Whether a batch starts from the states that the one before left."""
        return self.batches.carries_state

    def steps(self, epoch: int) -> int:
        """Updates of an epoch."""
        return -(-self.batches.steps(epoch) // self.accumulate)

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        """(steps,): predictions of each update in one direction, over all processes."""
        each = self.batches.predictions(epoch)
        return np.add.reduceat(each, np.arange(0, len(each), self.accumulate)) if len(each) else each

    def borders(self, epoch: int) -> list[int]:
        """Updates at which another number of processes can take over, see `Batches.borders`."""
        return [step // self.accumulate for step in self.batches.borders(epoch) if step % self.accumulate == 0]

    def read(self, epoch: int, first: int = 0, *, every: int = 1) -> Iterator[list[PackedBatch]]:
        """The batches of each update, or of ``every`` so many updates, from the ``first`` update on."""
        batches = self.batches.read(
            epoch,
            first * self.accumulate,
            every=1 if every == 1 else every * self.accumulate,
            together=1 if every == 1 else self.accumulate,
        )
        while update := list(islice(batches, self.accumulate)):
            yield update
