"""What each sentence brings to a file, for the choices of layers and pooling."""

from __future__ import annotations

from elmokit.encode.encoder import Encoder, Level
from elmokit.encode.layer_choice import Layers
from elmokit.encode.pooling import Pooling
from elmokit.encode.writers import OutputShape


def output_shape(encoder: Encoder, *, layers: Layers, level: Level, pooling: Pooling | None, dtype: str) -> OutputShape:
    """The shape of the vectors of one word or sentence.

    Raises:
        ConfigError, ModelError: As `Encoder.encode`.
    """
    choice = encoder.layer_choice(layers)
    width = choice.width
    if level == "sentence":
        *_, width = encoder.sentence_shape(layers=layers, pooling=pooling)
    return OutputShape(None if choice.stacked is None else choice.views, width, level, dtype)
