"""The progress bar of long work: share done, time left and rate, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def rate_bar(what: str, total: int | None, *, unit: str, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar named `what`; the value it gives advances it by a number of `unit`. No `total`: it only moves."""
    if not show:  # the packages that draw take longer to import than a sentence to encode
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    rate = TextColumn(f"{{task.fields[rate]:,.0f}} {unit}/s")
    began, done = time.perf_counter(), 0
    with Progress(*columns, rate, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, rate=0.0)

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress.update(task, completed=done, rate=done / max(time.perf_counter() - began, 1e-9))

        yield advance


@contextmanager
def parts_bar(what: str, total: int, *, done: int, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar of finished parts, with the words per second and the time left that they give; `done` are there already.

    The value it gives advances it by one part of so many words.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} parts"))
    rate = TextColumn("{task.fields[rate]:,.0f} words/s, {task.fields[left]} left")
    began, words, finished = time.perf_counter(), 0, 0
    with Progress(*columns, rate, console=Console(stderr=True), disable=not show) as progress:
        task = progress.add_task(what, total=total, completed=done, rate=0.0, left="?")

        def advance(count: int) -> None:
            nonlocal words, finished
            words, finished = words + count, finished + 1
            seconds = max(time.perf_counter() - began, 1e-9)
            left = seconds / finished * (total - done - finished)
            shown = f"{int(left // 3600)}:{int(left % 3600 // 60):02d}:{int(left % 60):02d}"
            progress.update(task, completed=done + finished, rate=words / seconds, left=shown)

        yield advance
