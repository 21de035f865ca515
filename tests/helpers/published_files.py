"""Writers of published file formats that share no code with the package: random weights in the layout of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from helpers.oracle import cell_name

Arrays = dict[str, NDArray[np.float32]]


def bilm_options(
    *, projection: int = 4, cell: int = 6, n_layers: int = 2, skip: bool = True, clip: float | None = 3,
    filters: tuple[tuple[int, int], ...] = ((1, 3), (3, 4)), n_highway: int = 1, activation: str = "relu",
    max_characters: int = 50, n_characters: int = 262, char_dim: int = 3,
) -> dict[str, Any]:  # fmt: skip
    """As in `options.json`."""
    return {
        "lstm": {
            "projection_dim": projection, "dim": cell, "n_layers": n_layers, "use_skip_connections": skip,
            "cell_clip": clip, "proj_clip": clip,
        },
        "char_cnn": {
            "filters": [list(pair) for pair in filters], "n_highway": n_highway, "activation": activation,
            "embedding": {"dim": char_dim}, "n_characters": n_characters, "max_characters_per_token": max_characters,
        },
    }  # fmt: skip


def bilm_arrays(options: dict[str, Any], *, seed: int = 0, n_words: int = 0) -> Arrays:
    """Random arrays in the layout of `weights.hdf5`, large enough that clips bite."""
    draw = np.random.default_rng(seed)
    lstm, cnn = options["lstm"], options.get("char_cnn")
    size, cell = lstm["projection_dim"], lstm["dim"]
    shapes: dict[str, tuple[int, ...]] = {}
    if cnn is None:
        shapes["embedding"] = (n_words, size)
    else:
        total = sum(count for _, count in cnn["filters"])
        shapes["char_embed"] = (261, cnn["embedding"]["dim"])
        for number, (width, count) in enumerate(cnn["filters"]):
            shapes[f"CNN/W_cnn_{number}"] = (1, width, cnn["embedding"]["dim"], count)
            shapes[f"CNN/b_cnn_{number}"] = (count,)
        for number in range(cnn["n_highway"]):
            for part in ("carry", "transform"):
                shapes[f"CNN_high_{number}/W_{part}"] = (total, total)
                shapes[f"CNN_high_{number}/b_{part}"] = (total,)
        if total != size:
            shapes["CNN_proj/W_proj"], shapes["CNN_proj/b_proj"] = (total, size), (size,)
    for layer in range(lstm["n_layers"]):
        for direction in range(2):
            name = cell_name(direction, layer)
            shapes[name + "W_0"], shapes[name + "B"] = (2 * size, 4 * cell), (4 * cell,)
            if size < cell:
                shapes[name + "W_P_0"] = (cell, size)
    return {name: draw.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


def write_bilm_files(folder: Path, options: dict[str, Any], arrays: Arrays, *, words: list[str] | None = None) -> Path:
    """`options.json`, `weights.hdf5` and, for a word-level model, `vocab.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "options.json").write_text(json.dumps(options))
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    if words is not None:
        (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    return folder


def read_arrays(path: Path) -> Arrays:
    """Every data set of an HDF5 file."""
    found: Arrays = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return found
