"""What computes the vectors of an encoder."""

from __future__ import annotations

from typing import cast

from elmokit.encode.encoder import Encoder
from elmokit.encode.engine import Engine
from elmokit.encode.torch_backend import TorchBackend


def engine_of(encoder: Encoder) -> Engine:
    """The engine of an encoder that runs in PyTorch."""
    return cast(TorchBackend, encoder._backend).engine
