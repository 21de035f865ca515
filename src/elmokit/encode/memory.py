"""How much memory batches of embedding may take."""

from __future__ import annotations

import re

import torch

from elmokit.errors import ConfigError

_LAYERS = 24 << 20  # of a batch, in float32
_NARROW_LAYERS = 96 << 20  # with narrow weights, which save more and are best widened for many sentences at once
_SHARES = 3  # the layers of a batch, as much again for the LSTM to work on, and results that wait

_UNITS = {"": 0, "B": 0, "KB": 10, "MB": 20, "GB": 30}
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?B)?", re.IGNORECASE)

Memory = int | str


def memory_in_bytes(memory: Memory | None) -> int | None:
    """Bytes, or a text like "256MB" or "1GB" (a kilobyte has 1,024), in bytes; None stays None.

    Raises:
        ConfigError: Anything else.
    """
    if memory is None:
        return None
    if isinstance(memory, str) and (found := _TEXT.fullmatch(memory.strip())) is not None:
        number, unit = found[1], (found[2] or "").upper()
        memory = int(float(number) * (1 << _UNITS[unit]))
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 1:
        raise ConfigError(f"memory is {memory!r}; expected a number of bytes, or a size as '256MB' or '1GB'.")
    return memory


def layer_budget(memory: int | None, dtype: torch.dtype) -> int:
    """Bytes that the layers of a batch may take in float32; never fewer than by default."""
    return max(_LAYERS if dtype == torch.float32 else _NARROW_LAYERS, share(memory))


def share(memory: int | None) -> int:
    """Bytes of each of the things that fill it; 0 where it is not given."""
    return 0 if memory is None else memory // _SHARES
