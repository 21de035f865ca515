"""The files of a model's ONNX graphs, and the checksum of the shape that they were made for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from elmokit.nn.config import NetworkConfig

WORDS_GRAPH, LAYERS_GRAPH = "words.onnx", "layers.onnx"
SHAPE_KEY = "elmokit.shape"
"""Under which a graph keeps `shape_sum` of its model."""

_ELSEWHERE = frozenset(
    {
        "adaptive_cutoffs",
        "adaptive_div_value",
        "dropout",
        "locked_dropout",
        "marker_rows",
        "n_negative_samples",
        "softmax",
        "vocab_size",
        "warm_state",
        "weight_dropout",
    }
)


def shape_sum(config: NetworkConfig) -> str:
    """A checksum of what the graphs of a model depend on."""
    values = asdict(NetworkConfig.of(config))
    shape = {name: value for name, value in values.items() if name not in _ELSEWHERE}
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
