"""Processes that work for this one, and end with it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait


def worker_pool(count: int, begin: Callable[..., None], *arguments: object) -> ProcessPoolExecutor:
    """Spawned processes, since threads of torch do not survive a fork; each calls `begin(*arguments)` first.

    They end at once when this process is gone, by whatever signal: otherwise they would keep computing, with the
    folders they write to locked.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(begin, arguments))


def _begin(begin: Callable[..., None], arguments: tuple[object, ...]) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    begin(*arguments)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # what is written grows under another name until it is whole
