"""Our tensors in the layout of published files, and back: what the oracle reads and what a parity test loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from elmokit.nn.bilm import BiLM
from elmokit.nn.char_cnn import CharCNN, Highway
from elmokit.nn.lstm import ProjectedLSTM
from helpers.oracle import cell_name

Array = NDArray[np.float64]

_OURS_FROM_PUBLISHED = (3, 0, 2, 1)  # i, j, f, o to our o, i, f, g
_PUBLISHED_FROM_OURS = (1, 3, 2, 0)


def published_char_cnn(module: CharCNN) -> dict[str, Array]:
    """The token encoder's arrays."""
    arrays = {"char_embed": _array(module.embedding.weight)[1:]}
    for number, convolution in enumerate(cast(Iterable[nn.Conv1d], module.convolutions)):
        arrays[f"CNN/W_cnn_{number}"] = _array(convolution.weight).transpose(2, 1, 0)[None]  # (1, width, E, n)
        arrays[f"CNN/b_cnn_{number}"] = _array(convolution.bias)
    for name, linear in _linears(module):
        arrays[name.format("W")], arrays[name.format("b")] = _array(linear.weight).T, _array(linear.bias)
    return arrays


def published_bilm(module: BiLM) -> dict[str, Array]:
    """The cells' arrays."""
    arrays = {}
    for layer, lstm in enumerate(cast(Iterable[ProjectedLSTM], module.layers)):
        for direction in range(module.directions):
            cell = cell_name(direction, layer)
            rows = [_array(lstm.weight_input[direction]).T, _array(lstm.weight_hidden[direction]).T]
            arrays[cell + "W_0"] = _gates(np.concatenate(rows), _PUBLISHED_FROM_OURS)
            bias = _array(lstm.bias[direction]).copy()
            bias[2 * lstm.cell_dim : 3 * lstm.cell_dim] -= 1.0
            arrays[cell + "B"] = _gates(bias, _PUBLISHED_FROM_OURS)
            if lstm.weight_projection is not None:
                arrays[cell + "W_P_0"] = _array(lstm.weight_projection[direction])
    return arrays


@torch.no_grad()
def load_char_cnn(module: CharCNN, arrays: Mapping[str, Array]) -> None:
    """Fill the token encoder."""
    _fill(module.embedding.weight[1:], arrays["char_embed"])
    for number, convolution in enumerate(cast(Iterable[nn.Conv1d], module.convolutions)):
        _fill(convolution.weight, arrays[f"CNN/W_cnn_{number}"][0].transpose(2, 1, 0))
        _fill(convolution.bias, arrays[f"CNN/b_cnn_{number}"])
    for name, linear in _linears(module):
        _fill(linear.weight, arrays[name.format("W")].T)
        _fill(linear.bias, arrays[name.format("b")])


@torch.no_grad()
def load_bilm(module: BiLM, arrays: Mapping[str, Array]) -> None:
    """Fill the cells."""
    for layer, lstm in enumerate(cast(Iterable[ProjectedLSTM], module.layers)):
        for direction in range(module.directions):
            cell = cell_name(direction, layer)
            joined = _gates(arrays[cell + "W_0"], _OURS_FROM_PUBLISHED).T
            inputs = lstm.weight_input.shape[2]
            _fill(lstm.weight_input[direction], joined[:, :inputs])
            _fill(lstm.weight_hidden[direction], joined[:, inputs:])
            _fill(lstm.bias[direction], _gates(arrays[cell + "B"], _OURS_FROM_PUBLISHED))
            lstm.bias[direction, 2 * lstm.cell_dim : 3 * lstm.cell_dim] += 1.0
            if lstm.weight_projection is not None:
                _fill(lstm.weight_projection[direction], arrays[cell + "W_P_0"])


def _linears(module: CharCNN) -> Iterator[tuple[str, nn.Linear]]:
    for number, highway in enumerate(cast(Iterable[Highway], module.highways)):
        yield f"CNN_high_{number}/{{}}_carry", highway.carry
        yield f"CNN_high_{number}/{{}}_transform", highway.transform
    if module.projection is not None:
        yield "CNN_proj/{}_proj", module.projection


def _gates(array: Array, order: tuple[int, ...]) -> Array:
    blocks = np.split(array, 4, axis=-1)
    return np.concatenate([blocks[number] for number in order], axis=-1)


def _array(tensor: torch.Tensor | None) -> Array:
    assert tensor is not None  # every layer here has a bias
    found: Array = tensor.detach().double().numpy()
    return found


def _fill(tensor: torch.Tensor | None, array: Array) -> None:
    assert tensor is not None
    if tensor.shape != array.shape:
        raise ValueError(f"The module holds {tuple(tensor.shape)}, the file {array.shape}.")
    tensor.copy_(torch.from_numpy(np.ascontiguousarray(array)))
