"""A trained layer mix in NumPy: γ · Σ λ_j h_j, as `nn/layer_mix.py` has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError
from elmokit.extras import install_command
from elmokit.nn.heads.shapes import MixedShape
from elmokit.saved_model import SavedModel
from elmokit.saved_model.arrays import WeightArrays
from elmokit.saved_model.heads import HEADS

Array = NDArray[np.float32]


@dataclass(frozen=True)
class WeightedMix:
    """Layers by their weights.

    Attributes:
        mode: "trainable" or "frozen".
        lambdas: Of each layer.
        gamma: With the scale that was found at the start.
    """

    mode: str
    lambdas: Array
    gamma: float

    def __call__(self, layers: Sequence[Array]) -> Array:
        """Layers (W, D) to (W, D)."""
        scales = np.float32(self.gamma) * self.lambdas
        mixed: Array = scales[0] * layers[0]
        for scale, layer in zip(scales[1:], layers[1:], strict=True):
            mixed += scale * layer
        return mixed

    def weights(self) -> tuple[list[float], float]:
        """λ and γ."""
        return self.lambdas.tolist(), self.gamma


def saved_mix(saved: SavedModel, weights: WeightArrays) -> WeightedMix | None:
    """The mix of a task's model; None in other folders.

    Raises:
        ConfigError: It is a function of the layers, or normalises them over a batch, which PyTorch alone computes.
    """
    if saved.architecture not in HEADS:
        return None
    shape = saved.shape(MixedShape)
    if shape.combine == "function" or shape.mix_layer_norm:
        raise ConfigError(
            f"the layer mix of {saved.folder} is no weighted sum, which needs the backend 'torch': "
            f"{install_command('torch')}"
        )
    trained = shape.combine == "trainable" and shape.mix_normalize
    found = weights.read(["mix.w", "mix.scale", *(["mix.gamma"] if trained else [])])
    lambdas, gamma = found["mix.w"], float(found["mix.scale"])
    if trained:
        risen = np.exp(lambdas - lambdas.max())
        lambdas, gamma = risen / risen.sum(), gamma * float(found["mix.gamma"])
    return WeightedMix(shape.combine, lambdas, gamma)
