"""What a run says while it goes: a JSON line an event, TensorBoard scalars, a progress bar."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from elmokit.whole_files import JsonObject, json_text, write_text


class Journal:
    """``log.jsonl`` and ``tensorboard/`` of a run folder. Entries carry the step they belong to.

    ``from_step`` and ``from_epochs`` (those with figures) say what of an earlier journal still holds: what a killed run
    wrote after the checkpoint that is being resumed will be written again. The run began at ``first_step``.
    """

    def __init__(
        self, folder: Path, *, active: bool, from_step: int, from_epochs: Collection[float] = (), first_step: int = 0
    ) -> None:
        self._path = folder / "log.jsonl"
        self._active = active
        if not active:
            return
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        kept = ""
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:  # torn
                continue
            begun = from_step > first_step and entry["step"] <= from_step
            if begun and (entry["event"] != "epoch" or entry["epoch"] in from_epochs):
                kept += f"{line}\n"
        if lines:
            write_text(self._path, kept)
        self._file = self._path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=from_step + 1)

    def write(self, event: str, step: int, **values: Any) -> None:
        """One event; numbers become scalars called ``event/name`` in TensorBoard."""
        if not self._active:
            return
        self._file.write(json_text({"event": event, "step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, int | float) and math.isfinite(value):
                self._board.add_scalar(f"{event}/{name}", value, step)

    def close(self) -> None:
        if self._active:
            self._file.close()
            self._board.close()


def write_json(path: Path, content: JsonObject) -> None:
    """A JSON file that is whole or as it was."""
    write_text(path, json_text(content, indent=1) + "\n")


class Bar:
    """A progress bar over all steps of a run, with words a second, time left and running perplexity."""

    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self._progress = progress
        self._task = progress.add_task("pretraining", total=total, completed=done, rate="", note="")
        self._started, self._tokens = time.perf_counter(), 0

    def advance(self, step: int, tokens: int, note: str) -> None:
        self._tokens += tokens
        rate = self._tokens / max(time.perf_counter() - self._started, 1e-9)
        self._progress.update(self._task, completed=step, rate=f"{rate:,.0f} words/s", note=note)

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(total: int, *, done: int, show: bool) -> Iterator[Bar]:
    """A bar on standard error; lines said go above it (and alone where there is no terminal)."""
    console = Console(stderr=True, quiet=not show)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4) as progress:
        yield Bar(progress, total, done)
