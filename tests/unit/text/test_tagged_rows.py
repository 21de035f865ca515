"""Tagged sentences in rows of lists, as data sets have them."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest

from elmokit.errors import DataError
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.data import read_tagged
from elmokit.text.conll import read_conll, read_placed

ROWS: list[dict[str, object]] = [
    {"id": "0", "tokens": ["Oslo", "waits"], "pos_tags": ["NNP", "VBZ"], "ner_tags": ["B-LOC", "O"]},
    {"id": "1", "tokens": [], "pos_tags": [], "ner_tags": []},
    {"id": "2", "tokens": ["Rain"], "pos_tags": ["NN"], "ner_tags": ["O"]},
]


def as_json_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def config(**more: object) -> TagConfig:
    return TagConfig(model="", output=Path(), train=["-"], test=["-"], **more)  # type: ignore[arg-type]


def test_json_lines(tmp_path: Path) -> None:
    path = as_json_lines(tmp_path / "a.jsonl", ROWS)
    assert list(read_conll(path)) == [[["Oslo", "NNP", "B-LOC"], ["waits", "VBZ", "O"]], [["Rain", "NN", "O"]]]
    first = next(read_placed(path))
    assert (first.names, first.lines) == (("tokens", "pos_tags", "ner_tags"), [1, 1])


def test_a_saved_data_set_is_what_its_conll_file_is(tmp_path: Path) -> None:
    """The names of classes come from the data set; words and the last list are taken, as the columns of CoNLL are."""
    tags = datasets.List(datasets.ClassLabel(names=["O", "B-LOC"]))
    features = datasets.Features(
        {"id": datasets.Value("string"), "tokens": datasets.List(datasets.Value("string")), "ner_tags": tags}
    )
    rows = {"id": ["0", "1"], "tokens": [["Oslo", "waits"], ["Rain"]], "ner_tags": [[1, 0], [0]]}
    data = datasets.Dataset.from_dict(rows, features=features)
    data.save_to_disk(str(tmp_path / "set"))
    data.to_parquet(str(tmp_path / "a.parquet"))
    (tmp_path / "a.conll").write_text("Oslo B-LOC\nwaits O\n\nRain O\n", encoding="utf-8")
    expected = read_tagged([str(tmp_path / "a.conll")], config(), flag="train")
    for source in ("set", "a.parquet"):
        found = read_tagged([str(tmp_path / source)], config(), flag="train")
        assert (found.words, found.tags) == (expected.words, expected.tags)


def test_a_column_by_name(tmp_path: Path) -> None:
    path = as_json_lines(tmp_path / "a.jsonl", ROWS)
    found = read_tagged([str(path)], config(tag_column="pos_tags", file_scheme="plain"), flag="train")
    assert found.tags == [["NNP", "VBZ"], ["NN"]]
    with pytest.raises(DataError, match=r"line 1 has the columns tokens, pos_tags, ner_tags, no column 'upos'"):
        read_tagged([str(path)], config(tag_column="upos", file_scheme="plain"), flag="train")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"tokens": ["Oslo"], "label": "LOC"}], "line 1 has tokens, label; expected a list of words"),
        ([{"tokens": ["Oslo"], "tags": ["O", "O"]}], "line 1: 'tags' has 2 values for 1 words"),
        ([{"tokens": ["a"], "tags": ["O"]}, {"tokens": ["b"], "tags": "O"}], "line 2: 'tags' is no list"),
        ([{"tokens": ["a"], "tags": [3]}], "line 1: .*3"),
    ],
)
def test_rows_that_are_refused(tmp_path: Path, rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_tagged([str(as_json_lines(tmp_path / "a.jsonl", rows))], config(), flag="train")
