"""The one thread that computes. What waits for it is bounded, and like requests that wait are computed together."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, TypeVar, cast

from elmokit.web.errors import ApiError, busy

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(eq=False)
class _Job:
    key: Hashable  # None: computed alone
    items: Sequence[Any]
    call: Callable[[Sequence[Any]], Sequence[Any]]
    cost: int
    done: Future[list[Any]] = field(default_factory=Future)


class Worker:
    """Runs jobs one after the other in a thread of its own.

    Args:
        waiting: Most jobs that wait; one more is refused (503).
        seconds: A job that is not done by then is given up (503).
        together: Jobs of one key are joined up to this cost (words).
    """

    def __init__(self, *, waiting: int, seconds: float, together: int = 4096) -> None:
        self._most, self._seconds, self._together = waiting, seconds, together
        self._jobs: deque[_Job] = deque()
        self._changed = Condition()
        self._closing = False
        self._pace = 0.2  # seconds a job, a moving mean; jobs computed together share their time
        self._began: float | None = None  # of what is being computed
        self._thread: Thread | None = None
        self.open()

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._jobs)

    def seconds_to_wait(self) -> int:
        """Until what waits now is done, by how quickly jobs were done of late: whole seconds, from 1 to 60."""
        began = self._began
        under_way = 0.0 if began is None else max(self._pace - (time.perf_counter() - began), 0.0)
        return min(60, max(1, math.ceil(self._pace * len(self._jobs) + under_way)))

    async def run(self, call: Callable[[], _R]) -> _R:
        """The result of `call`, computed in the thread.

        Raises:
            ApiError: Too many jobs wait, or it took too long (503).
        """
        (result,) = await self._result(_Job(None, [None], lambda _: [call()], 0))
        return cast(_R, result)

    async def joined(
        self, key: Hashable, items: Sequence[_T], call: Callable[[Sequence[_T]], Sequence[_R]], *, cost: int
    ) -> list[_R]:
        """A result an item; `call` may get the items of other jobs of this key, too. Raises as `run`."""
        return cast(list[_R], await self._result(_Job(key, items, call, cost)))

    def open(self) -> None:
        """Take jobs, again after `close`."""
        if self._thread is None:
            self._closing = False
            self._thread = Thread(target=self._work, name="elmokit-worker", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def _result(self, job: _Job) -> list[Any]:
        with self._changed:
            if self._closing:
                raise busy("The server is shutting down.", seconds=5)
            if len(self._jobs) >= self._most:
                raise busy(f"{self._most} requests are waiting.", seconds=self.seconds_to_wait())
            self._jobs.append(job)
            self._changed.notify()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job.done), self._seconds)
        except TimeoutError:
            raise ApiError(
                503,
                f"This took longer than {self._seconds:g} s.",
                code="timeout",
                hint="Ask for less at once.",
                retry_after=self.seconds_to_wait(),
            ) from None

    def _work(self) -> None:
        while jobs := self._next():
            running = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            if running:
                self._began = time.perf_counter()
                _compute(running)
                each = (time.perf_counter() - self._began) / len(running)
                self._began = None
                for _ in running:
                    self._pace += 0.2 * (each - self._pace)
            del jobs, running  # or the last results stay until the next job comes

    def _next(self) -> list[_Job]:
        """The oldest job, and those of its key that wait; empty at the end."""
        with self._changed:
            while not self._jobs and not self._closing:
                self._changed.wait()
            if not self._jobs:
                return []
            jobs = [self._jobs.popleft()]
            cost = jobs[0].cost
            if jobs[0].key is not None:
                for job in [job for job in self._jobs if job.key == jobs[0].key]:
                    if cost + job.cost > self._together:
                        break
                    self._jobs.remove(job)
                    jobs.append(job)
                    cost += job.cost
            return jobs


def _compute(jobs: list[_Job]) -> None:
    try:
        results = jobs[0].call([item for job in jobs for item in job.items])
    except Exception as error:  # noqa: BLE001 (it belongs to whoever asked)
        if len(jobs) > 1:  # one of them is at fault: not the others
            for job in jobs:
                _compute([job])
        else:
            jobs[0].done.set_exception(error)
        return
    start = 0
    for job in jobs:
        job.done.set_result(list(results[start : start + len(job.items)]))
        start += len(job.items)
