"""Which layers a result has: all of them, some, one, their average or mix, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError

Array = NDArray[np.float32]
Mix = Callable[[Sequence[Array]], Array]
Layers = Literal["all", "top", "average", "mix", "concat"] | int | Sequence[int]
GivenLayers = Layers | np.integer[Any] | Sequence[np.integer[Any]] | NDArray[np.integer[Any]]


@dataclass(frozen=True)
class LayerChoice:
    """How the layers of a sentence, (W, D) each, become its result.

    Attributes:
        combine: Gives (W, width), or (stacked, W, width).
        stacked: Number of layers that stay apart; None: one matrix.
        width: Size of a vector of the result.
        views: What stands in it: numbers of layers; `n_layers` is their average, `n_layers + 1` the trained mix.
    """

    combine: Callable[[Sequence[Array]], Array]
    stacked: int | None
    width: int
    views: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """(width,), or (stacked, width): of a word's result."""
        return (self.width,) if self.stacked is None else (self.stacked, self.width)

    @property
    def numbers(self) -> int:
        """Numbers of a word's result."""
        return self.width * (self.stacked or 1)


def layer_choice(layers: GivenLayers, *, n_layers: int, dim: int, mix: Mix | None = None) -> LayerChoice:
    """What `layers` asks for.

    Args:
        layers: See `Encoder.encode`.
        n_layers: Layers of the model, the token layer too.
        dim: Size of a vector.
        mix: The trained mix of a task; without it "mix" is the average.

    Raises:
        ConfigError: An unknown name, or a layer that the model lacks.
    """
    everything = tuple(range(n_layers))
    if isinstance(layers, np.ndarray):
        layers = layers.tolist()
    if layers == "all":
        return LayerChoice(_stack, n_layers, dim, everything)
    if layers == "mix" and mix is not None:
        return LayerChoice(mix, None, dim, (n_layers + 1,))
    if layers in ("average", "mix"):
        return LayerChoice(_average, None, dim, (n_layers,))
    if layers == "concat":
        return LayerChoice(partial(np.concatenate, axis=-1), None, n_layers * dim, everything)
    if isinstance(layers, Sequence) and not isinstance(layers, str) and layers:
        chosen = tuple(_number(layer, n_layers) for layer in layers)
        if len(set(chosen)) < len(chosen):
            raise ConfigError(f"layers {list(layers)} name a layer twice; expected each once.")
        return LayerChoice(lambda hidden: _stack([hidden[layer] for layer in chosen]), len(chosen), dim, chosen)
    one = _number(-1 if layers == "top" else layers, n_layers)
    return LayerChoice(lambda hidden: hidden[one], None, dim, (one,))


def all_views(*, n_layers: int, dim: int, mix: Mix | None = None) -> LayerChoice:
    """Each layer, their average and, where there is one, the trained mix: what `LayerChoice.views` counts."""
    trained = [] if mix is None else [layer_choice("mix", n_layers=n_layers, dim=dim, mix=mix)]

    def combine(hidden: Sequence[Array]) -> Array:
        return np.stack([*_stack(hidden), _average(hidden), *(choice.combine(hidden) for choice in trained)])

    count = n_layers + 1 + len(trained)
    return LayerChoice(combine, count, dim, tuple(range(count)))


def _number(layer: object, n_layers: int) -> int:
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not -n_layers <= layer < n_layers:
        raise ConfigError(
            f"Unknown layers {layer!r}. Expected 'all', 'top', 'average', 'mix', 'concat', a number from 0 to "
            f"{n_layers - 1} or, from the top, -1 to {-n_layers}, or a list of such numbers."
        )
    return int(layer) % n_layers


def _stack(hidden: Sequence[Array]) -> Array:
    """(layers, W, D)."""
    return np.stack(hidden)


def _average(hidden: Sequence[Array]) -> Array:
    mean: Array = _stack(hidden).mean(axis=0)
    return mean
