"""The compiled kernels, called through ctypes: found, checked and loaded once per process.

`kernels.c` is compiled where elmokit is built, if a C compiler is there (`hatch_build.py`); it links with only
libc. ctypes releases the GIL during a call, so the two directions of a biLM run in parallel on Python threads.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from ctypes import CDLL, c_char_p, c_float, c_int, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from torch import Tensor, bfloat16, dtype, float32

log = logging.getLogger(__name__)

ABI_VERSION = 2
SWITCH = "ELMOKIT_KERNELS"
"""Environment variable: "off" runs the PyTorch code even where the compiled kernels are there."""
SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}
FILE = Path(__file__).with_name(f"elmokit_kernels{SUFFIXES.get(sys.platform, '.so')}")

Kernel: TypeAlias = Callable[..., None]

_SIZE, _POINTER, _NUMBER = c_int64, c_void_p, c_float
_TYPED: dict[str, list[type]] = {
    "forward_step": [_SIZE, _SIZE, *[_POINTER] * 4, _NUMBER, _POINTER, _POINTER, _POINTER, _POINTER],
    "backward_step": [_SIZE, _SIZE, *[_POINTER] * 6, _NUMBER, _POINTER],
    "output_gradient": [_SIZE, _POINTER, _POINTER, _POINTER, _NUMBER],
    "infer_step": [_SIZE, _SIZE, *[_POINTER] * 5, _NUMBER, _POINTER],
    "cross_entropy": [_SIZE, _SIZE, _POINTER, _POINTER, _POINTER, _POINTER],
    "cross_entropy_gradient": [_SIZE, _SIZE, *[_POINTER] * 5],
}
_PRODUCT: list[type] = [_SIZE, _SIZE, _SIZE, _POINTER, _POINTER, _SIZE, _POINTER]
_INFER_STEPS: list[type] = [
    _SIZE,
    _POINTER,
    _SIZE,
    _SIZE,
    _POINTER,
    _POINTER,
    _POINTER,
    _POINTER,
    _SIZE,
    _NUMBER,
    _NUMBER,
    _POINTER,
    _POINTER,
    _POINTER,
    _POINTER,
]


@dataclass(frozen=True)
class TypedKernels:
    """The kernels for one number type; see `kernel_list.h` for their arguments."""

    forward_step: Kernel
    backward_step: Kernel
    output_gradient: Kernel
    infer_step: Kernel
    cross_entropy: Kernel
    cross_entropy_gradient: Kernel


@dataclass(frozen=True)
class Kernels:
    """The kernels of a loaded library.

    Attributes:
        instruction_set: "AVX-512", "AVX2" or "baseline", the best one that the processor has.
    """

    instruction_set: str
    of_type: dict[dtype, TypedKernels]
    product: Kernel
    infer_steps: Kernel


def kernels_for(x: Tensor) -> TypedKernels | None:
    """The kernels for numbers of the type and place of x, or None: then the PyTorch code runs."""
    library = kernels() if x.device.type == "cpu" else None
    return None if library is None else library.of_type.get(x.dtype)


def kernels() -> Kernels | None:
    """The library, or None where it is missing, switched off or does not load (one warning)."""
    return _found()[0]


def status() -> str:
    """Which code runs between the products, and why, for `elmo info`."""
    return _found()[1]


@cache
def _found() -> tuple[Kernels | None, str]:
    if os.environ.get(SWITCH, "").lower() == "off":
        return None, f"PyTorch (kernels switched off by {SWITCH})"
    if not FILE.is_file():
        return None, "PyTorch (no compiled kernels: there was no C compiler when elmokit was installed)"
    try:
        library = load(FILE)
    except (OSError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())
        log.warning("the compiled kernels cannot be used, PyTorch runs in their place (slower): %s", reason)
        return None, f"PyTorch ({reason})"
    return library, f"compiled, {library.instruction_set}"


def load(file: Path) -> Kernels:
    """Load a library.

    Raises:
        OSError: It does not load here: damaged, or built for another kind of processor.
        AttributeError, ValueError: It is no such library, or one of another version.
    """
    library = CDLL(str(file))
    found = int(library.elmokit_abi())
    if found != ABI_VERSION:
        raise ValueError(f"{file} has interface version {found}; expected {ABI_VERSION}: install elmokit again")
    library.elmokit_instruction_set.restype = c_char_p
    of_type = {}
    for kind, suffix in ((float32, "f32"), (bfloat16, "bf16")):
        of_type[kind] = TypedKernels(
            **{name: _kernel(library, f"{name}_{suffix}", types) for name, types in _TYPED.items()}
        )
    return Kernels(
        library.elmokit_instruction_set().decode(),
        of_type,
        _kernel(library, "product", _PRODUCT),
        _kernel(library, "infer_steps", _INFER_STEPS),
    )


def use_instruction_set(file: Path, name: str) -> bool:
    """Make a loaded library use "baseline", "AVX2" or "AVX-512" from now on; False where the processor lacks it."""
    library = CDLL(str(file))
    library.elmokit_use.argtypes, library.elmokit_use.restype = [c_char_p], c_int
    return bool(library.elmokit_use(name.encode()))


def _kernel(library: CDLL, name: str, types: list[type]) -> Kernel:
    function = getattr(library, f"elmokit_{name}")
    function.argtypes, function.restype = types, None
    kernel: Kernel = function
    return kernel
