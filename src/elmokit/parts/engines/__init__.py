"""Where parts are computed: on this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from elmokit.parts.work import Part, Result, Work

EngineName = Literal["local", "ray"]


class Engine(Protocol):
    """Runs a work over parts."""

    def results(self, work: Work, windows: Iterator[list[Part]]) -> Iterator[Result]:
        """The parts as they are done, in any order; each window is a list of parts in memory.

        Raises:
            ConfigError: The engine cannot begin with these settings here.
            DataError: A part killed its worker again and again.
        """
        ...
