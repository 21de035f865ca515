"""The names of the files of weights, and of the tensors in them."""

from __future__ import annotations

from collections.abc import Container

WEIGHTS_FILE, INDEX_FILE, PYTORCH_FILE = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"


def place_of(name: str, names: Container[str]) -> str:
    """The name of a tensor in the files: inside of a model with a head, or without one."""
    for place in (name, f"elmo.{name}", name.removeprefix("elmo.")):
        if place in names:
            return place
    return name
