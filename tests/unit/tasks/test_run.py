"""How a run of any head begins."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from elmokit.tasks import precision
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.run import begin


def settings(tmp_path: Path, **values: object) -> HeadConfig:
    return HeadConfig.model_validate({"model": "m", "output": tmp_path / "out", **values})


def test_a_resumed_run_keeps_the_precision_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(tmp_path, precision="auto")
    monkeypatch.setattr(precision, "faster_precision", lambda device: "bfloat16")
    assert begin(config, tmp_path).precision == "bfloat16"
    written = yaml.safe_load((tmp_path / "training.yaml").read_text())
    assert (written["precision"], written["trained_in"]) == ("auto", "bfloat16")
    monkeypatch.setattr(precision, "faster_precision", lambda device: "float32")
    assert begin(config, tmp_path).precision == "bfloat16"


def test_a_given_precision_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "faster_precision", lambda device: pytest.fail("measured"))
    assert begin(settings(tmp_path, precision="float32"), tmp_path).precision == "float32"
