"""Ids of FASTA records in every kind of output."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from helpers.web_models import save_bilm

FASTA = ">sp|P1 A first one\nMKT\n>\nAY\n>P3\nM\n"
IDS = ["sp|P1", None, "P3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bilm(tmp_path_factory.mktemp("lm"))


@pytest.fixture
def proteins(tmp_path: Path) -> Path:
    path = tmp_path / "a.fasta"
    path.write_text(FASTA, encoding="utf-8")
    return path


def elmo(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


def test_hdf5_and_npz(model: Path, proteins: Path, tmp_path: Path) -> None:
    elmo("embed", model, proteins, tmp_path / "a.hdf5")
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert [file[str(number)].attrs.get("id") for number in range(3)] == IDS
    for level in ("token", "sentence"):
        elmo("embed", model, proteins, tmp_path / f"{level}.npz", "--level", level)
        with np.load(tmp_path / f"{level}.npz") as arrays:
            assert arrays["ids"].tolist() == [each or "" for each in IDS]


@pytest.mark.parametrize(("level", "words"), [("token", [3, 2, 1]), ("sentence", [1, 1, 1])])
def test_parquet_as_one_file_and_in_parts(
    model: Path, proteins: Path, tmp_path: Path, level: str, words: list[int]
) -> None:
    elmo("embed", model, proteins, tmp_path / "a.parquet", "--level", level)
    expected = [each for each, count in zip(IDS, words, strict=True) for _ in range(count)]
    assert pd.read_parquet(tmp_path / "a.parquet")["id"].replace({np.nan: None}).tolist() == expected
    elmo("embed", model, proteins, f"{tmp_path / 'parts'}/", "--level", level, "--actors", 1)
    part = pd.read_parquet(tmp_path / "parts" / "part-0000000.parquet")
    assert part["id"].replace({np.nan: None}).tolist() == expected


def test_surprisal(model: Path, proteins: Path, tmp_path: Path) -> None:
    elmo("score", model, proteins, "--output", tmp_path / "a.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["sp|P1"] * 3 + [None] * 2 + ["P3"]
    (tmp_path / "b.txt").write_text("the bank\n", encoding="utf-8")
    elmo("score", model, tmp_path / "b.txt", "--output", tmp_path / "b.tsv")
    assert "id" not in (tmp_path / "b.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")


def test_ids_of_conllu(model: Path, tmp_path: Path) -> None:
    rows = "# sent_id = weblog-7\n# text = the bank\n1\tthe\t_\n2\tbank\t_\n\n1\tcell\t_\n"
    (tmp_path / "a.conllu").write_text(rows, encoding="utf-8")
    elmo("score", model, tmp_path / "a.conllu", "--output", tmp_path / "a.jsonl")
    found = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["word"], row["id"]) for row in found] == [
        ("the", "weblog-7"), ("bank", "weblog-7"), ("cell", None)
    ]  # fmt: skip
