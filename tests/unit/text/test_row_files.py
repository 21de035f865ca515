"""Rows of values to files and back, as pandas reads them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from elmokit.errors import ConfigError
from elmokit.text.formats import Kind
from elmokit.text.row_files import check_row_file, writing_rows

COLUMNS: dict[str, Kind] = {"n": "whole", "word": "text", "known": "truth", "bits": "number"}
ROWS = [
    [0, 'say "now"', True, 1.5],
    [1, "tab\there, or\nthere", False, 0.0],
    [2, "a\rb", True, 2.25],
    [3, "\u2028 é 東", False, -1.0],
]


@pytest.mark.parametrize("ending", [".tsv", ".csv", ".jsonl", ".parquet"])
def test_what_is_written_comes_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    with writing_rows(path, COLUMNS) as write:
        for row in ROWS:
            write(row)
    if ending == ".parquet":
        frame = pd.read_parquet(path)
    elif ending == ".jsonl":
        frame = pd.DataFrame(json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
    else:
        with path.open(encoding="utf-8", newline="") as file:
            frame = pd.read_csv(file, sep="\t" if ending == ".tsv" else ",", lineterminator="\n")
    assert list(frame.columns) == list(COLUMNS)
    assert frame.to_numpy().tolist() == ROWS
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [".tsv", ".csv", ".jsonl", ".parquet"])
def test_cells_without_a_value(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    with writing_rows(path, COLUMNS) as write:
        write([None, None, None, math.nan])
        write([1, "x", True, math.inf if ending != ".parquet" else None])
    text = "" if ending == ".parquet" else path.read_text(encoding="utf-8")
    assert "nan" not in text.lower() and "inf" not in text.lower()
    if ending == ".jsonl":
        assert json.loads(text.splitlines()[0]) == dict.fromkeys(COLUMNS)
    if ending == ".parquet":
        assert pd.read_parquet(path).isna().to_numpy().tolist() == [[True] * 4, [False, False, False, True]]
    if ending == ".tsv":
        assert text.splitlines()[1:] == ["\t\t\t", "1\tx\ttrue\t"]


@pytest.mark.parametrize("ending", [".tsv", ".jsonl", ".parquet"])
def test_a_file_that_fails_leaves_the_old_one(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_text("precious")
    with pytest.raises(KeyError, match="no more"), writing_rows(path, COLUMNS) as write:
        write(ROWS[0])
        raise KeyError("no more")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["precious"]


def test_many_rows_and_none(tmp_path: Path) -> None:
    for count in (0, 40_000):
        path = tmp_path / f"{count}.parquet"
        with writing_rows(path, {"n": "whole"}) as write:
            for number in range(count):
                write([number])
        assert pd.read_parquet(path)["n"].tolist() == list(range(count))


def test_names_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("x")
    (tmp_path / "d.tsv").mkdir()
    for name, overwrite, message in (
        ("a.txt", False, r"--output .*a.txt: expected a name that ends in .csv, .tsv, .jsonl, .parquet"),
        ("a.tsv", False, "a.tsv exists: --overwrite replaces it"),
        ("d.tsv", True, "d.tsv is a folder; expected the name of a file"),
        ("gone/a.tsv", False, "the folder of --output, .*gone, does not exist"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_row_file(tmp_path / name, overwrite=overwrite)
    check_row_file(tmp_path / "a.tsv", overwrite=True)
