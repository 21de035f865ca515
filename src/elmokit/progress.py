"""The progress of long work on standard error: a bar on a terminal, a line per minute in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MINUTE = 60.0  # seconds


@contextmanager
def rate_bar(what: str, total: int | None, *, unit: str, show: bool, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar named `what`; the value it gives advances it by a number of `unit`.

    No `total`: it only moves. It begins at `done`. Lines printed meanwhile appear above it.
    """
    if not show:  # the packages that draw take longer to import than a sentence to encode
        yield lambda count: None
        return
    if not sys.stderr.isatty():
        yield _MinuteLines(what, total, unit=unit, done=done).advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    rate = TextColumn(f"{{task.fields[rate]:,.0f}} {unit}/s")
    began, now = time.perf_counter(), done
    on_terminal = sys.stdout.isatty()  # else what is printed goes where it was sent
    with Progress(*columns, rate, console=Console(stderr=True), redirect_stdout=on_terminal) as progress:
        task = progress.add_task(what, total=total, completed=done, rate=0.0)

        def advance(count: int) -> None:
            nonlocal now
            now += count
            progress.update(task, completed=now, rate=(now - done) / max(time.perf_counter() - began, 1e-9))

        yield advance


@contextmanager
def parts_bar(what: str, total: int, *, done: int, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar of finished parts, with the words per second and the time left that they give; `done` are there already.

    The value it gives advances it by one part of so many words.
    """
    if show and not sys.stderr.isatty():
        lines = _MinuteLines(what, total, unit="parts", done=done)
        yield lambda count: lines.advance(1)
        return
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


class _MinuteLines:
    """A line whenever a minute has passed, for output that nobody redraws."""

    def __init__(self, what: str, total: int | None, *, unit: str, done: int = 0) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._began = self._told = time.monotonic()
        self._before = self._done = done

    def advance(self, count: int) -> None:
        """`count` more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._told < _MINUTE:
            return
        self._told = now
        rate = (self._done - self._before) / (now - self._began)
        line = f"{self._what}: {self._done:,} {self._unit}, {rate:,.1f} {self._unit}/s"
        if self._total:
            left = (self._total - self._done) / max(rate, 1e-9)
            line += f", {self._done / self._total:.0%}, about {left / 60:,.0f} min left"
        print(line, file=sys.stderr, flush=True)
