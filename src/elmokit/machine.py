"""What the machine has to work with."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from functools import cache
from pathlib import Path

from elmokit.errors import ConfigError

_UNITS = {"": 0, "B": 0, "KB": 10, "MB": 20, "GB": 30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?B)?", re.IGNORECASE)


def size_in_bytes(size: int | str, *, name: str) -> int:
    """Bytes, or a text like "256MB" or "1GB" (a kilobyte has 1,024), in bytes; `name` begins an error.

    Raises:
        ConfigError: Anything else.
    """
    given: object = size
    if isinstance(size, str) and (found := _SIZE.fullmatch(size.strip())) is not None:
        number, unit = found[1], (found[2] or "").upper()
        given = int(float(number) * (1 << _UNITS[unit]))
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigError(f"{name} is {size!r}; expected a number of bytes, or a size as '256MB' or '1GB'.")
    return given


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def processor_name() -> str:
    """The processor's model, with the units for products in narrow types that Linux says it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", "").split())
    units = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    family = f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
    return f"{facts.get('model name', platform.machine())} ({family}; {', '.join(units) or 'no wide units'})"


@cache
def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def keep_freed_memory() -> None:
    """Let the allocator of glibc reuse large blocks instead of returning each to the system.

    Every training step allocates and frees the same hundred megabytes; without this each step pays for its page faults.
    """
    if (libc := _glibc()) is not None:
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(mmap_threshold, 2**30)


def return_freed_memory() -> None:
    """Give free memory back to the system, once: the holes between blocks of many sizes add up."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)
