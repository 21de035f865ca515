"""What is missing is told before torch is imported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from elmokit.cli.app import app
from elmokit.cli.inputs import check_files
from elmokit.errors import DataError
from elmokit.pretrained import shipped_models

TASK = "--model elmo-mini --output o"
MISSING = {
    f"train classify {TASK} --train gone.csv --test here.txt": "gone.csv does not exist (--train)",
    f"train classify {TASK} --train here.txt --test gone/*.csv": "gone/*.csv matches no file (--test)",
    f"train classify {TASK} --train here.txt --test here.txt --label-names gone": "gone does not exist (--label-names)",
    f"train tag {TASK} --train gone --test here.txt": "gone does not exist (--train)",
    f"train qa {TASK} --train here.txt --test here.txt --valid gone": "gone does not exist (--valid)",
    f"train pairs {TASK} --train here.txt --test here.txt --vectors gone.vec": "gone.vec does not exist (--vectors)",
    "train tag --model gone --output o --train here.txt --test here.txt": "There is no model folder gone",
    "train vectors --train gone --output o.txt": "gone matches no file",
    "pretrain --train here.txt --valid gone --output o": "gone does not exist (--valid)",
    "pretrain --train gone --output o": "gone does not exist (--train)",
    "evaluate gone --text here.txt": "There is no model folder gone",
    "evaluate elmo-mini --text gone": "gone does not exist (--text)",
    "evaluate elmo-mini-news --test gone.csv": "gone.csv does not exist (--test)",
    "evaluate elmo-mini --minimal-pairs gone": "gone does not exist (--minimal-pairs)",
    "embed elmo-mini gone o.npz": "gone matches no file",
    "embed elmo-mini-new here.txt o.npz": "There is no model folder elmo-mini-new (did you mean elmo-mini-news?)",
    "score elmo-mini gone --output o.tsv": "gone matches no file",
    "score gone here.txt --output o.tsv": "There is no model folder gone",
    "predict --file gone": "gone does not exist (--file)",
    "predict gone/ text": "There is no model folder gone",
    "inspect gone": "There is no model folder gone",
}


def test_missing_files_are_told_without_torch(tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("the bank\n")
    code = (
        "import json, sys\n"
        "from typer.testing import CliRunner\n"
        "from elmokit.cli.app import app\n"
        "for line in json.load(sys.stdin):\n"
        "    found = CliRunner().invoke(app, line.split())\n"
        "    print(json.dumps([found.exit_code, found.stderr, 'torch' in sys.modules]))\n"
    )
    given = json.dumps(list(MISSING))
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for (line, said), told in zip(MISSING.items(), map(json.loads, done.stdout.splitlines()), strict=True):
        code_, stderr, torch = told
        assert (code_, said in stderr, stderr.count("\n"), torch) == (2, True, 1, False), (line, stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["here.txt"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
@pytest.mark.parametrize("command", [["inspect"], ["evaluate", "--text", "here.txt"], ["predict"]])
def test_a_file_of_a_model_names_its_folder(tmp_path: Path, name: str, command: list[str]) -> None:
    shutil.copytree(shipped_models()["elmo-mini"].folder, tmp_path / "model")
    (tmp_path / "here.txt").write_text("the bank\n")
    file = tmp_path / "model" / name
    words = [word if word != "here.txt" else str(tmp_path / word) for word in command]
    found = CliRunner().invoke(app, [words[0], str(file), *words[1:]])
    assert (found.exit_code, found.stderr) == (
        2,
        f"error: {file} is a file of the model in {file.parent}: give the folder\n",
    )


def test_what_may_be_there_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("x")
    check_files([tmp_path, tmp_path / "a[1].csv", tmp_path / "*.csv", "s3://bucket/none.csv"], "--train")
    check_files(["ag_news", "ag_news:test", "owner/rows"], "--train", or_data_sets=True)
    for name in ("rows.csv", "./rows", "row*"):
        with pytest.raises(DataError, match=r"\(--test\)$"):
            check_files([name], "--test", or_data_sets=True)
    with pytest.raises(DataError, match=r"ag_news does not exist \(--test\)"):
        check_files(["ag_news"], "--test")
