"""The course: its notebooks run from beginning to end, without any data set, and its data is what it says."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "course"
NOTEBOOKS = sorted(path.name for path in COURSE.glob("*.ipynb"))


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """The course's folder in a repository that has no data."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_says_how_to_get_the_data(kit: Path, name: str) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(kit / name, as_version=4)
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(kit)}}).execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    assert "python course/get_data.py" in printed
    assert sum("**Question" in cell.source for cell in notebook.cells) >= 3


def test_notebooks_are_kept_without_results() -> None:
    nbformat = pytest.importorskip("nbformat")
    assert len(NOTEBOOKS) == 3
    for name in NOTEBOOKS:
        for cell in nbformat.read(COURSE / name, as_version=4).cells:
            assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.fixture
def get_data(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("get_data", COURSE / "get_data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROWS", {"train.csv": 40, "test.csv": 20})
    return module


def test_the_data_is_drawn_from_a_folder(
    get_data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "source", tmp_path / "drawn"
    source.mkdir()
    rows = [[str(number % 4 + 1), f"Title {number}", f"Text, {number}"] for number in range(100)]
    lines = "".join(",".join(f'"{value}"' for value in row) + "\n" for row in rows).encode()
    (source / "train.csv.gz").write_bytes(gzip.compress(lines))
    (source / "test.csv").write_bytes(lines)
    monkeypatch.setattr(sys, "argv", ["get_data.py", "--folder", str(source), "--output", str(output)])
    get_data.main()
    drawn = list(csv.reader((output / "train.csv").open(encoding="utf-8", newline="")))
    assert len(drawn) == 40 and all(row in rows for row in drawn)
    assert [sum(row[0] == label for row in drawn) for label in "1234"] == [10] * 4
    assert (output / "text.txt").read_text(encoding="utf-8").splitlines()[0] == " ".join(drawn[0][1:])
    assert "is not the whole published file" in capsys.readouterr().out
    (source / "test.csv").unlink()
    with pytest.raises(SystemExit, match=r"neither test\.csv nor test\.csv\.gz"):
        get_data.main()


def test_another_file_than_the_published_one_is_refused(get_data: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self) -> bytes:
            return b"something else"

    monkeypatch.setattr(get_data.urllib.request, "urlopen", lambda *_, **__: Answer())
    with pytest.raises(SystemExit, match=r"train\.csv has the SHA-256 sum"):
        get_data.downloaded("train.csv")

    def down(*_: object, **__: object) -> Answer:
        raise OSError("no route")

    monkeypatch.setattr(get_data.urllib.request, "urlopen", down)
    with pytest.raises(SystemExit, match="give --folder"):
        get_data.downloaded("train.csv")


def test_the_published_test_file_is_the_one_that_is_expected(get_data: ModuleType, elmokit_data: Path) -> None:
    import hashlib

    content = gzip.decompress((elmokit_data / "ag_news" / "test.csv.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == get_data.SHA256["test.csv"]
