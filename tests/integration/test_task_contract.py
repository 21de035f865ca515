"""What every task in the table keeps: one contract, on a tiny untrained biLM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.run_folder import single_writer
from elmokit.settings import load_settings
from elmokit.tasks import TASKS
from elmokit.tasks.report import RunMetrics
from elmokit.tasks.run import run_task
from elmokit.tasks.trainer import HeadTrainer
from helpers.task_cases import CASES, QUICK


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny biLM."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=list(TASKS))
def name(request: pytest.FixtureRequest) -> str:
    """Each task in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def settings(name: str, model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a quick run of a task, without its output."""
    place = tmp_path_factory.mktemp(name)
    return {**QUICK, **CASES[name].write(place), "model": str(model), "cache": str(place / "cache")}


@pytest.fixture(scope="module")
def trained(name: str, settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run from the command line, every setting given as an option."""
    folder = tmp_path_factory.mktemp("out") / name
    words = [part for key, value in settings.items() for part in (f"--{key.replace('_', '-')}", option(value))]
    result = elmo("train", name, *words, "--output", folder)
    assert result.exit_code == 0, result.output
    assert "epoch  1/3" in result.output
    return folder


def option(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def run(name: str, settings: dict[str, Any], output: Path, **more: Any) -> RunMetrics:
    entry = TASKS[name]
    config = load_settings(entry.settings(), None, **settings, output=output, progress=False, **more)
    return run_task(entry.load(), config)


def test_the_folder_is_whole_and_its_metrics_read_back(name: str, trained: Path) -> None:
    files = {path.name for path in trained.iterdir()}
    assert files >= {
        "README.md", "config.json", "model.safetensors", "tokenizer_config.json", "metrics.json", "training.yaml",
        "curves.png", "layer_weights.png", "tensorboard",
    }  # fmt: skip
    assert not [path for path in trained.parent.iterdir() if path != trained]
    recorded = yaml.safe_load((trained / "training.yaml").read_text())
    assert recorded["task"] == name
    assert recorded["files_read"]
    metrics = RunMetrics.load(trained)
    assert metrics.to_json() == json.loads((trained / "metrics.json").read_text())
    assert set(metrics.scores) == {"train", "validation", "test"}
    assert metrics.scores["test"].figure(metrics.figure) == metrics.scores["test"].to_json()[metrics.figure]
    load_settings(TASKS[name].settings(), trained / "training.yaml")  # it is a --config that gives the same run


def test_a_killed_run_goes_on_with_its_own_settings_and_data_and_ends_as_the_whole_one(
    name: str, settings: dict[str, Any], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = HeadTrainer.log

    def stop_in_the_second_epoch(self: HeadTrainer, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs and (self.state.epoch or 0) > 1:
            raise KeyboardInterrupt
        log(self, logs, start_time)

    with monkeypatch.context() as patch:
        patch.setattr(HeadTrainer, "log", stop_in_the_second_epoch)
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            run(name, settings, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [".out.partial"]
    with pytest.raises(ConfigError, match="--resume continues it"):
        run(name, settings, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"has learning_rate = 0\.01, this one 0\.02"):
        run(name, {**settings, "learning_rate": 0.02}, tmp_path / "out", resume=True)
    file = Path(settings["model"]) / "tokenizer_config.json"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    with pytest.raises(ConfigError, match="is not the file that the unfinished run"):
        run(name, settings, tmp_path / "out", resume=True)
    file.write_bytes(content)
    resumed = run(name, settings, tmp_path / "out", resume=True)
    whole = RunMetrics.load(trained)
    assert resumed.scores == whole.scores
    weights, others = (load_file(place / "model.safetensors") for place in (trained, tmp_path / "out"))
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[key], others[key]) for key in weights)


def test_an_output_with_content_needs_overwrite(
    name: str, settings: dict[str, Any], trained: Path, tmp_path: Path
) -> None:  # fmt: skip
    with pytest.raises(ConfigError, match="exists and is not empty: --overwrite replaces it"):
        run(name, settings, trained)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("x")
    run(name, {**settings, "epochs": 1}, tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "old").exists()
    with single_writer(tmp_path / "out"), pytest.raises(ConfigError, match="another process is writing"):
        run(name, settings, tmp_path / "out", overwrite=True)


def test_alone_in_a_batch_in_a_stream_and_from_the_command_line_it_says_the_same(name: str, trained: Path) -> None:
    inputs = CASES[name].inputs
    predictor = TASKS[name].predictor_class().from_pretrained(trained)
    together = predictor.predict(inputs)
    assert len(together) == len(inputs)
    shown = [predictor.record(given, result) for given, result in zip(inputs, together, strict=True)]
    alone = [predictor.record(given, predictor.predict([given])[0]) for given in inputs]
    streamed = [predictor.record(given, result) for given, result in predictor.stream(iter(inputs), chunk=2)]
    for record, one, other in zip(shown, alone, streamed, strict=True):
        assert record.keys() == one.keys() == other.keys()
        for key, value in record.items():
            assert_close(one[key], value)
            assert_close(other[key], value)
    if predictor.parts:
        words = [part for key, text in zip(predictor.parts, inputs[0], strict=True) for part in (f"--{key}", text)]
    else:
        words = [inputs[0]]
    printed = elmo("predict", trained, *words, "--json")
    assert printed.exit_code == 0, printed.output
    for key, value in json.loads(printed.stdout).items():
        assert_close(value, alone[0][key])


def assert_close(found: object, expected: object) -> None:
    """Equal, but for 1e-5 between numbers, wherever they stand: a record holds spans, which are dicts in lists."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_close(found[key], value)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    else:
        assert found == pytest.approx(expected, abs=1e-5)


def test_scores_from_the_files_are_those_of_the_report(name: str, settings: dict[str, Any], trained: Path) -> None:
    metrics = RunMetrics.load(trained)
    predictor = TASKS[name].predictor_class().from_pretrained(trained)
    files, options = CASES[name].score(settings)
    scores = predictor.score(files, **options)
    assert scores[metrics.figure] == pytest.approx(metrics.scores["test"].figure(metrics.figure), abs=1e-6)
    more = [part for key, value in options.items() for part in (f"--{key}", option(value))]
    printed = elmo("evaluate", trained, "--test", option(files), *more)
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.strip() == predictor.score_lines(scores)


def test_a_damaged_settings_file_is_told(name: str, trained: Path) -> None:
    file = trained / "training.yaml"
    content = file.read_text()
    try:
        file.write_text("max_words: {")
        result = elmo("predict", trained, "--file", trained / "README.md")
    finally:
        file.write_text(content)
    assert result.exit_code == 2
    assert "training.yaml is damaged" in result.stderr
