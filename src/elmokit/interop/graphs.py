"""The ONNX graphs of a model folder: what the backend "onnx" runs. They contain no weights.

`words.onnx` takes rows of words to their context-free vectors, `layers.onnx` the vectors of sentences to the layers of
the biLM. Their initializers have the names of the weights in `model.safetensors`, with `[0]` for a direction and `.T`
where they are needed transposed; `saved_model/arrays.py` reads them. So a graph depends on the shape of a model alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError
from elmokit.extras import needs
from elmokit.nn.config import NetworkConfig
from elmokit.saved_model.graph_files import LAYERS_GRAPH, SHAPE_KEY, WORDS_GRAPH, shape_sum
from elmokit.saved_model.weight_files import WEIGHTS_FILE
from elmokit.whole_files import replacing

_OPSET, _IR = 21, 10  # onnxruntime 1.20 reads both


def write_graphs(config: NetworkConfig, folder: Path) -> None:
    """Write both graphs of a model of this shape into its folder.

    Raises:
        ConfigError: The package `onnx` is missing, or the model is the encoder of a translator (CoVe).
    """
    for name, graph in graphs(config).items():
        with replacing(folder / name) as partial:
            partial.write_bytes(graph)


def graphs(config: NetworkConfig) -> dict[str, bytes]:
    """Both graphs by the name of their file. Raises as `write_graphs`."""
    needs("writing the ONNX graphs", "onnx")
    if config.context_layers:
        raise ConfigError("the backend 'onnx' runs biLMs, not the encoder of a translator (CoVe)")
    # `rows` (words, width) to `vectors` (words, P). Columns of padding at the end may be left out, see the backend.
    g = _Graph("words")
    rows = g.input("rows", ["words", "width" if config.reads_characters else config.row_width], integer=True)
    g.output("vectors", config.kind.graph(g, rows, config), ["words", config.projection_dim])
    return {WORDS_GRAPH: g.serialized(config), LAYERS_GRAPH: _layers(config)}


class _Graph:
    """A graph as it grows: every method adds nodes and gives the name of their result, which `title` makes unique."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.weights: dict[str, Any] = {}

    def add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """One node with one result."""
        from onnx import helper

        result = name or f"{self.title}.{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def split(self, x: str, sizes: Sequence[int]) -> list[str]:
        """Columns of x (…, sum of sizes)."""
        from onnx import helper

        results = [f"{self.title}.Split_{len(self.nodes)}_{number}" for number in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.integers(*sizes)], results, axis=-1))
        return results

    def integers(self, *values: int) -> str:
        """A constant of one dimension."""
        return self.add("Constant", value_ints=list(values))

    def number(self, value: float) -> str:
        """A constant of no dimension."""
        return self.add("Constant", value_float=float(value))

    def weight(self, name: str, *shape: int) -> str:
        """A weight of the model, which is not stored here."""
        from onnx import TensorProto

        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=WEIGHTS_FILE)
        self.weights[name] = tensor
        return name

    def linear(self, x: str, name: str, *, outputs: int, inputs: int) -> str:
        """x (N, inputs) through an `nn.Linear` to (N, outputs)."""
        weight = self.weight(f"{name}.weight", outputs, inputs)
        return self.add("Gemm", x, weight, self.weight(f"{name}.bias", outputs), transB=1)

    def input(self, name: str, shape: Sequence[int | str], *, integer: bool = False) -> str:
        """An input of the graph."""
        self.inputs.append(_value(name, shape, integer=integer))
        return name

    def output(self, name: str, x: str, shape: Sequence[int | str]) -> None:
        """x is an output of the graph under another name."""
        self.add("Identity", x, name=name)
        self.outputs.append(_value(name, shape))

    def body(self) -> Any:
        """As the body of a loop."""
        from onnx import helper

        return helper.make_graph(self.nodes, self.title, self.inputs, self.outputs)

    def serialized(self, config: NetworkConfig) -> bytes:
        """As a file."""
        from onnx import helper

        graph = helper.make_graph(self.nodes, self.title, self.inputs, self.outputs, list(self.weights.values()))
        model = helper.make_model(
            graph, producer_name="elmokit", ir_version=_IR, opset_imports=[helper.make_opsetid("", _OPSET)]
        )
        helper.set_model_props(model, {SHAPE_KEY: shape_sum(config)})
        found: bytes = model.SerializeToString(deterministic=True)
        return found


def _value(name: str, shape: Sequence[int | str], *, integer: bool = False) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.INT64 if integer else TensorProto.FLOAT, list(shape))


def _layers(config: NetworkConfig) -> bytes:
    """Each direction reads `tokens.D` (steps, sentences, P) in its own order from the states `h.L.D` and `c.L.D`; there
    are `layer.L.D` (steps, sentences, H) and the states after the last step, `h_last.L.D` and `c_last.L.D`."""
    from onnx import helper

    g = _Graph("layers")
    cell, size = config.cell_dim, config.projection_dim
    for direction in range(config.directions):
        x = g.input(f"tokens.{direction}", ["steps", "sentences", size])
        for layer in range(config.n_layers):
            name, place = f"bilm.layers.{layer}", f"{layer}.{direction}"
            weight_input = g.weight(f"{name}.weight_input[{direction}].T", size, 4 * cell)
            gates = g.add("Add", g.add("MatMul", x, weight_input), g.weight(f"{name}.bias[{direction}]", 4 * cell))
            g.weight(f"{name}.weight_hidden[{direction}].T", size, 4 * cell)
            if size != cell:
                g.weight(f"{name}.weight_projection[{direction}]", cell, size)
            h = g.input(f"h.{place}", ["sentences", size])
            c = g.input(f"c.{place}", ["sentences", cell])
            h_last, c_last, y = (f"{kind}.{place}" for kind in ("scan_h", "scan_c", "scan_y"))
            body = _step(config, layer, direction)
            g.nodes.append(helper.make_node("Scan", [h, c, gates], [h_last, c_last, y], body=body, num_scan_inputs=1))
            g.output(f"h_last.{place}", h_last, ["sentences", size])
            g.output(f"c_last.{place}", c_last, ["sentences", cell])
            x = g.add("Add", y, x) if layer and config.use_skip_connections else y
            g.output(f"layer.{place}", x, ["steps", "sentences", size])
    return g.serialized(config)


def _step(config: NetworkConfig, layer: int, direction: int) -> Any:
    """One step of `nn/lstm_steps.py`: output, input and forget gate, then the candidate."""
    cell, size, name = config.cell_dim, config.projection_dim, f"bilm.layers.{layer}"
    s = _Graph(f"step.{layer}.{direction}")
    h = s.input(f"{s.title}.h", ["sentences", size])
    c = s.input(f"{s.title}.c", ["sentences", cell])
    z = s.add(
        "Add",
        s.input(f"{s.title}.z", ["sentences", 4 * cell]),
        s.add("MatMul", h, f"{name}.weight_hidden[{direction}].T"),
    )
    gates, candidate = s.split(z, [3 * cell, cell])
    out_gate, in_gate, forget = s.split(s.add("Sigmoid", gates), [cell] * 3)
    new = s.add("Add", s.add("Mul", forget, c), s.add("Mul", in_gate, s.add("Tanh", candidate)))
    new = _clipped(s, new, config.cell_clip)
    y = s.add("Mul", out_gate, s.add("Tanh", new))
    if size != cell:
        y = s.add("MatMul", y, f"{name}.weight_projection[{direction}]")
        y = _clipped(s, y, config.proj_clip)
    s.output(f"{s.title}.h_next", y, ["sentences", size])
    s.output(f"{s.title}.c_next", new, ["sentences", cell])
    s.output(f"{s.title}.y", y, ["sentences", size])
    return s.body()


def _clipped(s: _Graph, x: str, bound: float | None) -> str:
    return x if bound is None else s.add("Clip", x, s.number(-bound), s.number(bound))
