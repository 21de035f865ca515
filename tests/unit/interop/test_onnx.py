"""The exported graph in onnxruntime, at lengths and batch sizes that the example did not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit.interop.onnx import export_onnx
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.nn.warm_state import warm_up
from elmokit.text.char_ids import char_ids
from elmokit.text.word_rows import ByteRows

ort = pytest.importorskip("onnxruntime", reason="pip install elmokit[onnx] to test the export")
pytest.importorskip("onnxscript", reason="pip install elmokit[onnx] to test the export")

BATCHES = [
    [["The", "bank", "was", "wet", "."]],
    [["a"], ["b"] * 12, ["x", "y" * 60]],
    [["one", "two"]] * 7,
    [[], ["a", "b"]],
]


@pytest.mark.parametrize(
    "settings",
    [
        {"cell_clip": 0.3, "proj_clip": 0.2, "warm": True},
        {"projection_dim": 32, "use_skip_connections": False, "cell_clip": None, "directions": 1, "n_layers": 1},
    ],
)
def test_every_length_and_batch_size(tmp_path: Path, settings: dict[str, Any]) -> None:
    torch.manual_seed(0)
    warm = settings.pop("warm", False)
    model = ElmoModel(ElmoConfig.preset("tiny", **settings)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)  # so that the clips bite
    if warm:
        warm_up(model, ByteRows(50))
    export_onnx(model, tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
    session = ort.InferenceSession(tmp_path / "m.onnx")
    for batch in BATCHES:
        ids = np.zeros((len(batch), max(map(len, batch)), 50), dtype=np.int64)
        for row, words in zip(ids, batch, strict=True):
            row[: len(words)] = char_ids(words)
        (layers,) = session.run(None, {"char_ids": ids})
        with torch.no_grad():
            expected = torch.stack(model(torch.from_numpy(ids)).hidden_states).numpy()
        np.testing.assert_allclose(layers, expected, atol=1e-5)


def test_pieces_of_words(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = {"token_encoder": "subword", "n_words": 20, "n_characters": 0, "max_pieces_per_token": 4}
    model = ElmoModel(ElmoConfig.preset("tiny", **config, marker_rows=[[1, 0, 0, 0], [2, 0, 0, 0]])).eval()
    export_onnx(model, tmp_path / "m.onnx")
    session = ort.InferenceSession(tmp_path / "m.onnx")
    for words in (1, 6):
        ids = np.zeros((2, words, 4), dtype=np.int64)
        ids[0, :, :2], ids[1, 0, :3] = [5, 7], [9, 4, 11]
        (layers,) = session.run(None, {"char_ids": ids})
        with torch.no_grad():
            expected = torch.stack(model(torch.from_numpy(ids)).hidden_states).numpy()
        np.testing.assert_allclose(layers, expected, atol=1e-5)


@pytest.mark.parametrize("warm", [True, False])
def test_the_file_says_how_it_is_used(tmp_path: Path, warm: bool) -> None:
    model = ElmoModel(ElmoConfig.preset("tiny", n_layers=1)).eval()
    if warm:
        warm_up(model, ByteRows(50))
    export_onnx(model, tmp_path / "m.onnx")
    session = ort.InferenceSession(tmp_path / "m.onnx")
    about = session.get_modelmeta().custom_metadata_map
    assert about["elmokit.state"].startswith("warm" if warm else "zero")
    assert "int64 (sentences, words, 50)" in about["elmokit.input"]
    assert session.get_inputs()[0].type == "tensor(int64)"
