"""Numbers that are to be learned, from the text of files."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError


def numbers_of(placed: Iterable[tuple[str, str]], *, flag: str) -> NDArray[np.float32]:
    """The numbers (N,) of labels, each with its place.

    Raises:
        DataError: One is no finite number; with file and line.
    """
    values = []
    for label, place in placed:
        try:
            value = float(label)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise DataError(f"{place}: {label[:40]!r} is no number; expected one with target: number (--{flag})")
        values.append(value)
    return np.array(values, dtype=np.float32)
