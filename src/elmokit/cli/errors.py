"""Turn the errors a user can mend into one line and an exit code; everything else keeps its traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from elmokit.errors import ElmokitError
from elmokit.extras import explained

MENDABLE = 2
INTERRUPTED = 130


def describe(error: BaseException, *, resume: str = "nothing half-written") -> tuple[str, int] | None:
    """The line to print and the exit code, or None for an error that is a bug and deserves its traceback.

    `resume` says how an interrupted command continues.
    """
    if isinstance(error, ElmokitError):
        return f"error: {one_line(error)}", MENDABLE
    if isinstance(error, ModuleNotFoundError) and (missing := explained(error)) is not None:
        return f"error: {one_line(missing)}", MENDABLE
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted: {resume}", INTERRUPTED
    if is_full_disk(error):
        return f"error: no space left on the disk ({one_line(error)}); free some or choose another --output", MENDABLE
    if isinstance(error, OSError) and error.filename is not None:
        return f"error: {error.filename}: {error.strerror}", MENDABLE
    return None


def is_full_disk(error: BaseException) -> bool:
    """True for a full disk or quota, also when a native writer (torch, safetensors) wrapped the system's error."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    text = str(error).lower()
    return "no space left on device" in text or "os error 28" in text


def one_line(error: BaseException) -> str:
    """The message without line breaks."""
    return " ".join(str(error).split())


@contextmanager
def one_line_errors(*, resume: str = "nothing half-written") -> Iterator[None]:
    """Leave the process with one line on stderr for what `describe` knows; let the rest through."""
    try:
        yield
    except BaseException as error:
        described = describe(error, resume=resume)
        if described is None:
            raise
        line, code = described
        print(line, file=sys.stderr, flush=True)
        raise SystemExit(code) from None
