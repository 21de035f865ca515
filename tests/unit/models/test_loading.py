"""Model folders that are not what they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from elmokit.errors import ConfigError, ModelError
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel
from elmokit.models.loading import load, load_with_mix


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    return tmp_path


def change_config(folder: Path, **values: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_sound_folder_loads_in_eval_mode(folder: Path) -> None:
    assert not load(ElmoModel, folder).training


def test_the_mix_of_a_classifier_comes_along(tmp_path: Path) -> None:
    config = ElmoConfig.preset("tiny", mix_weights=[0.2, 0.3, 0.5])
    ElmoForSequenceClassification(config).save_pretrained(tmp_path)
    _, mix = load_with_mix(tmp_path)
    assert mix is not None
    assert mix.weights() == (pytest.approx([0.2, 0.3, 0.5]), pytest.approx(1.0))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model folder .*nowhere; expected a folder with config\.json"):
        load(ElmoModel, tmp_path / "nowhere")


def test_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"it has no config\.json"):
        load(ElmoModel, tmp_path)


def test_damaged_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "el')
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        load(ElmoModel, folder)


def test_another_kind_of_model(folder: Path) -> None:
    change_config(folder, model_type="bert")
    with pytest.raises(ModelError, match="a model of type 'bert'; expected 'elmo'"):
        load(ElmoModel, folder)


def test_unknown_and_wrong_settings(folder: Path) -> None:
    change_config(folder, droput=0.3)
    with pytest.raises(ConfigError, match="Unknown model setting 'droput'"):
        load(ElmoModel, folder)
    change_config(folder, dropout="much", droput=None)
    values = json.loads((folder / "config.json").read_text())
    values.pop("droput")
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match="dropout"):
        load(ElmoModel, folder)


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no weights; expected model\.safetensors"):
        load(ElmoModel, folder)


def test_truncated_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ModelError, match="cannot be read") as caught:
        load(ElmoModel, folder)
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape(folder: Path) -> None:
    change_config(folder, cell_dim=48)
    with pytest.raises(ModelError, match=r"is \(.*\); its config.json asks for \(2, 192\)"):
        load(ElmoModel, folder)


def test_a_tensor_is_missing(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("bilm.layers.1.bias")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 tensors of ElmoModel, the first is bilm\.layers\.1\.bias"):
        load(ElmoModel, folder)


@pytest.mark.parametrize("saved_as", ["classifier", "language model"])
def test_the_bilm_inside_any_head_is_found(saved_as: str, tmp_path: Path) -> None:
    torch.manual_seed(4)
    if saved_as == "classifier":
        ElmoForSequenceClassification(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    else:
        from elmokit.models.modeling_pretraining import ElmoForPreTraining

        ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=50, softmax="full")).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    bilm, mix = load_with_mix(tmp_path)
    assert (mix is not None) == (saved_as == "classifier")
    for name, tensor in bilm.state_dict().items():
        assert torch.equal(tensor, weights[f"elmo.{name}"]), name
