"""What a cache holds, and how it is kept small."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from elmokit.cache import cache_folder, entries, mark_used, shrink
from elmokit.cli.app import app


def put(folder: Path, name: str, size: int, *, age: float) -> Path:
    """An entry of `size` bytes that was last used `age` seconds ago."""
    (folder / name).mkdir(parents=True)
    (folder / name / "data").write_bytes(b"x" * size)
    used = time.time() - age
    os.utime(folder / name, (used, used))
    return folder / name


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of cached layers with three entries: a the oldest, c the newest."""
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path))
    folder = cache_folder("layers")
    for name, size, age in (("c", 30, 10), ("a", 10, 3000), ("b", 20, 200)):
        put(folder, name, size, age=age)
    return folder


def test_the_least_recently_used_comes_first(layers: Path) -> None:
    assert [(entry.path.name, entry.bytes) for entry in entries(layers)] == [("a", 10), ("b", 20), ("c", 30)]
    mark_used(layers / "a")
    assert [entry.path.name for entry in entries(layers)] == ["b", "c", "a"]
    assert entries(layers / "nowhere") == []


def test_only_as_much_goes_as_must(layers: Path) -> None:
    assert shrink(layers, limit=60) == []
    assert [entry.path.name for entry in shrink(layers, limit=55)] == ["a"]
    assert [entry.path.name for entry in shrink(layers, limit=25, keep=layers / "b")] == ["c"]
    assert [path.name for path in layers.iterdir()] == ["b"]
    assert [entry.path.name for entry in shrink(layers, limit=0)] == ["b"]


def test_what_is_being_written_stays(layers: Path) -> None:
    put(layers, ".new.1.partial", 40, age=5)
    put(layers, ".killed.2.partial", 40, age=100_000)
    assert [entry.path.name for entry in shrink(layers, limit=0)] == [".killed.2.partial", "a", "b", "c"]
    assert [path.name for path in layers.iterdir()] == [".new.1.partial"]


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, ["cache", *map(str, words)])


def test_the_command_lists(layers: Path) -> None:
    put(cache_folder("downloads"), "d", 2_000_000, age=5)
    shown = elmo().stdout
    assert f"layers: 3 entries, 0.0 MB in {layers}" in shown
    assert "downloads: 1 entries, 2.0 MB" in shown
    assert "elmo cache --clear removes the layers" in shown
    found = json.loads(elmo("--json").stdout)
    assert [entry["name"] for entry in found["layers"]["entries"]] == ["a", "b", "c"]
    assert list(layers.iterdir())


def test_the_command_removes_layers_alone(layers: Path) -> None:
    downloads = put(cache_folder("downloads"), "d", 20, age=5)
    assert "layers: 1 removed" in elmo("--limit", "55B").stdout
    assert sorted(path.name for path in layers.iterdir()) == ["b", "c"]
    assert "layers: 2 removed, 0.0 MB freed" in elmo("--clear").stdout
    assert downloads.is_dir() and not list(layers.iterdir())
    assert "downloads: 1 removed" in elmo("--clear", "--kind", "downloads").stdout
    assert not downloads.exists()


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    put(tmp_path / "mine", "a", 20, age=5)
    assert "1 removed" in elmo("--clear", "--folder", tmp_path / "mine").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--clear", "--limit", "1GB"], "--clear and --limit cannot be used together"),
        (["--limit", "much"], "--limit is 'much'; expected a number of bytes, or a size as '256MB' or '1GB'"),
        (["--folder", "/nowhere/x"], "/nowhere/x is no folder (--folder)"),
        (["--folder", "/tmp", "--kind", "runs"], "--folder works only with --kind layers, got --kind runs"),
    ],
)
def test_what_is_refused(words: list[str], message: str) -> None:
    result = elmo(*words)
    assert result.exit_code == 2
    assert message in result.stderr
