"""The common component of sentence vectors: the direction that nearly all of them share, and says nothing of one.

Without it cosines tell more alike from less alike sentences (Arora et al. 2017, "A simple but tough-to-beat baseline
for sentence embeddings": the first singular vector of the vectors of a text, without centring).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from safetensors.numpy import save as safe_bytes

from elmokit.encode.batching import windows
from elmokit.encode.pooling import Part, pooled
from elmokit.errors import DataError, ModelError
from elmokit.whole_files import replacing

COMPONENT_FILE = "common_component.safetensors"

LEAST_TEXTS = 10
"""Fewer texts share too much by chance."""

_SENTENCES_AT_ONCE = 256

Array = NDArray[np.float32]


class CommonComponent:
    """A direction per view of the layers and part of a pooling.

    Views are the layers in their order, their average, and the trained mix of a task's model.
    """

    def __init__(self, directions: Mapping[Part, Array]) -> None:
        """`directions`: (views, D) of length 1, by part."""
        self.directions = dict(directions)

    def removed(self, vectors: Array, part: Part, views: Sequence[int]) -> Array:
        """Pooled vectors without the part along the common direction.

        Args:
            vectors: Of one sentence; len(views) · D numbers.
            part: How they were pooled.
            views: Which views stand in `vectors`, in order.
        """
        directions = self.directions[part][list(views)]  # (V, D)
        rows = vectors.reshape(directions.shape)
        along = (rows * directions).sum(axis=1, keepdims=True)
        return np.asarray(rows - along * directions, dtype=np.float32).reshape(vectors.shape)

    def fingerprint(self) -> str:
        """A checksum of the directions."""
        return hashlib.sha256(safe_bytes(self._by_name())).hexdigest()[:24]

    def save(self, folder: Path) -> None:
        """Write `common_component.safetensors`, whole or not at all."""
        with replacing(folder / COMPONENT_FILE) as partial:
            save_file(self._by_name(), partial)

    def _by_name(self) -> dict[str, NDArray[Any]]:
        return {str(part): rows for part, rows in self.directions.items()}

    @classmethod
    def of_folder(cls, folder: Path) -> CommonComponent | None:
        """That in a model folder, if there is one.

        Raises:
            ModelError: The file is damaged.
        """
        path = folder / COMPONENT_FILE
        if not path.is_file():
            return None
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path} cannot be read: {error}") from error
        parts: list[Part] = [part for part in ("mean", "max", "weighted") if part in found]
        return cls({part: found[part] for part in parts})


def fit_common_component(vectors: Iterable[tuple[Array, Array | None]], parts: Sequence[Part]) -> CommonComponent:
    """The common directions of the sentences of a text, in memory that does not grow with it.

    Args:
        vectors: Of each sentence the views of its words, (views, words, D), and the words' weights; sentences without
            words do not count.
        parts: Of the poolings; "weighted" asks for weights.

    Raises:
        DataError: There are fewer than `LEAST_TEXTS` sentences.
    """
    moments: dict[Part, NDArray[np.float64]] = {}  # (views, D, D) the sum of outer products
    count = 0
    for window in windows((each for each in vectors if each[0].shape[-2]), _SENTENCES_AT_ONCE):
        count += len(window)
        for part in parts:
            rows = np.stack([pooled(views, part, weights) for views, weights in window], axis=1)  # (views, n, D)
            product = (rows.transpose(0, 2, 1) @ rows).astype(np.float64)
            moments[part] = product + moments.get(part, 0.0)
    if count < LEAST_TEXTS:
        raise DataError(f"the text of the common component has {count} sentences; expected at least {LEAST_TEXTS}")
    directions = {part: np.linalg.eigh(moments[part])[1] for part in parts}  # (views, D, D), the largest last
    return CommonComponent({part: each[:, :, -1].astype(np.float32) for part, each in directions.items()})
