"""How a run of any head begins."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from elmokit.tasks import head_training
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.head_training import begin


def settings(tmp_path: Path, **values: object) -> HeadConfig:
    return HeadConfig.model_validate({"model": "m", "output": tmp_path / "out", **values})


def test_a_resumed_run_keeps_the_precision_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(tmp_path, precision="auto")
    monkeypatch.setattr(head_training, "_faster_precision", lambda: "bfloat16")
    assert begin(config, tmp_path).precision == "bfloat16"
    written = yaml.safe_load((tmp_path / "training.yaml").read_text())
    assert (written["precision"], written["trained_in"]) == ("auto", "bfloat16")
    monkeypatch.setattr(head_training, "_faster_precision", lambda: "float32")
    assert begin(config, tmp_path).precision == "bfloat16"


def test_a_given_precision_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_training, "_faster_precision", lambda: pytest.fail("measured"))
    assert begin(settings(tmp_path), tmp_path).precision == "float32"
