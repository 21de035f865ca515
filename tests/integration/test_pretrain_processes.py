"""Runs that are killed and runs of several processes, against runs that are neither."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import PretrainResult, pretrain

MODES = ("sentence", "stream")
KILLED = {
    "mid-epoch": ("step 13", 5),  # checkpoints after steps 5 and 10 are there
    "mid-checkpoint": ("flush 3", 4),  # all is written, nothing is in its place
    "mid-file": ("save 6", 4),  # some files of the second checkpoint are written
    "before-any-checkpoint": ("step 4", None),
}


def settings(folder: Path, output: str, mode: str, **changed: Any) -> dict[str, Any]:
    return {
        "train": [str(folder / "train.txt")], "valid": str(folder / "valid.txt"), "output": str(folder / output),
        "preset": "tiny", "model": {"filters": [[1, 4], [2, 8]], "softmax": "sampled", "n_negative_samples": 20},
        "min_count": 1, "batch_tokens": 100, "stream_rows": 6, "stream_window": 15, "epochs": 2, "log_steps": 3,
        "mode": mode, "precision": "float32", "checkpoint_minutes": 1000, **changed,
    }  # fmt: skip


def unlike_random(mode: str) -> dict[str, Any]:
    """Settings without chance, so that the number of processes cannot matter."""
    model = {"filters": [[1, 4], [2, 8]], "softmax": "full", "dropout": 0.0}
    return {"model": model, "log_steps": 1, "epochs": 1, "optimizer": "adam"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small text, and beside it the runs of `pretrain_cases.py` in all that happens to them."""
    folder = tmp_path_factory.mktemp("processes")
    generator = np.random.default_rng(1)
    for name, count in (("train", 120), ("valid", 20)):
        lines = (" ".join(f"w{n}" for n in generator.zipf(1.6, generator.integers(2, 14)) % 50) for _ in range(count))
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cases: list[dict[str, Any]] = []
    for mode in MODES:
        for name, (kill, save_at) in KILLED.items():
            config = settings(folder, f"{mode}-{name}", mode)
            cases.append({"config": config, "kill": kill, "save_at": save_at, "processes": 1})
        config = settings(folder, f"{mode}-two", mode, **unlike_random(mode))
        cases.append({"config": config, "kill": None, "save_at": 4, "processes": 2})
    config = settings(folder, "muon-two", "sentence", **unlike_random("sentence") | {"optimizer": "muon"})
    cases.append({"config": config, "kill": None, "save_at": 4, "processes": 2})
    long = {"schedule": "constant", "warmup_steps": 1, "optimizer": "muon", "max_steps": 6, "epochs": 9}
    config = settings(folder, "long-two", "stream", **long)
    cases.append({"config": config, "kill": None, "save_at": 4, "processes": 2})
    config = settings(folder, "decayed-two", "stream", **long, decay_from=str(folder / "long-two"), decay_steps=4)
    cases.append({"config": config, "kill": None, "save_at": 4, "processes": 2})
    config = settings(folder, "regrouped", "sentence", **unlike_random("sentence"), schedule="constant", warmup_steps=0)
    cases.append({"config": config, "kill": None, "save_at": 4, "processes": 2})
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    script = Path(__file__).parents[1] / "helpers" / "pretrain_cases.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder / "cases.json")], capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def uninterrupted(folder: Path) -> dict[str, PretrainResult]:
    return {mode: run(settings(folder, f"{mode}-whole", mode)) for mode in MODES}


def run(values: dict[str, Any]) -> PretrainResult:
    return pretrain(PretrainConfig(**values), show_progress=False)


def weights(result: PretrainResult) -> dict[str, torch.Tensor]:
    """Of the last step, from its checkpoint."""
    (last,) = (result.output / "checkpoints").iterdir()
    return load_file(last / "model.safetensors")


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", KILLED)
def test_a_killed_run_ends_with_the_very_same_weights(
    folder: Path, uninterrupted: dict[str, PretrainResult], mode: str, name: str
) -> None:
    output = folder / f"{mode}-{name}"
    began = [entry["step"] for entry in log(output)]
    assert not (output / "metrics.json").exists()
    resumed, whole = run(settings(folder, output.name, mode, resume=True)), uninterrupted[mode]
    one, other = weights(resumed), weights(whole)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    best, wanted = (load_file(each.output / "model.safetensors") for each in (resumed, whole))
    assert all(torch.equal(best[key], wanted[key]) for key in wanted)
    for now, then in zip(resumed.history, whole.history, strict=True):
        assert {k: v for k, v in now.items() if k != "seconds"} == pytest.approx(
            {k: v for k, v in then.items() if k != "seconds"}, rel=1e-12
        )
    steps = [(entry["event"], entry["step"]) for entry in log(output)]
    assert len(steps) == len(set(steps))
    assert [step for _, step in steps] == sorted(step for _, step in steps)
    assert steps[0] == ("start", 0)
    assert began


def test_another_number_of_processes_goes_on_after_an_epoch(folder: Path) -> None:
    """Two processes train the first epoch, one the second: as if one had trained both."""
    constant = {**unlike_random("sentence"), "schedule": "constant", "warmup_steps": 0, "epochs": 2}
    whole = run(settings(folder, "alone", "sentence", **constant))
    run(settings(folder, "regrouped", "sentence", **constant, resume=True))
    losses, expected = (
        [entry["loss"] for entry in log(path) if entry["event"] == "train"]
        for path in (folder / "regrouped", whole.output)
    )
    assert len(losses) == len(expected) > 10
    assert losses == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_two_processes_lose_what_one_loses(folder: Path, mode: str) -> None:
    one = run(settings(folder, f"{mode}-one", mode, **unlike_random(mode)))
    alone, together = (
        [entry for entry in log(path) if entry["event"] == "train"] for path in (one.output, folder / f"{mode}-two")
    )
    assert len(alone) == len(together) > 5
    for name in ("loss", "forward", "backward"):
        assert [entry[name] for entry in together] == pytest.approx([entry[name] for entry in alone], rel=1e-5)
    two = json.loads((folder / f"{mode}-two" / "metrics.json").read_text(encoding="utf-8"))
    assert two["processes"] == 2
    assert two["epochs"][-1]["valid_perplexity"] == pytest.approx(one.history[-1]["valid_perplexity"], rel=1e-4)


@pytest.mark.parametrize("name", ["sentence-two", "stream-two", "muon-two", "decayed-two"])
def test_all_processes_end_with_the_same_weights(folder: Path, name: str) -> None:
    one, other = ((folder / name / f"weights-{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1))
    assert one == other


def test_two_processes_under_muon_learn_what_one_learns(folder: Path) -> None:
    """Not to the last digit: what is orthogonalised in bfloat16 does not tell apart what rounding moved."""
    changed = {**unlike_random("sentence"), "optimizer": "muon"}
    one = run(settings(folder, "muon-one", "sentence", **changed))
    two = json.loads((folder / "muon-two" / "metrics.json").read_text(encoding="utf-8"))
    assert two["epochs"][-1]["valid_perplexity"] == pytest.approx(one.history[-1]["valid_perplexity"], rel=0.02)


def test_two_processes_decay_what_two_have_trained(folder: Path) -> None:
    steps = [
        json.loads((folder / name / "metrics.json").read_text(encoding="utf-8"))["epochs"][-1]["step"]
        for name in ("long-two", "decayed-two")
    ]
    assert steps == [6, 10]
    rates = [entry["learning_rate"] for entry in log(folder / "decayed-two") if entry["event"] == "train"]
    assert rates[-1] < rates[0] <= 0.002


def test_another_number_of_processes_cannot_take_a_run_up(folder: Path) -> None:
    from elmokit.errors import ConfigError

    values = settings(folder, "stream-two", "stream", **unlike_random("stream"))
    with pytest.raises(ConfigError, match="written by 2 processes, this run has 1"):
        run({**values, "resume": True, "epochs": 3})
