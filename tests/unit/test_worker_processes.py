"""Processes that work for another one do not outlive it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from elmokit.worker_processes import worker_pool

_FOLDER: list[Path] = []


def begin(folder: str) -> None:
    _FOLDER.append(Path(folder))


def beat(name: str) -> None:
    """Work without an end, which shows that it is alive."""
    with (_FOLDER[0] / name).open("ab", buffering=0) as file:
        while True:
            file.write(b".")
            time.sleep(0.02)


def main(folder: str) -> None:
    pool = worker_pool(2, begin, folder)
    for name in ("a", "b"):
        pool.submit(beat, name)
    time.sleep(3600)


def test_workers_end_when_their_process_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, __file__, str(tmp_path)])
    beats = [tmp_path / "a", tmp_path / "b"]
    try:
        _wait(lambda: all(path.is_file() and path.stat().st_size > 3 for path in beats))
    finally:
        parent.kill()
        parent.wait()

    def quiet() -> bool:
        before = [path.stat().st_size for path in beats]
        time.sleep(0.5)
        return before == [path.stat().st_size for path in beats]

    _wait(quiet)


def _wait(so: Callable[[], bool]) -> None:
    for _ in range(600):
        if so():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


if __name__ == "__main__":
    main(sys.argv[1])
