"""Two jobs side by side on a CPU, each with half the threads and no barrier between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

import torch

_T = TypeVar("_T")
_LEAST_ROWS = 64  # for two halves; fewer are done before the second thread is awake


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="elmokit-second")


def side_by_side(jobs: Sequence[Callable[[], _T]], device: torch.device) -> list[_T]:
    """Results of all jobs: of two at the same time where there are threads to share, else of one after the other."""
    threads = torch.get_num_threads()
    if len(jobs) != 2 or threads < 2 or device.type != "cpu":
        return [job() for job in jobs]
    inference = torch.is_inference_mode_enabled()

    def beside() -> _T:
        with torch.inference_mode(inference), torch.no_grad():  # both modes belong to a thread
            return jobs[1]()

    torch.set_num_threads(threads // 2)
    try:
        other = _second_thread().submit(beside)
        try:
            mine = jobs[0]()
        finally:
            other.exception()  # never leave it running
        return [mine, other.result()]
    finally:
        torch.set_num_threads(threads)


def each_direction(work: Callable[[int], _T], directions: int, device: torch.device) -> list[_T]:
    """Run ``work`` for every reading direction of a biLM, which never meet."""
    return side_by_side([partial(work, direction) for direction in range(directions)], device)


def row_halves(rows: int) -> list[slice]:
    """Rows in two halves for `side_by_side`, or as one part where they are few or there is one thread."""
    if rows < _LEAST_ROWS or torch.get_num_threads() < 2:
        return [slice(0, rows)]
    return [slice(0, rows // 2), slice(rows // 2, rows)]
