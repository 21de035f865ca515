"""Folders as the Hub and the Auto classes of transformers use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch

from elmokit import Encoder
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel, ElmoTokenizer
from elmokit.pretrained import located, shipped_models
from elmokit.saved_model.remote_code import AUTO_MAP, REMOTE_FILE, TOKENIZER_AUTO_MAP

LOAD = """
import sys
from transformers import AutoModel, AutoTokenizer
folder, again = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
print(model(**tokenizer(["He sat."], return_tensors="pt")).last_hidden_state.sum().item())
model.save_pretrained(again)
tokenizer.save_pretrained(again)
"""


def save(folder: Path) -> Path:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    return folder


def run(code: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """In a new process, which has imported nothing of ours."""
    environment = {**os.environ, "HF_MODULES_CACHE": str(home / "modules"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, str(folder), str(home / "again")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_auto_classes_load_a_folder_by_its_own_file(tmp_path: Path) -> None:
    folder = save(tmp_path / "model")
    done = run(LOAD, folder, tmp_path)
    assert done.returncode == 0, done.stderr
    expected = Encoder.from_pretrained(folder).encode("He sat.", layers="top").sum()
    assert float(done.stdout) == pytest.approx(expected, abs=1e-4)
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert names == ["config.json", REMOTE_FILE, "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


@pytest.mark.slow
def test_without_elmokit_it_says_how_to_install_it(tmp_path: Path) -> None:
    folder = save(tmp_path / "model")
    done = run(f"import sys\nsys.modules['elmokit'] = None\n{LOAD}", folder, tmp_path)
    assert done.returncode != 0
    assert "ImportError: this model needs elmokit (" in done.stderr
    assert done.stderr.rstrip().endswith("pip install 'elmokit[train]'")


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_have_the_file(name: str, tmp_path: Path) -> None:
    fresh, folder = save(tmp_path), located(name)
    assert (folder / REMOTE_FILE).read_bytes() == (fresh / REMOTE_FILE).read_bytes()
    assert json.loads((folder / "config.json").read_text())["auto_map"] == AUTO_MAP
    assert json.loads((folder / "tokenizer_config.json").read_text())["auto_map"] == TOKENIZER_AUTO_MAP


class FakeHub:
    """What transformers calls of `huggingface_hub` when it uploads: kept instead of sent."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def create_repo(self, repo_id: str, **_: Any) -> Any:
        return huggingface_hub.RepoUrl(f"https://huggingface.co/{repo_id}")

    def create_commit(self, *, operations: list[huggingface_hub.CommitOperationAdd], **_: Any) -> None:
        for operation in operations:
            with operation.as_file() as file:
                self.files[operation.path_in_repo] = file.read()


def test_push_to_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub()
    monkeypatch.setattr("transformers.utils.hub.hf_api", lambda: hub)
    monkeypatch.setattr(
        "transformers.utils.hub.create_and_tag_model_card", lambda *_, **__: huggingface_hub.ModelCard("")
    )
    torch.manual_seed(0)
    model = ElmoForSequenceClassification(ElmoConfig.preset("tiny", num_labels=3))
    model.push_to_hub("somebody/elmo")  # type: ignore[arg-type]
    ElmoTokenizer().push_to_hub("somebody/elmo")
    assert {"README.md", "config.json", REMOTE_FILE, "model.safetensors", "tokenizer_config.json"} <= set(hub.files)
    for name, content in hub.files.items():
        (tmp_path / name).write_bytes(content)
    again = ElmoForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(again.classifier.linear.weight, model.classifier.linear.weight)
