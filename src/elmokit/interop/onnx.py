"""Export to ONNX: character ids in, every layer out, for any number of sentences and words.

The time loop becomes one `Scan` node of the graph through `torch._higher_order_ops.scan`: a Python loop would be
exported with the length of the example, and `nn.LSTM(proj_size=…)` fails in onnxruntime (and has no clips).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan
from torch.nn import functional

from elmokit.errors import ConfigError
from elmokit.extras import needs
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.whole_files import replacing


def export_onnx(model: ElmoNetwork | HasNetwork, path: Path) -> None:
    """Write `path`: input `char_ids` (sentences, words, L) int64 with rows of 0 in the padding, output `layers`
    (n_layers + 1, sentences, words, D), zero in the padding. L is `config.row_width`.

    The file's metadata says so, and whether sentences start from zero or from the model's warm state (`elmokit.state`).

    Raises:
        ConfigError: The packages for it are missing (`pip install -c constraints.txt '.[onnx]'`), or the model is CoVe.
    """
    model = network_of(model)
    if model.config.context_layers:
        raise ConfigError("export to ONNX takes a biLM, not the encoder of a translator (CoVe)")
    needs("export to ONNX", "onnx", "onnxscript")
    graph = _Graph(model).train(False)
    example = torch.ones(2, 3, model.config.row_width, dtype=torch.long)
    example[1, 2] = 0
    shape = {0: torch.export.Dim("sentences"), 1: torch.export.Dim("words")}
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # the exporter talks about itself
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                graph,
                (example,),
                dynamo=True,
                dynamic_shapes=(shape,),
                input_names=["char_ids"],
                output_names=["layers"],
                verbose=False,
            )
        width, start = model.config.row_width, "zero"
        if model.config.warm_state:
            start = "warm: every sentence starts from the state that the model holds"
        about = {
            "elmokit.version": version("elmokit"),
            "elmokit.input": f"char_ids: int64 (sentences, words, {width}), rows of 0 in the padding",
            "elmokit.output": "layers: float32 (layers, sentences, words, size), layer 0 is the token layer",
            "elmokit.state": start,
        }
        program.model.metadata_props.update(about)
        with replacing(path) as partial:
            program.save(partial)
    finally:
        logger.setLevel(level)


class _Graph(nn.Module):
    """The model in operations that need no lengths in Python: padded places are computed and masked."""

    def __init__(self, model: ElmoNetwork) -> None:
        super().__init__()
        self.model = model
        self.directions = model.config.directions
        self.register_buffer("markers", model.marker_rows().long())
        state = model.initial_state(1)
        self.register_buffer("h", state.h)  # (layers, D, 1, H)
        self.register_buffer("c", state.c)

    def forward(self, char_ids: Tensor) -> Tensor:
        batch, words, width = char_ids.shape
        markers = cast(Tensor, self.markers)
        mask = (char_ids > 0).any(dim=2)
        lengths = mask.sum(dim=1) + 2  # with the markers
        begin = markers[0].expand(batch, 1, width)
        rows = torch.cat([begin, char_ids, torch.zeros_like(begin)], dim=1)  # (B, T, L)
        places = torch.arange(words + 2, device=char_ids.device)
        is_end = places == lengths[:, None] - 1
        rows = torch.where(is_end.unsqueeze(2), markers[1], rows)
        tokens = self.model.token_encoder.traced(rows.flatten(0, 1)).view(batch, words + 2, -1)  # (B, T, P)
        real = places < lengths[:, None]  # (B, T)
        # Place t of the backward reading is place length − 1 − t; behind the end it stays where it is. Its own inverse.
        flipped = torch.where(real, lengths[:, None] - 1 - places, places)
        layers = [torch.cat([tokens] * self.directions, dim=2)]
        x = [tokens, _reordered(tokens, flipped)][: self.directions]
        for number, layer in enumerate(cast(Iterable[ProjectedLSTM], self.model.bilm.layers)):
            y = [self._lstm(layer, number, d, x[d], real) for d in range(self.directions)]
            if number > 0 and self.model.config.use_skip_connections:
                y = [out + given for out, given in zip(y, x, strict=True)]
            x = y
            layers.append(torch.cat([y[0], *(_reordered(each, flipped) for each in y[1:])], dim=2))
        return torch.stack(layers)[:, :, 1:-1] * mask.unsqueeze(2).to(tokens.dtype)

    def _lstm(self, layer: ProjectedLSTM, number: int, direction: int, x: Tensor, real: Tensor) -> Tensor:
        """x (B, T, I) in reading order to (B, T, H); behind a sentence's end the state stands still."""
        size = layer.cell_dim
        hidden, projection = layer.weight_hidden[direction], layer.weight_projection
        gates = functional.linear(x, layer.weight_input[direction], layer.bias[direction]).transpose(0, 1)  # (T, B, 4C)
        go_on = real.t().unsqueeze(2).to(x.dtype)  # (T, B, 1)

        def step(state: tuple[Tensor, Tensor], given: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, Tensor], Tensor]:
            (h, c), (z, go) = state, given
            z = z + h @ hidden.t()
            out_gate, in_gate, forget = z[:, : 3 * size].sigmoid().chunk(3, dim=1)
            cell = forget * c + in_gate * z[:, 3 * size :].tanh()
            if layer.clips.cell is not None:
                cell = cell.clamp(-layer.clips.cell, layer.clips.cell)
            output = out_gate * cell.tanh()
            if projection is not None:
                output = output @ projection[direction]
                if layer.clips.projection is not None:
                    output = output.clamp(-layer.clips.projection, layer.clips.projection)
            output = go * output + (1 - go) * h
            return (output, go * cell + (1 - go) * c), output.clone()

        batch = x.shape[0]
        h = cast(Tensor, self.h)[number, direction].expand(batch, -1).clone()
        c = cast(Tensor, self.c)[number, direction].expand(batch, -1).clone()
        _, outputs = scan(step, (h, c), (gates, go_on))
        result: Tensor = outputs.transpose(0, 1)
        return result


def _reordered(rows: Tensor, order: Tensor) -> Tensor:
    """rows (B, T, X) by places (B, T)."""
    return torch.gather(rows, 1, order.unsqueeze(2).expand(-1, -1, rows.shape[2]))
