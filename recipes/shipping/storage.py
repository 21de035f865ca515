"""A run's model as a folder that ships: weights in float16, readable by everybody."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from torch import nn

from elmokit.encode.common_component import COMPONENT_FILE
from elmokit.encode.word_weights import COUNTS_FILE
from elmokit.interop.graphs import write_graphs
from elmokit.models.loading import load
from elmokit.models.modeling_elmo import ElmoPreTrainedModel
from elmokit.models.quiet import quiet_transformers
from elmokit.nn.config import NetworkConfig

_BESIDES = (
    "vocab.txt", COUNTS_FILE, COMPONENT_FILE, "tokenizer.json", "tokenizer_config.json", "lexicon.json",
    "head_fitting.json",
)  # fmt: skip


def store(kind: type[ElmoPreTrainedModel], run: Path, folder: Path) -> ElmoPreTrainedModel:
    """The model and tokenizer of a run in `folder`, with its ONNX graphs; programs still compute in float32."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with quiet_transformers():
        load(kind, run, dtype="float16").save_pretrained(folder)
    config = folder / "config.json"
    content = json.loads(config.read_text(encoding="utf-8")) | {"dtype": "float32"}
    config.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in _BESIDES:
        if (run / name).is_file():
            shutil.copy(run / name, folder)
    model = load(kind, folder)
    write_graphs(NetworkConfig.of(model.config), folder)
    _without_folders(folder / "head_fitting.json")
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone
    return model


def _without_folders(file: Path) -> None:
    """Leave the names of the files that a head was fitted with, not where they were."""
    if not file.is_file():
        return
    fit = json.loads(file.read_text(encoding="utf-8"))
    settings = fit["settings"]
    settings["train"] = [Path(path).name for path in settings["train"]]
    settings |= {name: Path(settings[name]).name for name in ("model", "valid", "output")}
    file.write_text(json.dumps(fit, indent=1) + "\n", encoding="utf-8")


def parameters(model: nn.Module) -> int:
    """Numbers in a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def millions(model: nn.Module) -> str:
    """The same, to be read."""
    return f"{parameters(model) / 1e6:.1f} M"
