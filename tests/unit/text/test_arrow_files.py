"""Parquet, Arrow and saved data sets, beside what pandas and datasets read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from elmokit.errors import DataError
from elmokit.tasks.classification.rows import read_rows
from elmokit.text.columns import LABEL_NAMES, Column
from elmokit.text.readers import read_records

LABEL = Column("label", "--label-column", None, LABEL_NAMES, "1", kind="label", holds_words=False)
TEXT = Column("text", "--text-column", without_header="2-")


def labelled(path: Path, **more: Any) -> list[tuple[str, str]]:
    records = read_records(path, columns=[TEXT, LABEL], **more)
    return [(str(record.fields["label"]), record.text) for record in records]


FRAME = pd.DataFrame({"id": [7, 8, 9], "text": ["rain", None, 'a "b"\nc'], "label": [1.0, 2.0, 1.0], "n": [0, 1, 2]})


@pytest.mark.parametrize("rows", [1, 100])
def test_parquet_as_pandas_wrote_it(tmp_path: Path, rows: int) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet", row_group_size=rows)
    found = list(read_records(tmp_path / "a.parquet", columns=[TEXT, LABEL], whole_rows=True))
    assert [(record.fields["label"], record.text) for record in found] == [
        ("1.0", "rain"),
        ("2.0", ""),
        ("1.0", 'a "b"\nc'),
    ]
    assert [record.place for record in found][1] == f"{tmp_path / 'a.parquet'} row 2"
    back = pd.DataFrame([record.row for record in found])
    pd.testing.assert_frame_equal(back, pd.read_parquet(tmp_path / "a.parquet"), check_dtype=False)


def test_only_needed_columns_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet")
    asked: list[list[str]] = []
    read = pq.ParquetFile.iter_batches

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(named["columns"])
        return read(self, *arguments, **named)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    assert [record.text for record in read_records(tmp_path / "a.parquet")] == ["rain", "", 'a "b"\nc']
    assert asked == [["text"]]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_files_and_streams(tmp_path: Path, kind: str) -> None:
    table = pa.table({"text": ["rain", "sun"], "label": ["a", "b"]})
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with new(str(tmp_path / "a.arrow"), table.schema) as sink:
        sink.write_table(table, max_chunksize=1)
    assert labelled(tmp_path / "a.arrow") == [("a", "rain"), ("b", "sun")]


def saved(folder: Path) -> datasets.Dataset:
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    data = datasets.Dataset.from_dict({"sentence": ["good", "bad", "?"], "label": [1, 0, -1]}, features=features)
    data.save_to_disk(str(folder), num_shards=2)
    return data


def test_a_saved_data_set(tmp_path: Path) -> None:
    data = saved(tmp_path / "set")
    assert labelled(tmp_path / "set") == [("pos", "good"), ("neg", "bad"), ("", "?")]
    data.to_parquet(str(tmp_path / "a.parquet"))
    assert labelled(tmp_path / "a.parquet") == [("pos", "good"), ("neg", "bad"), ("", "?")]
    assert read_rows([str(tmp_path / "set")])[:2] == (["good", "bad"], [["pos"], ["neg"]])


def test_a_saved_data_set_with_splits(tmp_path: Path) -> None:
    rows = {"text": ["rain", "sun"], "label": ["wet", "dry"]}
    whole = datasets.DatasetDict({name: datasets.Dataset.from_dict(rows) for name in ("train", "test")})
    whole.save_to_disk(str(tmp_path / "set"))
    assert labelled(tmp_path / "set" / "test") == [("wet", "rain"), ("dry", "sun")]
    assert read_rows([str(tmp_path / "set")], split="test")[0] == ["rain", "sun"]
    with pytest.raises(DataError, match=r"set has the splits train, test: name one, as .*set/train"):
        labelled(tmp_path / "set")
    (tmp_path / "set" / "train" / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=r"train lacks data-00000-of-00001.arrow, which its state.json names"):
        labelled(tmp_path / "set" / "train")


def test_lists_of_words_and_of_classes(tmp_path: Path) -> None:
    tags = datasets.List(datasets.ClassLabel(names=["O", "B-LOC"]))
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": tags})
    rows = {"tokens": [["Oslo", "waits"]], "ner_tags": [[1, 0]]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "a.parquet"))
    found = list(read_records(tmp_path / "a.parquet", columns=[Column(), Column("tags", "--tag-column", "ner_tags")]))
    assert [record.words for record in found] == [["Oslo", "waits"]]
    assert found[0].fields["tags"] == ["B-LOC", "O"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.parquet", "a.parquet is damaged or no Parquet file"), ("a.arrow", "a.arrow is damaged or no Arrow file")],
)
def test_damaged_files(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"PAR1 this is none")
    with pytest.raises(DataError, match=message):
        list(read_records(tmp_path / name))


def test_cells_that_are_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [[1, 2]]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet row 1: 'text' is a list with 1; expected text, or a list of words"):
        list(read_records(tmp_path / "a.parquet"))
    pq.write_table(pa.table({"one": ["x"], "two": ["y"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b.parquet has the columns one, two: say which to take with --column"):
        list(read_records(tmp_path / "b.parquet"))


def test_nothing_is_imported_for_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nrain\n", encoding="utf-8")
    code = (
        "import sys\nfrom elmokit.text.readers import read_records\n"
        f"assert [record.text for record in read_records({str(tmp_path / 'a.csv')!r})] == ['rain']\n"
        "print(*(name for name in ('pyarrow', 'datasets', 'pandas') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("\n", 0), done.stderr
