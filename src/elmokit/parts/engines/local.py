"""Parts on this machine: in this process, or in several others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from elmokit.errors import DataError
from elmokit.parts.work import Part, Result, Work, Worker
from elmokit.worker_processes import worker_pool

ATTEMPTS = 3
"""How often a part may lose its process."""

_worker: Worker | None = None


@dataclass(frozen=True)
class LocalEngine:
    """Attributes:
    actors: Processes; a single one is this process itself.
    """

    actors: int = 1

    def results(self, work: Work, windows: Iterator[list[Part]]) -> Iterator[Result]:
        """See `Engine`."""
        if self.actors == 1:
            worker = Worker(work)
            for window in windows:
                yield from map(worker, window)
            return
        yield from _Pool(self.actors, work).run(part for window in windows for part in window)


class _Pool:
    """Processes that are replaced when one of them dies: by a signal, or out of memory."""

    def __init__(self, actors: int, work: Work) -> None:
        self.actors, self.work = actors, work
        self.lost: Counter[int] = Counter()
        self.executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return worker_pool(self.actors, _begin, self.work)

    def run(self, parts: Iterator[Part]) -> Iterator[Result]:
        running: dict[Future[Result], Part] = {}
        again: list[Part] = []
        try:
            while True:
                while len(running) < self.actors + 1 and (part := again.pop() if again else next(parts, None)):
                    running[self.executor.submit(_compute, part)] = part
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    part = running.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        again += self._replace_processes([part, *running.values()])
                        running.clear()
                        break
        finally:
            self.executor.shutdown(cancel_futures=True)

    def _replace_processes(self, parts: list[Part]) -> list[Part]:
        """New processes for these parts, which were under way when one died."""
        self.lost.update(part.number for part in parts)
        part = max(parts, key=lambda part: self.lost[part.number])
        if self.lost[part.number] > ATTEMPTS * self.actors:
            raise DataError(
                f"the processes that computed part {part.number} ({part.range.file}) were killed again and again: is "
                "there memory for --actors models? What is done is kept"
            )
        self.executor.shutdown(wait=False)
        self.executor = self._start()
        return parts


def _begin(work: Work) -> None:
    global _worker
    _worker = Worker(work)


def _compute(part: Part) -> Result:
    if _worker is None:
        raise RuntimeError("the process was not begun")
    return _worker(part)
