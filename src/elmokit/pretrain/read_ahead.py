"""Reading a little ahead of the one who needs it: on a thread, or in processes where a GPU needs more than one core."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from elmokit.pretrain.stream import PackedBatch
from elmokit.pretrain.updates import Updates

_T = TypeVar("_T")

_MOST_WORKERS = 8
_UPDATES_AHEAD = 4  # of each worker


def default_workers(device_type: str, *, processes: int, carries_state: bool) -> int:
    """Processes that read for each training process.

    A thread makes batches of some 500,000 words/s where words are augmented and Python has nothing else to do: more
    than a processor trains on, less than a GPU does. A stream is read by one, for each batch continues the last.
    """
    if device_type == "cpu" or carries_state or "fork" not in multiprocessing.get_all_start_methods():
        return 0
    return max(min((os.cpu_count() or 1) // processes - 1, _MOST_WORKERS), 0)


def read_updates(
    updates: Updates, epoch: int, first: int, *, count: int, workers: int, pin: bool
) -> Iterator[list[PackedBatch]]:
    """``count`` updates of an epoch from the ``first`` on, or as many as it has, in order whatever the ``workers``.

    Args:
        workers: Processes that read; 0: a thread.
        pin: Whether the batches are to lie in memory that a GPU reads by itself.
    """
    if workers == 0:
        yield from read_ahead(islice(updates.read(epoch, first), count))
        return
    updates.steps(epoch)  # planned here, for all workers
    loader = DataLoader(
        _Updates(updates, epoch, first),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=_UPDATES_AHEAD,
        collate_fn=list,  # as it is
        pin_memory=pin,
        generator=torch.Generator(),  # the seeds of the workers, which draw nothing, are not taken from the run's
        multiprocessing_context="fork",  # the plan of an epoch, which is large, is not copied
    )
    yield from islice(loader, count)


class _Updates(IterableDataset[list[PackedBatch]]):
    """Worker i of n reads update i of each n: `DataLoader` takes from one worker after the other."""

    def __init__(self, updates: Updates, epoch: int, first: int) -> None:
        self.updates, self.epoch, self.first = updates, epoch, first

    def __iter__(self) -> Iterator[list[PackedBatch]]:
        worker = get_worker_info()
        assert worker is not None
        return self.updates.read(self.epoch, self.first + worker.id, every=worker.num_workers)


def read_ahead(items: Iterator[_T], depth: int = 4) -> Iterator[_T]:
    """Read ``items`` on a thread, ``depth`` of them ahead; an error there is raised here."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(kind: str, value: Any) -> None:
        while not stop.is_set():
            try:
                waiting.put((kind, value), timeout=0.2)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put("item", item)
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (handed over, not hidden: raised where the items are read)
            put("error", error)
        put("end", None)

    thread = threading.Thread(target=work, daemon=True, name="elmokit-batches")
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stop.set()
        thread.join()
