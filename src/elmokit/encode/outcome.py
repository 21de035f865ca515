"""What becomes of a call's vectors before they are returned: scaled, quantized, as tensors, one instead of a list."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from elmokit.cosines import unit
from elmokit.errors import ConfigError

log = logging.getLogger(__name__)

Array = NDArray[np.float32]
Precision = Literal["float32", "int8", "uint8", "binary", "ubinary"]
OutputValue = Literal["level", "sentence_embedding", "token_embeddings"]
_FEW = 100  # texts whose ranges say little of those of others


@dataclass(frozen=True)
class Outcome:
    """The meaning of these arguments is that of sentence-transformers.

    Attributes:
        normalize: Vectors get the length 1.
        precision: Of sentence vectors: "int8" and "uint8" divide the range of each dimension over the texts of the call
            into 256; "binary" and "ubinary" keep one bit per dimension, whether it is above 0, eight to a byte.
        device: Where PyTorch tensors are made; None: NumPy arrays are returned.
    """

    normalize: bool = False
    precision: Precision = "float32"
    device: str | None = None

    def check(self, *, sentences: bool, stacked: bool) -> None:
        """
        Args:
            sentences: The vectors are of whole sentences.
            stacked: There are several per sentence.

        Raises:
            ConfigError: An unknown precision, or one that these vectors cannot have.
        """
        if self.precision not in get_args(Precision):
            raise ConfigError(
                f"Unknown precision {self.precision!r}. Expected one of: {', '.join(get_args(Precision))}."
            )
        if self.precision != "float32" and not sentences:
            raise ConfigError(f"precision {self.precision!r} is of sentence vectors: expected level 'sentence'.")
        if self.precision != "float32" and stacked:
            raise ConfigError(
                f"precision {self.precision!r} takes one vector per sentence: expected layers 'top', 'average', 'mix', "
                "'concat' or a number."
            )

    def of_sentences(self, vectors: Array) -> Any:
        """Vectors (n, D), or (n, layers, D) in float32."""
        if self.normalize:
            vectors = unit(vectors)
        return self._placed(quantized(vectors, self.precision))

    def of_words(self, arrays: list[Array]) -> list[Any]:
        """Arrays (…, words, D), one a sentence."""
        return [self._placed(unit(array) if self.normalize else array) for array in arrays]

    def _placed(self, array: NDArray[Any]) -> Any:
        if self.device is None:
            return array
        import torch

        return torch.from_numpy(array).to(self.device)


def quantized(vectors: Array, precision: Precision) -> NDArray[Any]:
    """Vectors (n, D) in a narrower type, as sentence-transformers' `quantize_embeddings` makes them of themselves.

    Raises:
        ConfigError: Too few vectors for ranges.
    """
    if precision == "float32":
        return vectors
    if precision in ("binary", "ubinary"):
        bits = np.packbits(vectors > 0, axis=1)
        return bits if precision == "ubinary" else (bits.astype(np.int16) - 128).astype(np.int8)
    if len(vectors) < 2:
        raise ConfigError(
            f"precision {precision!r} estimates the range of each dimension from the texts: expected at least 2, "
            f"got {len(vectors)}."
        )
    if len(vectors) < _FEW:
        log.warning("precision %s: the ranges are those of only %d texts", precision, len(vectors))
    low = vectors.min(axis=0)
    steps = (vectors.max(axis=0) - low) / 255
    scaled = np.divide(vectors - low, steps, out=np.zeros_like(vectors), where=steps > 0)
    narrow: NDArray[Any] = scaled.astype(np.uint8) if precision == "uint8" else (scaled - 128).astype(np.int8)
    return narrow
