"""Run the cells of a plan, several at a time; one that fails does not take the others with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from elmokit.errors import ElmokitError
from elmokit.experiments.cells import DONE, Cell
from elmokit.machine import usable_cores
from elmokit.progress import rate_bar
from elmokit.worker_processes import worker_pool

log = logging.getLogger(__name__)

Failures = dict[Path, str]  # why a cell's results are missing


def run_cells(cells: Mapping[Path, Cell], *, processes: int | None = None, progress: bool = True) -> Failures:
    """Run what is not done yet, each cell behind those it needs; those that most work depends on first.

    Args:
        cells: By folder.
        processes: Cells at a time, one thread each; one per core by default.
        progress: Show a bar, and a line a cell.

    Returns:
        Why cells failed, a line each. What failed is tried again by the next call.
    """
    waiting = {folder: cell for folder, cell in cells.items() if not cell.done}
    log.info("%d of %d pieces of work are done already", len(cells) - len(waiting), len(cells))
    failures: Failures = {}
    if not waiting:
        return failures
    count = min(processes or usable_cores(), len(waiting))
    with rate_bar("study", sum(cell.work for cell in waiting.values()), unit="texts", show=progress) as advance:

        def finished(cell: Cell, error: str | None) -> None:
            advance(cell.work)
            if error is None:
                log.info("%s: done", cell.label)
            else:
                failures[cell.folder] = error
                log.warning("%s: %s", cell.label, error)

        if count == 1:
            for cell in waiting.values():
                missing = _missing(cell, failures)
                finished(cell, missing if missing is not None else _attempt(cell))
        else:
            _side_by_side(waiting, failures, finished, count)
    return failures


Finished = Callable[[Cell, str | None], None]


def _side_by_side(waiting: Mapping[Path, Cell], failures: Failures, finished: Finished, count: int) -> None:
    left, ahead = dict(waiting), _work_ahead(waiting)
    going: dict[Future[str | None], Cell] = {}
    pool = worker_pool(count, _one_thread)
    try:
        while left or going:
            for cell in _ready(left, failures, ahead)[: count - len(going)]:
                del left[cell.folder]
                missing = _missing(cell, failures)
                if missing is None:
                    going[pool.submit(_attempt, cell)] = cell
                else:
                    finished(cell, missing)
            done, _ = wait(going, return_when=FIRST_COMPLETED)
            broken = [going.pop(future) for future in done if isinstance(future.exception(), BrokenProcessPool)]
            for future in done & going.keys():
                finished(going.pop(future), future.result())
            if broken:  # a process died, and took the pool with it
                for cell in [*broken, *going.values()]:
                    finished(cell, _alone(cell))
                going.clear()
                pool.shutdown()
                pool = worker_pool(count, _one_thread)
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(cell: Cell) -> str | None:
    """Run a cell in a process of its own, to know whether it was the one that died."""
    with worker_pool(1, _one_thread) as pool:
        try:
            return pool.submit(_attempt, cell).result()
        except BrokenProcessPool:
            return "its process died, perhaps out of memory: try with fewer --processes"


def _work_ahead(cells: Mapping[Path, Cell]) -> dict[Path, int]:
    """The longest way from the begin of each cell to the end of the study, as if there were a core for each.

    Cells that others need come before those.
    """
    behind: dict[Path, int] = {}
    ahead: dict[Path, int] = {}
    for cell in reversed(list(cells.values())):
        ahead[cell.folder] = cell.work + behind.get(cell.folder, 0)
        for need in cell.needs:
            behind[need] = max(behind.get(need, 0), ahead[cell.folder])
    return ahead


def _ready(left: Mapping[Path, Cell], failures: Failures, ahead: Mapping[Path, int]) -> list[Cell]:
    """The cells that can begin, or never will; first those with most work ahead."""
    free = [cell for cell in left.values() if not any(need in left for need in cell.needs)]
    ready = [cell for cell in free if all(need in failures or (need / DONE).is_file() for need in cell.needs)]
    return sorted(ready, key=lambda cell: -ahead[cell.folder])


def _missing(cell: Cell, failures: Failures) -> str | None:
    return next((f"not begun: {failures[need]}" for need in cell.needs if need in failures), None)


def _attempt(cell: Cell) -> str | None:
    """Run a cell; what a user can mend comes back as a line."""
    try:
        cell.run()
    except ElmokitError as error:
        return " ".join(str(error).split())
    except OSError as error:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return None


def _one_thread() -> None:
    """What a worker starts with: one thread, and messages no louder than warnings."""
    import signal

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
