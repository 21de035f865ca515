"""Model folders of ELMoForManyLangs (Che et al. 2018): state dicts of PyTorch and two dictionaries."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import torch
from torch import Tensor

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.imported import Imported, assembled, imported
from elmokit.nn.config import NetworkConfig, NetworkFields
from elmokit.text.word_rows import DictionaryRows
from elmokit.whole_files import JsonObject, read_json_object, text_file

FORMAT = "ELMoForManyLangs"
CONFIG_FILE, ENCODER_FILE, EMBEDDER_FILE = "config.json", "encoder.pkl", "token_embedder.pkl"

_IDEOGRAPHIC_SPACE = "\u3000"  # what a dictionary line without a token means
_LONGEST_WORD = 1000
_OURS = (3, 0, 1, 2)  # gates of the file, i f g o, in our order o i f g


def read_many_langs(folder: Path, *, dtype: torch.dtype = torch.float32) -> Imported:
    """A published model.

    Raises:
        ModelError: A file is missing, damaged, unsafe, or does not fit the others.
    """
    notes: list[str] = []
    options = _options(folder, notes)
    embedder, encoder = options.get("token_embedder"), options.get("encoder")
    if not isinstance(embedder, dict) or not isinstance(encoder, dict):
        raise ModelError(f'the configuration of {folder} lacks "token_embedder" or "encoder"')
    if str(embedder.get("name", "cnn")).lower() != "cnn" or str(encoder.get("name", "elmo")).lower() != "elmo":
        raise ModelError(
            f"{folder} has a token embedder {embedder.get('name')!r} and an encoder {encoder.get('name')!r}; "
            "expected cnn and elmo, as in all published models"
        )
    words = _dictionary(folder / "word.dic") if embedder.get("word_dim") else {}
    characters = _dictionary(folder / "char.dic") if embedder.get("char_dim") else {}
    tensors, layers = _Taken(folder / EMBEDDER_FILE), _Taken(folder / ENCODER_FILE)
    longest = embedder.get("max_characters_per_token") or 50
    if not isinstance(longest, int) or not 3 <= longest <= _LONGEST_WORD:
        raise ModelError(f"max_characters_per_token is {longest!r}; expected a number from 3 to {_LONGEST_WORD}")
    rows = DictionaryRows(words=words, characters=characters, max_characters=longest)
    config = _config(embedder, encoder, tensors, rows)
    state = _token_state(config, tensors, notes)
    state |= _layer_state(config, layers, notes)
    return imported(assembled(config, state, dtype=dtype), rows, format=FORMAT, notes=notes)


def _options(folder: Path, notes: list[str]) -> JsonObject:
    """The model's configuration, which `config.json` names by a path of its author's machine."""
    outer = read_json_object(folder / CONFIG_FILE)
    named = str(outer.get("config_path", ""))
    base = PureWindowsPath(PurePosixPath(named).name).name  # whichever separator the author's machine had
    if base and base != CONFIG_FILE and (folder / base).is_file():
        if named != base:
            notes.append(f"config_path {named!r} read as {base!r}, which lies in the folder")
        return read_json_object(folder / base)
    if "token_embedder" in outer:
        return outer
    notes.append(f"{named!r} is not in the folder: the configuration of the published models is taken")
    filters = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]]
    return {
        "token_embedder": {
            "name": "cnn",
            "activation": "relu",
            "filters": filters,
            "n_highway": 2,
            "word_dim": 100,
            "char_dim": 50,
            "max_characters_per_token": 50,
        },
        "encoder": {"name": "elmo", "projection_dim": 512, "cell_clip": 3, "proj_clip": 3, "dim": 4096, "n_layers": 2},
        "dropout": 0.1,
    }


def _dictionary(path: Path) -> dict[str, int]:
    """`token<TAB>id` lines. A token of white space is stripped away with the line's end and means U+3000."""
    with text_file(path, what="the dictionary", newline="\n") as file:
        lines = [line.strip().split("\t") for line in file]
    table: dict[str, int] = {}
    for number, fields in enumerate(lines, 1):
        token, id_ = [_IDEOGRAPHIC_SPACE, *fields] if len(fields) == 1 else (fields[0], fields[-1])
        if len(fields) > 2 or not id_.isdecimal():
            raise ModelError(f"{path} line {number}: expected token<TAB>id, got {chr(9).join(fields)[:80]!r}")
        table[token] = int(id_)
    return table


# What torch.load raises on files that are no state dict, safe ones included.
_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    AssertionError,
    TypeError,
    struct.error,
)


class _Taken:
    """The tensors of a pickled state dict, taken by name and shape; a publisher's module prefix is passed over.

    Anything but tensors is refused before it could run.
    """

    def __init__(self, path: Path) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
        except _UNREADABLE as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{path} is no state dict, or not a safe one: {reason}") from error
        if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
            raise ModelError(f"{path} contains no state dict")
        for name, tensor in state.items():
            whole = tensor.layout == torch.strided and tensor.is_floating_point()
            if not whole or tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
                raise ModelError(f"{path}: {name} is no plain tensor of floating-point numbers")
        self.path = path
        self.tensors: dict[str, Tensor] = {name.removeprefix("module."): tensor for name, tensor in state.items()}
        self.left = set(self.tensors)

    def __call__(self, name: str, *shape: int) -> Tensor:
        tensor = self.tensors.get(name)
        if tensor is None:
            raise ModelError(f"{self.path} lacks {name}")
        if tuple(tensor.shape) != shape:
            raise ModelError(f"{self.path}: {name} is {tuple(tensor.shape)}; its configuration asks for {shape}")
        if not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{self.path}: {name} holds values that are not finite numbers")
        self.left.discard(name)
        return tensor.float()

    def report(self, notes: list[str]) -> None:
        if self.left:
            notes.append(f"{self.path.name}: passed over {', '.join(sorted(self.left)[:5])}")


def _config(embedder: JsonObject, encoder: JsonObject, tensors: _Taken, rows: DictionaryRows) -> NetworkConfig:
    values: NetworkFields = {
        "token_encoder": "word_char",
        "n_words": 0,
        "n_characters": 0,
        "marker_rows": rows.markers().tolist(),
        "character_padding": rows.padding,
        "max_characters_per_token": rows.width - 1,
        "projection_dim": encoder.get("projection_dim"),
        "cell_dim": encoder.get("dim"),
        "n_layers": encoder.get("n_layers", 2),
        "cell_clip": encoder.get("cell_clip") or None,
        "proj_clip": encoder.get("proj_clip") or None,
        "use_skip_connections": True,
    }
    if rows.words:  # the tables' sizes come from the tensors: dictionaries may have gaps
        values |= {"n_words": _rows_of(tensors, "word_emb_layer") + 1, "word_dim": embedder["word_dim"]}
    if rows.characters:
        values |= {
            "n_characters": _rows_of(tensors, "char_emb_layer") + 1,
            "char_embedding_dim": embedder["char_dim"],
            "filters": embedder.get("filters"),
            "n_highway": embedder.get("n_highway") or 0,
            "char_cnn_activation": embedder.get("activation", "relu"),
        }
    try:
        return NetworkConfig.checked(values)
    except ConfigError as error:
        raise ModelError(f"the configuration makes no model: {error}") from error


def _rows_of(taken: _Taken, table: str) -> int:
    tensor = taken.tensors.get(f"{table}.embedding.weight")
    if tensor is None or tensor.ndim != 2:
        raise ModelError(f"{taken.path} lacks {table}.embedding.weight")
    return len(tensor)


def _token_state(config: NetworkConfig, take: _Taken, notes: list[str]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    size = 0
    if config.n_words:
        table = take("word_emb_layer.embedding.weight", config.n_words - 1, config.word_dim)
        state["words.embedding.weight"] = _with_padding_row(table)
        size += config.word_dim
    if config.n_characters:
        dim, filters = config.char_embedding_dim, config.filters or []
        total = sum(count for _, count in filters)
        table = take("char_emb_layer.embedding.weight", config.n_characters - 1, dim)
        state["characters.embedding.weight"] = _with_padding_row(table)
        for number, (width, count) in enumerate(filters):
            state[f"characters.convolutions.{number}.weight"] = take(f"convolutions.{number}.weight", count, dim, width)
            state[f"characters.convolutions.{number}.bias"] = take(f"convolutions.{number}.bias", count)
        for number in range(config.n_highway):
            # Their gate lets the input pass, ours the transform: σ(−x) = 1 − σ(x).
            weight = take(f"highways._layers.{number}.weight", 2 * total, total)
            bias = take(f"highways._layers.{number}.bias", 2 * total)
            name = f"characters.highways.{number}."
            state |= {name + "transform.weight": weight[:total].clone(), name + "carry.weight": -weight[total:]}
            state |= {name + "transform.bias": bias[:total].clone(), name + "carry.bias": -bias[total:]}
        size += total
    state["projection.weight"] = take("projection.weight", config.projection_dim, size)
    state["projection.bias"] = take("projection.bias", config.projection_dim)
    take.report(notes)
    return {f"token_encoder.{name}": tensor for name, tensor in state.items()}


def _with_padding_row(table: Tensor) -> Tensor:
    return torch.cat([table.new_zeros(1, table.shape[1]), table])


def _layer_state(config: NetworkConfig, take: _Taken, notes: list[str]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    size, cell = config.projection_dim, config.cell_dim
    for layer in range(config.n_layers):
        parts: dict[str, list[Tensor]] = {}
        for direction in ("forward", "backward"):
            name = f"{direction}_layer_{layer}."
            found = {
                "weight_input": _gates(take(name + "input_linearity.weight", 4 * cell, size)),
                "weight_hidden": _gates(take(name + "state_linearity.weight", 4 * cell, size)),
                "bias": _gates(take(name + "state_linearity.bias", 4 * cell)),
            }
            if size == cell and name + "state_projection.weight" in take.tensors:
                raise ModelError(
                    f"{take.path} projects a cell of {cell} to the same size; expected a smaller projection"
                )
            if size < cell:
                found["weight_projection"] = take(name + "state_projection.weight", size, cell).t()
            for key, tensor in found.items():
                parts.setdefault(key, []).append(tensor)
        state |= {f"bilm.layers.{layer}.{key}": torch.stack(pair) for key, pair in parts.items()}
    take.report(notes)
    return state


def _gates(tensor: Tensor) -> Tensor:
    blocks = torch.chunk(tensor, 4)
    return torch.cat([blocks[number] for number in _OURS])
