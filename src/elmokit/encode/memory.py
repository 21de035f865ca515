"""How much memory batches of embedding may take."""

from __future__ import annotations

from elmokit.machine import size_in_bytes

_LAYERS = 24 << 20  # of a batch, in float32
_NARROW_LAYERS = 96 << 20  # with narrow weights, which save more and are best widened for many sentences at once
_SHARES = 3  # the layers of a batch, as much again for the LSTM to work on, and results that wait

Memory = int | str


def memory_in_bytes(memory: Memory | None) -> int | None:
    """Bytes, or a text like "256MB" or "1GB" (a kilobyte has 1,024), in bytes; None stays None.

    Raises:
        ConfigError: Anything else.
    """
    return None if memory is None else size_in_bytes(memory, name="memory")


def layer_budget(memory: int | None, *, narrow: bool = False) -> int:
    """Bytes that the layers of a batch may take in float32, never fewer than by default.

    `narrow`: the weights are.
    """
    return max(_NARROW_LAYERS if narrow else _LAYERS, share(memory))


def share(memory: int | None) -> int:
    """Bytes of each of the things that fill it; 0 where it is not given."""
    return 0 if memory is None else memory // _SHARES
