"""What each sentence brings to a file, for the choices of layers and pooling."""

from __future__ import annotations

from typing import Protocol

from elmokit.encode.encoder import Encoder, Level
from elmokit.encode.layer_choice import Layers
from elmokit.encode.pooling import Pooling
from elmokit.encode.writers import OutputShape


class VectorSettings(Protocol):
    """Settings of the vectors that are written, as those of `Encoder.encode`."""

    @property
    def layers(self) -> Layers: ...

    @property
    def level(self) -> Level: ...

    @property
    def pooling(self) -> Pooling | None: ...

    @property
    def remove_common_component(self) -> bool | None: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def dtype(self) -> str: ...


def output_shape(encoder: Encoder, settings: VectorSettings, *, positions: bool = False) -> OutputShape:
    """The shape of the vectors of one word or sentence; `positions`: of chosen words.

    Raises:
        ConfigError, ModelError: As `Encoder.encode`.
    """
    encoder.stream(
        [],
        layers=settings.layers,
        level=settings.level,
        pooling=settings.pooling,
        remove_common_component=settings.remove_common_component,
        batch_size=settings.batch_size,
        positions=[] if positions else None,
    )
    choice = encoder.layer_choice(settings.layers)
    width = choice.width
    if settings.level == "sentence":
        *_, width = encoder.sentence_shape(layers=settings.layers, pooling=settings.pooling)
    return OutputShape(None if choice.stacked is None else choice.views, width, settings.level, settings.dtype)
