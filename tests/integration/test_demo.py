"""`elmo demo`, the chain of the README, at the smallest size that still learns something."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from elmokit.cli.app import app
from elmokit.demo.chain import MARKER, Size, run_demo
from elmokit.errors import ConfigError

SMALL = Size(
    pretrain_sentences=400,
    labelled_sentences=120,
    held_out_sentences=30,
    test_sentences=120,
    projection_dim=32,
    cell_dim=48,
    pretrain_epochs=2,
    classify_epochs=2,
)


@pytest.mark.slow
def test_the_chain_runs_and_leaves_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = io.StringIO()
    figures = run_demo(tmp_path / "demo", seed=3, size=SMALL, console=Console(file=told, width=80))
    output = tmp_path / "demo"

    first, last = figures["pretraining"]
    assert last["valid_perplexity"] < first["valid_perplexity"]
    assert set(figures["modes"]) == {"trainable", "frozen", "function"}
    for metrics in figures["modes"].values():
        assert metrics["test"]["rows"] == SMALL.test_sentences
        assert 0 <= metrics["test"]["accuracy"] <= 1
    assert len(figures["modes"]["trainable"]["lambdas"]) == 3
    assert set(figures["labels"].values()) <= {"World", "Sports", "Business", "Sci/Tech"}
    assert figures["labels"]["elmo-mini-news"] == "Business"
    assert all(0 <= share <= 1 for shares in figures["senses"].values() for share in shares)

    assert (output / "bilm/model.safetensors").is_file()
    assert (output / "bilm/learning_curve.png").stat().st_size > 1000
    for mode in figures["modes"]:
        assert (output / f"classifier-{mode}/model.safetensors").is_file()
        assert (output / f"classifier-{mode}/confusion.png").is_file()
    assert "Nothing in it is real news" in (output / MARKER).read_text()
    with (output / "data/train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == SMALL.labelled_sentences
    assert set(rows[0]) == {"topic", "text"}
    for words in ("synthetic", "Perplexity", "trainable", "TF-IDF", "bank", "elmo predict", "AG News"):
        assert words in told.getvalue()
    own_words = [line for line in told.getvalue().splitlines() if str(tmp_path) not in line]  # longer than runs/demo
    assert max(map(len, own_words)) <= 80
    assert max(map(len, capsys.readouterr().err.splitlines())) <= 80  # an epoch of pretraining a line

    result = CliRunner().invoke(app, ["predict", str(output / "classifier-frozen"), "The bank raised its rates."])
    assert result.exit_code == 0
    evaluated = CliRunner().invoke(app, ["evaluate", str(output / "bilm"), "--text", str(output / "data/held_out.txt")])
    assert f"mean {last['valid_perplexity']:,.2f}" in evaluated.output


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="not empty"):
        run_demo(tmp_path)
    with pytest.raises(ConfigError, match="is not the folder of a demo"):
        run_demo(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(app, ["demo", "--output", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "is a file, expected a folder" in result.stderr
