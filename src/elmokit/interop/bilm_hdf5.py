"""`options.json` + `weights.hdf5`: the files of bilm-tf, AllenNLP, NLPL and SeqVec, read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.errors import ModelError
from elmokit.interop.bilm_options import config_of, options_of, read_options
from elmokit.interop.imported import Imported, assembled, imported
from elmokit.nn.config import NetworkConfig
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.text.word_rows import ByteRows, LookupRows, WordRows
from elmokit.whole_files import replacing, text_file, write_text

FORMAT = "bilm-tf"
OPTIONS_FILE, WEIGHTS_FILE, VOCABULARY_FILE = "options.json", "weights.hdf5", "vocab.txt"

Array = NDArray[np.float32]

_OURS = (3, 0, 2, 1)  # gates of the file, i j f o, in our order o i f g
_THEIRS = (1, 3, 2, 0)
_MOST_COMPRESSED = 1100  # deflate packs 1 : 1032 at best; an array that claims more was never written


def read_bilm(
    options: Path, weights: Path, *, vocabulary: Path | None = None, dtype: torch.dtype = torch.float32
) -> Imported:
    """A published model.

    Args:
        options: The JSON file of its shape.
        weights: The HDF5 file.
        vocabulary: One word a line, for a word-level model.
        dtype: Of the weights in memory.

    Raises:
        ModelError: A file is missing, damaged, foreign, or does not fit the other.
    """
    content = read_options(options)
    try:
        file = h5py.File(weights, "r")
    except OSError as error:
        if not weights.exists():
            raise ModelError(f"there is no weight file {weights}") from error
        raise ModelError(f"{weights} is no HDF5 file, or it is cut short: {error}") from error
    try:
        with file:
            table = _dataset(file, "embedding") if content.get("char_cnn") is None and "embedding" in file else None
            config, notes = config_of(content, n_words=None if table is None else table.shape[0])
            expected = shapes(config)
            _check(file, expected, weights)
            unused = sorted(set(_names(file)) - set(expected))
            if unused:
                notes.append(f"passed over: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}")
            state = to_state(config, lambda name: _read(file, name, weights), dtype=dtype)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:  # of h5py on damaged files
        raise ModelError(f"{weights} is damaged: {' '.join(str(error).split())[:200]}") from error
    rows: WordRows = ByteRows(config.max_characters_per_token)
    if config.kind.needs_lexicon:
        if vocabulary is None:
            raise ModelError(f"{weights} is a word-level model: expected its vocabulary ({VOCABULARY_FILE}) next to it")
        with text_file(vocabulary, what="the vocabulary") as file:  # words by line, as bilm-tf counts them
            rows = LookupRows({line.strip(): number for number, line in enumerate(file)})
        config.marker_rows = rows.markers().tolist()
    return imported(assembled(config, state, dtype=dtype), rows, format=FORMAT, notes=notes)


def write_bilm(model: ElmoNetwork | HasNetwork, rows: WordRows, folder: Path) -> None:
    """Write `options.json` and `weights.hdf5` (and `vocab.txt` of a word-level model), each whole or not at all.

    Raises:
        ModelError: The format has no such model.
    """
    model = network_of(model)
    options = options_of(model.config)
    arrays = from_state(model.config, {name: tensor.float() for name, tensor in model.state_dict().items()})
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as partial:
        with h5py.File(partial, "w") as file:
            for name, array in arrays.items():
                file.create_dataset(name, data=array)
        write_text(folder / OPTIONS_FILE, json.dumps(options, indent=2) + "\n")
        if words := rows.lexicon().get("words"):
            # A line for every number; a placeholder where a word stood twice in the file that was read.
            lines = [f"<unused{number}>" for number in range(max(words.values()) + 1)]
            for word, number in words.items():
                lines[number] = word
            write_text(folder / VOCABULARY_FILE, "".join(f"{line}\n" for line in lines))


def shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """The arrays of a file for a model of this shape."""
    found: dict[str, tuple[int, ...]] = {}
    size, cell = config.projection_dim, config.cell_dim
    if not config.reads_characters:
        found["embedding"] = (config.n_words - 1, size)
    else:
        filters = config.filters or []
        total = sum(count for _, count in filters)
        found["char_embed"] = (config.n_characters - 1, config.char_embedding_dim)
        for number, (width, count) in enumerate(filters):
            found[f"CNN/W_cnn_{number}"] = (1, width, config.char_embedding_dim, count)
            found[f"CNN/b_cnn_{number}"] = (count,)
        for number in range(config.n_highway):
            for part in ("carry", "transform"):
                found[f"CNN_high_{number}/W_{part}"] = (total, total)
                found[f"CNN_high_{number}/b_{part}"] = (total,)
        if total != size:
            found["CNN_proj/W_proj"], found["CNN_proj/b_proj"] = (total, size), (size,)
    for layer in range(config.n_layers):
        for direction in range(2):
            name = _cell(direction, layer)
            found[name + "W_0"], found[name + "B"] = (2 * size, 4 * cell), (4 * cell,)
            if size < cell:
                found[name + "W_P_0"] = (cell, size)
    return found


def to_state(
    config: NetworkConfig, read: Callable[[str], Array], *, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Our tensors from the arrays of a file, one after the other: `read` gives an array by its name."""
    state: dict[str, Tensor] = {}

    def keep(name: str, array: Array) -> None:
        state[name] = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(dtype)

    encoder = "token_encoder."
    if not config.reads_characters:
        keep(encoder + "embedding.weight", _with_padding_row(read("embedding")))
    else:
        keep(encoder + "embedding.weight", _with_padding_row(read("char_embed")))
        for number in range(len(config.filters or [])):
            name = f"{encoder}convolutions.{number}."
            keep(name + "weight", read(f"CNN/W_cnn_{number}")[0].transpose(2, 1, 0))
            keep(name + "bias", read(f"CNN/b_cnn_{number}"))
        for ours, theirs in _linears(config).items():
            keep(f"{encoder}{ours}.weight", read(theirs.format("W")).T)
            keep(f"{encoder}{ours}.bias", read(theirs.format("b")))
    for layer in range(config.n_layers):
        name = f"bilm.layers.{layer}."
        of_input, of_state = _recurrent(config, (read(_cell(d, layer) + "W_0") for d in range(2)))
        keep(name + "weight_input", of_input)
        keep(name + "weight_hidden", of_state)
        del of_input, of_state  # before the next layer is read
        bias = np.stack([_gates(read(_cell(d, layer) + "B"), _OURS) for d in range(2)])
        bias[:, 2 * config.cell_dim : 3 * config.cell_dim] += 1.0  # the forget bias is not stored
        keep(name + "bias", bias)
        if config.projection_dim < config.cell_dim:
            keep(name + "weight_projection", np.stack([read(_cell(d, layer) + "W_P_0") for d in range(2)]))
    return state


def _recurrent(config: NetworkConfig, arrays: Iterator[Array]) -> tuple[Array, Array]:
    """Weights of input and state, (2, 4C, P) each, of the file's (2P, 4C) a direction, one of them at a time."""
    size, cell = config.projection_dim, config.cell_dim
    of_input, of_state = (np.empty((2, 4 * cell, size), dtype=np.float32) for _ in range(2))
    for direction in range(2):
        array = next(arrays)
        for place, gate in enumerate(_OURS):
            rows, columns = (slice(number * cell, (number + 1) * cell) for number in (place, gate))
            of_input[direction, rows] = array[:size, columns].T
            of_state[direction, rows] = array[size:, columns].T
        del array  # before the next one is read
    return of_input, of_state


def from_state(config: NetworkConfig, state: Mapping[str, Tensor]) -> dict[str, Array]:
    """The arrays of a file from our tensors: the way back of `to_state`."""
    arrays: dict[str, Array] = {}
    encoder = "token_encoder."
    if not config.reads_characters:
        arrays["embedding"] = _array(state[encoder + "embedding.weight"])[1:]
    else:
        arrays["char_embed"] = _array(state[encoder + "embedding.weight"])[1:]
        for number in range(len(config.filters or [])):
            name = f"{encoder}convolutions.{number}."
            arrays[f"CNN/W_cnn_{number}"] = _array(state[name + "weight"]).transpose(2, 1, 0)[None]
            arrays[f"CNN/b_cnn_{number}"] = _array(state[name + "bias"])
        for ours, theirs in _linears(config).items():
            arrays[theirs.format("W")] = _array(state[f"{encoder}{ours}.weight"]).T
            arrays[theirs.format("b")] = _array(state[f"{encoder}{ours}.bias"])
    for layer in range(config.n_layers):
        name = f"bilm.layers.{layer}."
        for direction in range(2):
            cell = _cell(direction, layer)
            parts = [_array(state[name + f"weight_{part}"][direction]) for part in ("input", "hidden")]
            arrays[cell + "W_0"] = _gates(np.concatenate(parts, axis=1).T, _THEIRS)
            bias = _array(state[name + "bias"][direction]).copy()
            bias[2 * config.cell_dim : 3 * config.cell_dim] -= 1.0
            arrays[cell + "B"] = _gates(bias, _THEIRS)
            if config.projection_dim < config.cell_dim:
                arrays[cell + "W_P_0"] = _array(state[name + "weight_projection"][direction])
    return arrays


def _cell(direction: int, layer: int) -> str:
    return f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"


def _linears(config: NetworkConfig) -> dict[str, str]:
    """Our linear layers of the token encoder and their names in a file; `{}` is W or b."""
    names = {}
    for number in range(config.n_highway):
        for part in ("carry", "transform"):
            names[f"highways.{number}.{part}"] = f"CNN_high_{number}/{{}}_{part}"
    if sum(count for _, count in config.filters or []) != config.projection_dim:
        names["projection"] = "CNN_proj/{}_proj"
    return names


def _gates(array: Array, order: tuple[int, ...]) -> Array:
    blocks = np.split(array, 4, axis=-1)
    return np.concatenate([blocks[number] for number in order], axis=-1)


def _with_padding_row(table: Array) -> Array:
    return np.concatenate([np.zeros((1, table.shape[1]), dtype=table.dtype), table])


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array


def _names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def _dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    """A data set that lies in this very file: links into other files are not followed."""
    group: h5py.Group = file
    *parents, last = name.split("/")
    for part in parents:
        if not isinstance(group.get(part, getlink=True), h5py.HardLink) or not isinstance(group[part], h5py.Group):
            return None
        group = group[part]
    if not isinstance(group.get(last, getlink=True), h5py.HardLink) or not isinstance(group[last], h5py.Dataset):
        return None
    found: h5py.Dataset = group[last]
    return found if found.external is None and not found.is_virtual else None


def _check(file: h5py.File, expected: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Every array is there, of its shape, of numbers, and as large on disk as it claims; nothing is read yet."""
    for name, shape in expected.items():
        found = _dataset(file, name)
        if found is None:
            has = ", ".join(_names(file)[:3]) or "nothing"
            raise ModelError(
                f"{path} lacks {name}, which its options ask for (it has {has} …): do they belong together?"
            )
        if found.shape != shape:
            raise ModelError(f"{path}: {name} is {found.shape}; its options ask for {shape}")
        if found.dtype.kind != "f":
            raise ModelError(f"{path}: {name} holds {found.dtype}; expected floating-point numbers")
        if found.id.get_storage_size() * _MOST_COMPRESSED < found.nbytes:
            raise ModelError(f"{path}: {name} claims {found.nbytes} bytes, but was never written")


def _read(file: h5py.File, name: str, path: Path) -> Array:
    try:
        array = np.asarray(file[name][...], dtype=np.float32)
    except OSError as error:
        raise ModelError(f"{path}: {name} cannot be read: {error}") from error
    if not np.isfinite(array).all():
        broken = int((~np.isfinite(array)).sum())
        raise ModelError(f"{path}: {broken} of {array.size} values of {name} are not finite numbers")
    return array
