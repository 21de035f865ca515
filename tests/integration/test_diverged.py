"""A training whose loss is no number stops, keeps the checkpoint before, and goes on from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import Trainer

from elmokit.errors import ModelError
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.tasks import TASKS
from elmokit.tasks.report import RunMetrics
from elmokit.tasks.run import run_task
from elmokit.tasks.trainer import HeadTrainer
from helpers.task_cases import CASES, QUICK


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "model")
    ElmoTokenizer().save_pretrained(tmp_path / "model")
    (tmp_path / "data").mkdir()
    own = {"model": str(tmp_path / "model"), "cache": str(tmp_path / "cache"), "output": tmp_path / "out"}
    return {**QUICK, **CASES["classify"].write(tmp_path / "data"), **own, "progress": False}


def run(settings: dict[str, Any], **more: Any) -> RunMetrics:
    entry = TASKS["classify"]
    return run_task(entry.load(), load_settings(entry.settings(), None, **settings, **more))


def test_the_last_good_checkpoint_is_kept(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.training_step

    def broken(self: HeadTrainer, *arguments: Any, **named: Any) -> torch.Tensor:
        loss = step(self, *arguments, **named)
        return loss * float("nan") if self.state.epoch and self.state.epoch > 1 else loss

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", broken)
        with pytest.raises(ModelError, match=r"the loss became nan at step .*--learning-rate 0.001.*was kept"):
            run(settings)
    assert not (tmp_path / "out").exists()
    (kept,) = (tmp_path / ".out.partial" / "checkpoints").glob("checkpoint-*")
    weights = load_file(kept / "model.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in weights.values())
    metrics = run(settings, resume=True)
    assert metrics.epochs == 3
    text = (tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text
    json.loads(text)


def test_a_rate_that_diverges(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the loss became (nan|inf) at step"):
        run({**settings, "learning_rate": 1e30, "max_grad_norm": 1e30})
    assert not (tmp_path / "out").exists()
