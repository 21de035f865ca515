"""Settings from file, options and overrides, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import Field

from elmokit.errors import ConfigError
from elmokit.settings import Settings, dump_settings, load_settings


class Inner(Settings):
    depth: int = 1


class Row(Settings):
    kind: Literal["model", "vectors"] = "model"


class Run(Settings):
    name: str
    steps: int = Field(default=10, gt=0)
    rate: float = 0.1
    model: dict[str, Any] = Field(default={})
    inner: Inner = Inner()
    folder: Path | None = None
    method: Literal["muon", "adam"] = "muon"
    share: float | None = Field(default=None, gt=0, le=1)
    column: int | str = 1
    files: list[str] = Field(default=["a"], min_length=1)
    weights: dict[str, float] | Literal["balanced"] | None = None
    quick: bool = False
    rows: list[Row] = Field(default=[])


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "run.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_a_run_recorded_beside_its_settings_is_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path, "name: file\nsteps: 3\ntrained_in: bfloat16\nversions: {torch: 2.13.0}\n")
    run = load_settings(Run, file)
    assert run == Run(name="file", steps=3)
    with pytest.raises(ConfigError, match="unknown setting 'versions'"):
        load_settings(Run, None, name="x", versions="2")


def test_the_later_source_wins(tmp_path: Path) -> None:
    file = written(tmp_path, "name: file\nsteps: 1\nrate: 1.0\n")
    run = load_settings(Run, file, overrides=["rate=3.0"], steps=2, rate=2.0, folder=None)
    assert (run.name, run.steps, run.rate, run.folder) == ("file", 2, 3.0, None)


def test_overrides_reach_into_mappings_and_groups(tmp_path: Path) -> None:
    file = written(tmp_path, "name: x\nmodel:\n  dropout: 0.1\n")
    run = load_settings(Run, file, overrides=["model.cell_dim=64", "inner.depth=3", "model.filters=[[1, 2]]"])
    assert run.model == {"dropout": 0.1, "cell_dim": 64, "filters": [[1, 2]]}
    assert run.inner.depth == 3
    assert load_settings(Run, written(tmp_path, "name: x\nmodel:\n"), overrides=["model.a=1"]).model == {"a": 1}


def test_values_of_the_caller_are_not_changed() -> None:
    given = {"dropout": 0.1}
    load_settings(Run, name="x", model=given, overrides=["model.dropout=0.5"])
    assert given == {"dropout": 0.1}


def test_what_is_dumped_loads_again(tmp_path: Path) -> None:
    run = load_settings(Run, name="Über", folder=tmp_path, model={"a": [1, 2]})
    assert load_settings(Run, written(tmp_path, dump_settings(run))) == run
    assert list(yaml.safe_load(dump_settings(run))) == list(Run.model_fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nstepz: 3\n", r"unknown setting 'stepz' \(did you mean 'steps'\?\); known here: name, steps"),
        ("name: x\ninner:\n  width: 3\n", "unknown setting 'inner.width'; known here: depth"),
        ("name: x\nstep: 3\n", r"unknown setting 'step' \(did you mean 'steps'\?\); known here: name, steps"),
        (
            "name: x\nrows: [{kint: model}]\n",
            r"unknown setting 'rows.0.kint' \(did you mean 'kind'\?\); known here: kind$",
        ),
        ("name: x\nsteps: many\n", "^setting 'steps': expected a whole number above 0, got 'many'$"),
        ("name: x\nsteps: 0\n", "^setting 'steps': expected a whole number above 0, got 0$"),
        ("name: x\nsteps: 1.5\n", "^setting 'steps': expected a whole number above 0, got 1.5$"),
        ("name: x\nsteps:\n", "^setting 'steps': expected a whole number above 0, got null$"),
        ("name: 3\n", "^setting 'name': expected text, got 3$"),
        ("name: x\nrate: [1]\n", r"^setting 'rate': expected a number, got \[1\]$"),
        ("name: x\nshare: 2\n", r"^setting 'share': expected a number above 0 and of at most 1 \(or null\), got 2$"),
        ("name: x\nmethod: sgd\n", "^setting 'method': expected one of muon, adam, got 'sgd'$"),
        ("name: x\ncolumn: [1]\n", r"^setting 'column': expected a whole number or text, got \[1\]$"),
        ("name: x\nquick: perhaps\n", "^setting 'quick': expected true or false, got 'perhaps'$"),
        ("name: x\nfolder: yes\n", r"^setting 'folder': expected a path \(or null\), got true$"),
        ("name: x\nfiles: a\n", r"^setting 'files': expected a list \[a, b\] that is not empty, each text, got 'a'$"),
        ("name: x\nfiles: []\n", r"^setting 'files': expected a list \[a, b\] that is not empty, each text, got \[\]$"),
        ("name: x\nfiles: [1, b, 2]\n", r"^setting 'files': expected a list .*, each text, got \[1, 'b', 2\]$"),
        ("name: x\nweights: 3\n", r"'weights': expected a mapping {name: a number} or balanced \(or null\), got 3$"),
        ("name: x\nmodel: 3\n", "^setting 'model': expected a mapping {name: value}, got 3$"),
        ("name: x\ninner: 3\n", "^setting 'inner': expected a mapping {name: value}, got 3$"),
        ("name: x\ninner: {depth: x}\n", "^setting 'inner.depth': expected a whole number, got 'x'$"),
        ("name: x\nrows: [{}, {kind: x}]\n", "^setting 'rows.1.kind': expected one of model, vectors, got 'x'$"),
        ("name: x\nsteps: a\nrate: b\n", "^setting 'steps': .* got 'a'; setting 'rate': .* got 'b'$"),
        ("steps: 3\n", r"setting 'name' is missing \(--name or --set name=…\)"),
        ("name: [x\n", "is not YAML"),
        ("- name\n", "expected `key: value` lines, found a list"),
        ("name: x\n3: y\n", "the key 3 is no name"),
    ],
)
def test_wrong_files_are_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(Run, written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps", "expected key=value"),
        ("=3", "expected key=value"),
        ("name.first=3", "'name' is not a group of settings"),
        ("model=[1", "the value is not YAML"),
    ],
)
def test_wrong_overrides(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(Run, name="x", overrides=[override])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--config .*gone.yaml: No such file"):
        load_settings(Run, tmp_path / "gone.yaml")
