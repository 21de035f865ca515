"""Reading on a thread of its own, a little ahead of the one who needs it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

_T = TypeVar("_T")


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
