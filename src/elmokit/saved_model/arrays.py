"""The weights of a model folder as NumPy arrays, for programs without PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from elmokit.errors import ModelError
from elmokit.saved_model.weight_files import WEIGHTS_FILE, place_of

Array = NDArray[np.float32]
_PART = re.compile(r"(.+?)(?:\[(\d)\])?(\.T)?")


class WeightArrays:
    """The tensors of `model.safetensors`, read one by one, in float32.

    Raises:
        ModelError: There is no such file.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / WEIGHTS_FILE
        if not self._file.is_file():
            raise ModelError(f"{folder} has no {WEIGHTS_FILE}: the backend 'onnx' reads no other weights")

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Tensors by name. `NAME[0]` is the first part of one, `NAME.T` it transposed, `NAME[0].T` both.

        Raises:
            ModelError: One is missing, the file is damaged, or its numbers are of a type that NumPy lacks (bfloat16).
        """
        arrays: dict[str, Array] = {}
        with self._opened() as file:
            keys = set(file.keys())
            for name in names:
                found = _PART.fullmatch(name)
                assert found is not None
                own, direction, transposed = found.groups()
                place = place_of(own, keys)
                if place not in keys:
                    raise ModelError(f"{self._file} lacks the tensor {own}")
                tensor = file.get_tensor(place)
                if direction is not None:
                    tensor = tensor[int(direction)]
                arrays[name] = np.asarray(tensor.T if transposed else tensor, dtype=np.float32, order="C")
        return arrays

    def names(self, *prefixes: str) -> list[str]:
        """The names that begin with one of `prefixes`, as a biLM without a head around it has them; sorted."""
        with self._opened() as file:
            bare = [name.removeprefix("elmo.") for name in file.keys()]  # noqa: SIM118 (no mapping)
        return sorted(name for name in bare if name.startswith(prefixes))

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Of a tensor; None: there is none of that name."""
        with self._opened() as file:
            keys = set(file.keys())
            place = place_of(name, keys)
            return tuple(file.get_slice(place).get_shape()) if place in keys else None

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with safe_open(self._file, "numpy") as file:
                yield file
        except (SafetensorError, OSError, TypeError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"the weights in {self._file} cannot be read as NumPy arrays: {reason} (bfloat16: convert them with "
                "--dtype float32)"
            ) from error
