"""Any number of inputs through a function of lists, with the memory of a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Input = TypeVar("_Input")
_Result = TypeVar("_Result")


def in_chunks(
    inputs: Iterable[_Input], predict: Callable[[list[_Input]], list[_Result]], *, chunk: int
) -> Iterator[tuple[_Input, _Result]]:
    """Each input with its result, in order; `predict` gets `chunk` of them at a time."""
    source = iter(inputs)
    while part := list(islice(source, chunk)):
        yield from zip(part, predict(part), strict=True)
