"""One driver per output folder: a lock of the operating system, or on an object store a lease that is renewed."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock, Timeout

from elmokit.errors import ConfigError
from elmokit.places import Place

RENEWED, EXPIRES = 15.0, 60.0  # seconds


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the lock file `place`; it is removed at the end.

    Raises:
        ConfigError: Another process holds it.
    """
    with _locked_file(place) if place.is_local else _leased(place):
        yield


@contextmanager
def _locked_file(place: Place) -> Iterator[None]:
    place.path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"another process is writing to {place.path.parent}: wait for it, or name another folder (jobs that share "
            "one folder say so with --parts i/n)"
        ) from None
    try:
        yield
    finally:
        place.path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _leased(place: Place) -> Iterator[None]:
    mine = {"host": socket.gethostname(), "pid": os.getpid(), "began": time.time()}
    holder = _holder(place)
    if holder is not None:
        raise ConfigError(
            f"{holder['host']} (process {holder['pid']}) is writing to this folder: wait for it, or for {EXPIRES:g} s "
            f"if it died; {place} is its lock"
        )
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(RENEWED):
            place.write_bytes(json.dumps({**mine, "time": time.time()}).encode())

    place.write_bytes(json.dumps({**mine, "time": time.time()}).encode())
    thread = threading.Thread(target=renew, daemon=True, name="elmokit-lease")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        place.remove()


def _holder(place: Place) -> dict[str, Any] | None:
    """Who has the lease; nobody where it has expired, or its process was one of this machine and is gone."""
    try:
        holder = dict(json.loads(place.read_bytes()))
    except (FileNotFoundError, ValueError):
        return None
    if time.time() - holder["time"] >= EXPIRES:
        return None
    if holder["host"] == socket.gethostname():
        try:
            os.kill(int(holder["pid"]), 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return holder
    return holder
