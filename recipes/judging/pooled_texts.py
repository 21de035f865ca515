"""Texts pooled in every way at once, so that settings are compared for the price of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elmokit import Encoder
from elmokit.encode.common_component import CommonComponent
from elmokit.encode.pooling import PARTS, POOLINGS, Part, Pooling, pooled

Array = NDArray[np.float32]


class Setting(NamedTuple):
    """How the vector of a text is made: the layers (a number, "average" or "concat"), pooling, and whether the common
    component is removed.
    """

    layers: str
    pooling: Pooling
    removed: bool = False


def settings(encoder: Encoder) -> Iterator[Setting]:
    """All of them."""
    poolings = [pooling for pooling in POOLINGS if pooling != "weighted" or encoder.word_weights is not None]
    for layers in (*map(str, range(encoder.n_layers)), "average", "concat"):
        for pooling in poolings:
            yield from (Setting(layers, pooling, removed) for removed in (False, True))


class PooledTexts:
    """Vectors of texts in any setting; each text is encoded once."""

    def __init__(self, encoder: Encoder, texts: Iterable[str], component: CommonComponent | None) -> None:
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self._layers, self._component = encoder.n_layers, component
        weigh = encoder.word_weights
        self._parts: list[Part] = ["mean", "max"] if weigh is None else ["mean", "max", "weighted"]
        words = [encoder.words(text) for text in self._rows]
        found: dict[Part, list[Array]] = {part: [] for part in self._parts}
        for each, layers in zip(words, encoder.stream(words, is_split_into_words=True), strict=True):
            weights = None if weigh is None or not each else weigh(each)
            views = np.concatenate([layers, layers.mean(axis=0, keepdims=True)])  # (L + 1, W, D)
            for part in self._parts:
                found[part].append(pooled(views, part, weights))
        self._vectors = {part: np.stack(rows) for part, rows in found.items()}  # (n, L + 1, D)

    def __call__(self, texts: Sequence[str], setting: Setting) -> Array:
        """(n, size)"""
        rows = [self._rows[text] for text in texts]
        views = {"average": [self._layers], "concat": list(range(self._layers))}
        chosen = views.get(setting.layers) or [int(setting.layers)]
        blocks = []
        for part in PARTS[setting.pooling]:
            vectors = self._vectors[part][rows][:, chosen]  # (n, V, D)
            if setting.removed:
                assert self._component is not None
                directions = self._component.directions[part][chosen]
                vectors = vectors - (vectors * directions).sum(axis=2, keepdims=True) * directions
            blocks.append(vectors.reshape(len(rows), -1))
        return np.concatenate(blocks, axis=1)
