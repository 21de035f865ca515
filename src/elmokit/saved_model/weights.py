"""The tensors of a model folder: one safetensors file, several with an index, or a state dict of PyTorch."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from elmokit.errors import ConfigError, ModelError
from elmokit.saved_model.weight_files import INDEX_FILE, PYTORCH_FILE, WEIGHTS_FILE, place_of
from elmokit.whole_files import read_json_object

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Read = Callable[[str], Tensor]


class WeightFiles:
    """The weights in a folder by name; they are read when a module is filled.

    Raises:
        ModelError: There are none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not any((folder / name).is_file() for name in (WEIGHTS_FILE, INDEX_FILE, PYTORCH_FILE)):
            raise ModelError(f"{folder} has no weights; expected {WEIGHTS_FILE} next to config.json.")

    def fill(self, module: nn.Module, *, name: str, prefix: str = "", dtype: str = "float32") -> None:
        """Give a module its weights; other heads in the files are passed over.

        A biLM is found alone or inside of a model with a head, whose names begin with `elmo.`.

        Args:
            module: Gets new tensors under its own names.
            name: What the module is, for errors.
            prefix: What its names begin with in the files.
            dtype: Of the floating-point weights in memory.

        Raises:
            ModelError: The files are damaged, or a tensor is missing or of another shape.
            ConfigError: An unknown `dtype`.
        """
        if dtype not in DTYPES:
            raise ConfigError(f"Unknown dtype {dtype!r}. Expected one of: {', '.join(DTYPES)}.")
        wanted = module.state_dict()
        with self._opened() as (shapes, read):
            places = {own: place_of(prefix + own, shapes) for own in wanted}
            missing = sorted(own for own, place in places.items() if place not in shapes)
            for own, place in sorted(places.items()):
                if place in shapes and shapes[place] != tuple(wanted[own].shape):
                    raise ModelError(
                        f"{self._folder}: {place} is {shapes[place]}; its config.json asks for "
                        f"{tuple(wanted[own].shape)}."
                    )
            if missing:
                raise ModelError(
                    f"{self._folder} lacks {len(missing)} tensors of {name}, the first is {prefix}{missing[0]}."
                )
            state = {}
            for own, place in places.items():
                tensor = read(place)
                # In memory of its own: the file may be gone, or written anew, before the network is.
                state[own] = tensor.to(DTYPES[dtype] if tensor.is_floating_point() else tensor.dtype, copy=True)
        module.load_state_dict(state, assign=True)

    @contextmanager
    def _opened(self) -> Iterator[tuple[dict[str, tuple[int, ...]], Read]]:
        """The shape of every tensor, and a function that reads one."""
        one, index = self._folder / WEIGHTS_FILE, self._folder / INDEX_FILE
        try:
            with ExitStack() as stack:
                if not one.is_file() and not index.is_file():
                    state = torch.load(self._folder / PYTORCH_FILE, map_location="cpu", weights_only=True)
                    yield {name: tuple(tensor.shape) for name, tensor in state.items()}, state.__getitem__
                    return
                names = [one.name] if one.is_file() else sorted(set(read_json_object(index)["weight_map"].values()))
                files: list[Any] = [stack.enter_context(safe_open(self._folder / name, "pt")) for name in names]
                home = {name: file for file in files for name in file.keys()}  # noqa: SIM118 (no mapping)
                shapes = {name: tuple(file.get_slice(name).get_shape()) for name, file in home.items()}
                yield shapes, lambda name: home[name].get_tensor(name)
        except _UNREADABLE as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"The weights in {self._folder} cannot be read: {reason}") from error


# What safetensors and torch.load raise on files that are damaged or no weights.
_UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    EOFError,
    pickle.UnpicklingError,
    SafetensorError,
)
