"""The registry of shipped models, on models that a test puts there, and on those that are there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import elmokit.pretrained as registry
from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoTokenizer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A registry with one small classifier, as the default one."""
    torch.manual_seed(0)
    config = ElmoConfig.preset("tiny", num_labels=2, head_hidden_dim=4)
    config.id2label = {0: "calm", 1: "storm"}
    folder = tmp_path / "home" / registry.DEFAULT_CLASSIFIER
    ElmoForSequenceClassification(config).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    registry.write_about(folder, summary="a test", terms="none", parameters=7)
    monkeypatch.setattr(registry, "_HOME", tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    registry.shipped_models.cache_clear()
    yield tmp_path / "home"
    registry.shipped_models.cache_clear()


def elmo(*words: str, text: str | None = None) -> str:
    result = CliRunner().invoke(app, list(words), input=text)
    return result.stdout if result.exit_code == 0 else f"{result.exit_code} {result.stderr}"


def test_a_name_is_a_folder_unless_there_is_one_of_that_name(home: Path, tmp_path: Path) -> None:
    name = registry.DEFAULT_CLASSIFIER
    assert registry.located(name) == home / name
    assert registry.located(tmp_path / name) == tmp_path / name
    assert registry.located("elmo-none") == Path("elmo-none")
    encoder = Encoder.from_pretrained(name)
    assert encoder.encode(["a b"])[0].shape == (3, 2, 32)
    (tmp_path / name).mkdir()
    assert registry.located(name) == Path(name)


def test_predict_without_a_model_takes_the_shipped_classifier(home: Path) -> None:
    one = elmo("predict", "a gale rises")
    assert one.startswith(("calm", "storm"))
    assert elmo("predict", registry.DEFAULT_CLASSIFIER, "a gale rises") == one
    assert len(elmo("predict", "a gale", "b c").splitlines()) == 2
    assert elmo("predict", text="a gale rises\n") == one
    assert elmo("predict", "nowhere", "text").startswith("2 error: There is no model folder nowhere")
    assert elmo("predict", "some/where").startswith("2 error: There is no model folder some/where")


def test_models_lists_them_and_tells_changed_files(home: Path) -> None:
    shown = elmo("models", "--check")
    assert registry.DEFAULT_CLASSIFIER in shown
    assert "all files are as they were shipped" in shown
    (listed,) = json.loads(elmo("models", "--json"))
    assert listed["bytes"] == sum((home / listed["name"] / name).stat().st_size for name in listed["sha256"])
    with (home / listed["name"] / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert "elmo-mini-news (model.safetensors): install elmokit again" in elmo("models", "--check")


def test_files_in_folders_of_a_model_have_their_sums_too(home: Path) -> None:
    folder = home / registry.DEFAULT_CLASSIFIER
    (folder / "bilm").mkdir()
    (folder / "bilm" / "vocab.txt").write_text("a\n")
    registry.write_about(folder, summary="a test", terms="none", parameters=7)
    registry.shipped_models.cache_clear()
    model = registry.shipped_models()[registry.DEFAULT_CLASSIFIER]
    assert "bilm/vocab.txt" in model.sha256
    assert model.damaged() == []
    (folder / "bilm" / "vocab.txt").write_text("b\n")
    assert model.damaged() == ["bilm/vocab.txt"]


def test_what_is_shipped_is_whole() -> None:
    largest = {"elmo-mini": 18e6, "elmo-small": 32e6, "elmo-mini-news": 36e6}
    models = registry.shipped_models()
    assert set(models) == set(largest)
    for name, model in models.items():
        assert model.damaged() == []
        assert model.size < largest[name]
        assert (model.folder / "README.md").is_file()
    files = [path for model in models.values() for path in model.folder.rglob("*") if path.is_file()]
    assert sum(len(zlib.compress(path.read_bytes(), 1)) for path in files) < 78e6  # the wheel stays below 80 MB


def test_elmo_small_is_written_for_programs_of_the_published_models(tmp_path: Path) -> None:
    elmo("convert", "elmo-small", str(tmp_path / "small"), "--to", "bilm")
    assert {"options.json", "weights.hdf5"} <= {path.name for path in (tmp_path / "small").iterdir()}
    texts = ["The bank raised its rates.", "We rowed to the other bank."]
    shipped, written = (
        Encoder.from_pretrained(source, backend="torch", state="zero").encode(texts)
        for source in ("elmo-small", str(tmp_path / "small"))
    )
    for one, other in zip(shipped, written, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
