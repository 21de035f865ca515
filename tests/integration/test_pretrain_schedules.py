"""Runs that end early, are evaluated meanwhile, or are decayed from another run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from elmokit.cli.app import main
from elmokit.errors import ConfigError, DataError
from elmokit.pretrain import loop
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import PretrainResult, StepCallback, TrainingStep, pretrain
from elmokit.pretrain.perplexity import evaluate_text

MODEL = {"filters": [[1, 4], [2, 8]], "softmax": "full"}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.txt, of about nine updates an epoch, and valid.txt."""
    folder = tmp_path_factory.mktemp("text")
    generator = np.random.default_rng(1)
    for name, count in (("train", 90), ("valid", 20)):
        numbers = [generator.zipf(1.6, generator.integers(2, 14)) % 40 for _ in range(count)]
        lines = [" ".join(f"W{number}" for number in line) for line in numbers]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings(text: Path, output: Path, **changed: Any) -> dict[str, Any]:
    return {
        "train": [str(text / "train.txt")], "valid": str(text / "valid.txt"), "output": str(output), "preset": "tiny",
        "model": MODEL, "min_count": 1, "batch_tokens": 100, "stream_rows": 4, "stream_window": 15, "epochs": 2,
        "log_steps": 3, "precision": "float32", "warmup_steps": 2, "learning_rate": 0.01, **changed,
    }  # fmt: skip


def run(text: Path, output: Path, *, on_step: Any = None, **changed: Any) -> PretrainResult:
    return pretrain(PretrainConfig(**settings(text, output, **changed)), show_progress=False, on_step=on_step)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Of the last step, from its checkpoint."""
    (last,) = (folder / "checkpoints").iterdir()
    return load_file(last / "model.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stop_at(step: int) -> StepCallback:
    """Ends a run in the update after which `step` are made."""
    return lambda done: "stop" if done.step == step else None


@pytest.mark.parametrize("mode", ["sentence", "stream"])
def test_a_run_ends_after_so_many_updates_and_can_go_on(text: Path, tmp_path: Path, mode: str) -> None:
    """In the middle of an epoch it has figures and a model; with a higher bound it is as if it had never ended."""
    changed = {"mode": mode, "schedule": "constant", "epochs": 9}
    short = run(text, tmp_path / "run", **changed, max_steps=4)
    (row,) = short.history
    assert (row["step"], 0 < row["epoch"] < 1) == (4, True)
    assert short.metrics["steps"] == 4
    found = evaluate_text(tmp_path / "run", text / "valid.txt", state="carry" if mode == "stream" else "zero")
    assert found.perplexity.mean == pytest.approx(row["valid_perplexity"], rel=1e-5)
    again = run(text, tmp_path / "run", **changed, max_steps=4, resume=True)
    assert again.history == short.history
    longer = run(text, tmp_path / "run", **changed, max_steps=13, resume=True)
    whole = run(text, tmp_path / "whole", **changed, max_steps=13)
    assert same(weights(tmp_path / "run"), weights(tmp_path / "whole"))
    assert [row["step"] for row in longer.history] == [4, *(row["step"] for row in whole.history)]
    assert whole.history[-1]["step"] == 13
    events = [(entry["event"], entry["step"]) for entry in log(tmp_path / "run")]
    assert len(events) == len(set(events))
    assert [step for event, step in events if event == "epoch"] == [row["step"] for row in longer.history]


def test_a_run_ends_after_so_many_words(text: Path, tmp_path: Path) -> None:
    result = run(text, tmp_path / "run", max_train_words=1200, schedule="linear", final_learning_rate=0.0, log_steps=1)
    words, steps = result.history[-1]["words"], result.history[-1]["step"]
    assert 1200 <= words < 1300  # the last batch of up to 100 reaches it
    rates = [entry["learning_rate"] for entry in log(tmp_path / "run") if entry["event"] == "train"]
    assert len(rates) == steps
    assert rates[-1] < 0.01 / 5  # the schedule is that of the short run
    assert result.metrics["steps"] == steps


@pytest.mark.parametrize("mode", ["sentence", "stream"])
def test_evaluations_meanwhile_change_nothing(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    plain = run(text, tmp_path / "plain", mode=mode)
    watched = run(text, tmp_path / "watched", mode=mode, evaluate_steps=4)
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "watched"))
    rows = watched.metrics["evaluations"]
    last = watched.history[-1]["step"]
    ends = [row["step"] for row in watched.history]
    assert [row["step"] for row in rows] == sorted({*range(4, last + 1, 4), *ends})
    assert rows[-1]["valid_perplexity"] == pytest.approx(plain.history[-1]["valid_perplexity"])
    assert rows[0]["words"] < rows[1]["words"]
    told = [entry for entry in log(tmp_path / "watched") if entry["event"] == "evaluation"]
    assert [entry["step"] for entry in told] == [row["step"] for row in rows if row["step"] % 4 == 0]
    assert told[0]["valid_perplexity"] == rows[0]["valid_perplexity"]
    assert "evaluations" not in plain.metrics
    # Stopped during an evaluation, and resumed
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match=r"^$"):
        patch.setattr(loop, "evaluate_batches", interrupted)
        run(text, tmp_path / "run", mode=mode, evaluate_steps=4)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-0000004"]
    resumed = run(text, tmp_path / "run", mode=mode, evaluate_steps=4, resume=True)
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "run"))
    assert resumed.metrics["evaluations"] == [pytest.approx(row) for row in rows]


def test_the_training_perplexity_hardly_depends_on_when_checkpoints_are_written(text: Path, tmp_path: Path) -> None:
    rare = run(text, tmp_path / "rare", evaluate_steps=4, log_steps=4)
    often = run(text, tmp_path / "often", evaluate_steps=4, log_steps=4, on_step=lambda step: "save")
    for one, other in zip(rare.metrics["evaluations"], often.metrics["evaluations"], strict=True):
        assert one["train_perplexity"] == pytest.approx(other["train_perplexity"], rel=0.02)


def interrupted(*arguments: Any, **keywords: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def constant(text: Path, tmp_path: Path) -> Path:
    """A run at a constant rate under Muon, with averaged weights, stopped after 12 updates."""
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(text, tmp_path / "long", **LONG, on_step=stop_at(12))
    return tmp_path / "long"


LONG = {"schedule": "constant", "warmup_steps": 1, "epochs": 3, "optimizer": "muon", "average_decay": 0.8}


def test_a_run_is_decayed_from_where_it_stands_and_goes_on_undisturbed(
    constant: Path, text: Path, tmp_path: Path
) -> None:
    """It ends with the weights of a wsd run of that length, the other run with those of one that was never decayed."""
    before = content(constant)
    decayed = run(text, tmp_path / "decayed", **LONG, decay_from=str(constant), decay_steps=6)
    assert content(constant) == before
    assert decayed.history[-1]["step"] == 18
    assert decayed.metrics["steps"] == 18
    whole = run(text, tmp_path / "wsd", **{**LONG, "schedule": "wsd"}, max_steps=18, decay_steps=6)
    assert same(weights(tmp_path / "decayed"), weights(tmp_path / "wsd"))
    assert decayed.history[-1]["valid_nll"] == whole.history[-1]["valid_nll"]
    assert decayed.history[-1]["words"] == whole.history[-1]["words"]
    kept = load_file(tmp_path / "decayed" / "model.safetensors")
    assert same(kept, load_file(tmp_path / "wsd" / "model.safetensors"))
    found = evaluate_text(tmp_path / "decayed", text / "valid.txt")
    best = min(row["valid_perplexity"] for row in decayed.history)  # the model of the best evaluation is kept
    assert found.perplexity.mean == pytest.approx(best, rel=1e-5)
    entries = log(tmp_path / "decayed")
    assert (entries[0]["event"], entries[0]["step"]) == ("start", 12)
    run(text, constant, **LONG, resume=True)
    run(text, tmp_path / "never", **LONG)
    assert same(weights(constant), weights(tmp_path / "never"))
    longer = run(text, tmp_path / "again", **LONG, decay_from=str(constant), decay_steps=4)  # a finished one, too
    assert longer.history[-1]["step"] == 4 + int(log(constant)[-1]["step"])


def killed(done: TrainingStep) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("on_step", [killed, stop_at(15)], ids=["at once", "later"])
def test_a_decay_that_is_killed_goes_on_exactly(
    constant: Path, text: Path, tmp_path: Path, on_step: StepCallback
) -> None:
    """Before its first own checkpoint, or later; the other run may have moved on, or be gone."""
    changed = {**LONG, "decay_from": str(constant), "decay_steps": 6}
    run(text, tmp_path / "whole", **changed)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(text, tmp_path / "run", **changed, on_step=on_step)
    shutil.rmtree(constant)
    run(text, tmp_path / "run", **changed, resume=True)
    assert same(weights(tmp_path / "run"), weights(tmp_path / "whole"))
    events = [(entry["event"], entry["step"]) for entry in log(tmp_path / "run")]
    assert len(events) == len(set(events))
    assert events[0] == ("start", 12)


def test_the_text_is_read_again_where_the_other_run_lost_its_corpus(constant: Path, text: Path, tmp_path: Path) -> None:
    shutil.rmtree(constant / "corpus")
    result = run(text, tmp_path / "decayed", **LONG, decay_from=str(constant), decay_steps=2)
    assert result.history[-1]["step"] == 14


def test_what_cannot_be_decayed(constant: Path, text: Path, tmp_path: Path) -> None:
    output = tmp_path / "decayed"
    output.mkdir()
    (output / "metrics.json").write_text("{}", encoding="utf-8")  # an earlier run
    changed = {**LONG, "overwrite": True}
    with pytest.raises(ConfigError, match=r"nowhere has no checkpoint; expected the folder of a run"):
        run(text, output, **changed, decay_from=str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"^--decay-from: batch_tokens is 50, the run in .* has 100: give the same$"):
        run(text, output, **changed, decay_from=str(constant), batch_tokens=50)
    with pytest.raises(ConfigError, match=r"--decay-from and --output are the same folder"):
        run(text, constant, **changed, decay_from=str(constant))
    with (
        pytest.raises(DataError, match=r"cannot copy the run .*: No space left"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(shutil, "copytree", no_space)
        run(text, tmp_path / "full", **LONG, decay_from=str(constant))
    assert list(content(output)) == ["metrics.json"]
    run(text, tmp_path / "cosine", **{**LONG, "schedule": "cosine"}, max_steps=8)
    with pytest.raises(ConfigError, match=r"its learning rate is at 0\.\d+ of the peak; expected a run at its peak"):
        run(text, output, **changed, decay_from=str(tmp_path / "cosine"))
    assert list(content(output)) == ["metrics.json"]


def no_space(*args: Any, **keywords: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"decay_steps": 3},
            "decay_steps is set, the schedule is cosine; expected --set schedule=wsd, or --decay-from",
        ),
        ({"evaluate_steps": 3, "valid": None}, "evaluate_steps is set; expected held-out text to evaluate: --valid"),
    ],
)
def test_settings_that_do_not_fit(text: Path, tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(text, tmp_path / "run", **changed)
    assert not (tmp_path / "run").exists()


def test_the_command_takes_all_settings_of_the_other_run(
    constant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(constant)

    def command(run: Path) -> None:
        arguments = ["--decay-from", str(run), "--output", str(tmp_path / "stage"), "--set", "decay_steps=3"]
        monkeypatch.setattr("sys.argv", ["elmo", "pretrain", *arguments])
        main()

    with pytest.raises(SystemExit, match="2"):
        command(tmp_path)
    told = f"error: --decay-from {tmp_path} contains no run of elmo pretrain: it has no config.yaml"
    assert capsys.readouterr().err.startswith(told)
    with pytest.raises(SystemExit, match="0"):
        command(constant)
    metrics = json.loads((tmp_path / "stage" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["epochs"][-1]["step"] == 15
    assert content(constant) == before
