"""Ctrl-C asks a run to stop where it can be resumed."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interruption:
    """While it is open, the first SIGINT sets ``requested``, a second one raises ``KeyboardInterrupt`` at once.

    A signal in the middle of an update would leave half-changed weights: a run looks at ``requested`` between steps.
    Outside the main thread, and where SIGINT is ignored (``nohup``), nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._watching = False

    def __enter__(self) -> Interruption:
        self._before = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        self._watching = main and callable(self._before)
        if self._watching:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
