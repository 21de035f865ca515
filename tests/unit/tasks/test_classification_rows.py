import gzip
import json
from pathlib import Path
from typing import Any, cast

import pytest

from elmokit.errors import ConfigError, DataError
from elmokit.tasks.classification.rows import ReadCounts, TreeReading, read_rows


def read_labelled(names: list[str], **reading: Any) -> tuple[list[str], list[str], ReadCounts]:
    texts, labels, counts = read_rows(names, **reading)
    return texts, [label for (label,) in labels], counts


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_ag_news_layouts_without_header(tmp_path: Path) -> None:
    three = write(tmp_path / "a.csv", '"3","A title","A, ""quoted"" text"\n"1","B","b"\n')
    two = tmp_path / "b.csv.gz"
    two.write_bytes(gzip.compress(b'"4","One text"\n'))
    texts, labels, counts = read_labelled([three, str(two)])
    assert texts == ['A title A, "quoted" text', "B b", "One text"]
    assert labels == ["3", "1", "4"]
    assert counts.rows == 3


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_header_is_known_by_its_names(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "Sentence", "Label"], ["7", "good film", "pos"], ["8", "bad film", "neg"]]
    name = write(tmp_path / ("a.csv" if delimiter == "," else "a.tsv"), "\n".join(delimiter.join(row) for row in rows))
    assert read_labelled([name])[:2] == (["good film", "bad film"], ["pos", "neg"])


def test_columns_by_name_and_by_number(tmp_path: Path) -> None:
    name = write(tmp_path / "a.csv", "key,words,more,kind\n1,x,y,A\n")
    assert read_labelled([name], text_column="words,more", label_column="kind")[:2] == (["x y"], ["A"])
    plain = write(tmp_path / "b.csv", "x,y,A\n")
    assert read_labelled([plain], text_column="1,2", label_column="3")[:2] == (["x y"], ["A"])


def test_json_lines(tmp_path: Path) -> None:
    records = [{"text": "a b", "label": 1}, {"text": None, "label": 0}, {"label": 1}, {"text": "c", "label": None}]
    name = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)))
    texts, labels, counts = read_labelled([name])
    assert (texts, labels) == (["a b", ""], ["1", "0"])
    assert (counts.files.short_rows, counts.no_label) == (1, 1)


def test_damage_is_counted(tmp_path: Path) -> None:
    name = write(tmp_path / "a.csv", b"1,good text here\n2,b\xffd\n1,n\0ul\n3\n\n")
    texts, _, counts = read_labelled([name])
    assert texts == ["good text here", "b\ufffdd", "nul"]
    assert (counts.files.invalid_utf8, counts.files.nul, counts.files.short_rows) == (1, 1, 1)


def test_text_beyond_the_header_is_counted(tmp_path: Path) -> None:
    """A comma without quotes cuts a text; empty cells at the end of a row do not."""
    name = write(tmp_path / "a.csv", "label,text\n1,fine, more words\n2,good,,\n")
    texts, _, counts = read_labelled([name])
    assert texts == ["fine", "good"]
    assert list(counts.troubles().values()) == [1]
    assert "beyond the last column" in next(iter(counts.troubles()))


def test_each_label_has_its_first_place(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", 'label,text\n1,"two\nlines"\n2,x\n1,y\n')
    lines = write(tmp_path / "b.jsonl", '{"text": "x", "label": 2}\n\n{"text": "x", "label": 3}\n')
    assert read_labelled([table, lines])[2].places == {
        "1": f"{table} line 2",
        "2": f"{table} line 4",
        "3": f"{lines} line 3",
    }


def test_a_local_datasets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "films"
    folder.mkdir()
    write(folder / "train.csv", "text,label\ngood,pos\nbad,neg\n")
    write(folder / "test.csv", "text,label\nfine,pos\n")
    assert read_labelled([str(folder)])[:2] == (["good", "bad"], ["pos", "neg"])
    assert read_labelled([f"{folder}:test"])[:2] == (["fine"], ["pos"])


@pytest.mark.parametrize(
    ("content", "columns", "problem"),
    [
        ("", {}, "contains no rows"),
        ("one column\n", {}, "no column 2, only 1 .1: 'one column'.: choose with --text-column"),
        ("a,b\n", {"text_column": "5", "label_column": "1"}, "no column 5, only 2 .*: choose with --text-column"),
        ("a,b\n1,2\n", {"text_column": "c", "label_column": "a"}, "has no column 'c'; it has a, b"),
        ("a,b\n1,2\n", {"text_column": "b"}, "say which to take with --label-column"),
        ('1,"open\n2,b\n', {}, "unclosed quote"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", {}, "is a PNG picture"),
    ],
)
def test_wrong_tables(tmp_path: Path, content: str | bytes, columns: dict[str, str], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_labelled([write(tmp_path / "a.csv", content)], **cast(Any, columns))


def test_wrong_json(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1 is no JSON"):
        read_labelled([write(tmp_path / "a.jsonl", "{text: 1}")])
    with pytest.raises(DataError, match="has the columns blob, id, label, n: say which to take with --text-column"):
        read_labelled([write(tmp_path / "b.jsonl", '{"blob": "x", "id": "1", "label": "1", "n": 1}')])


def test_columns_by_name_and_number_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both by name or both by number"):
        read_labelled([write(tmp_path / "a.csv", "1,b\n")], text_column="text", label_column="1")
    with pytest.raises(ConfigError, match="needs --text-column"):
        read_labelled([write(tmp_path / "a.csv", "1,b\n")], label_column="2")


def test_missing_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.csv does not exist \(--train\)"):
        read_labelled([str(tmp_path / "missing.csv")])
    with pytest.raises(DataError, match=r"missing does not exist \(--test\)"):
        read_labelled([str(tmp_path / "missing")], split="test")
    with pytest.raises(DataError, match="expected rows with a label"):
        read_labelled([write(tmp_path / "a.txt", "text\n")])


TREES = "(3 (2 It) (4 (2 's) (4 good)))\n\n(2 (2 It) (1 (2 's) (1 bad)))\n"


def test_sentiment_trees(tmp_path: Path) -> None:
    name = write(tmp_path / "trees.txt", TREES)
    texts, labels, counts = read_labelled([name])
    assert list(zip(texts, labels, strict=True)) == [("It 's good", "3"), ("It 's bad", "2")]
    texts, labels, counts = read_labelled([name], trees=TreeReading(phrases=True))
    first = [("It 's good", "3"), ("It", "2"), ("'s good", "4"), ("'s", "2"), ("good", "4")]
    assert list(zip(texts, labels, strict=True)) == [*first, ("It 's bad", "2"), ("'s bad", "1"), ("bad", "1")]
    assert (counts.trees, counts.repeated) == (2, 2)


def test_polarity_of_sentiment_trees(tmp_path: Path) -> None:
    name = write(tmp_path / "trees.txt", TREES)
    texts, labels, counts = read_labelled([name], trees=TreeReading(phrases=True, polarity=True))
    expected = [("It 's good", "positive"), ("'s good", "positive"), ("good", "positive")]
    assert list(zip(texts, labels, strict=True)) == [*expected, ("'s bad", "negative"), ("bad", "negative")]
    assert counts.neutral == 5
    with pytest.raises(DataError, match="line 1: the label 'x' is not one of 0 to 4"):
        read_labelled([write(tmp_path / "b.txt", "(x y)\n")], trees=TreeReading(polarity=True))


def test_a_broken_tree_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.txt, line 3: 1 brackets do not close \(--valid\)"):
        read_labelled([write(tmp_path / "a.txt", "(3 x)\n\n(3 (2 x)\n")], split="valid")


def test_a_file_cut_off_is_told(tmp_path: Path) -> None:
    import gzip

    whole = gzip.compress("".join(f"1,text {number}\n" for number in range(9000)).encode())
    with pytest.raises(DataError, match="damaged or cut off gzip"):
        read_labelled([write(tmp_path / "a.csv.gz", whole[:-2000])])


def test_whole_numbers_are_one_label_however_written(tmp_path: Path) -> None:
    name = write(
        tmp_path / "a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": 1.0}\n{"text": "c", "label": "1"}\n'
    )
    assert read_labelled([name])[1] == ["1", "1", "1"]
    name = write(tmp_path / "a.csv", "text,label\na,2.0\nb,2\nc,2.5\n")
    assert read_labelled([name])[1] == ["2", "2", "2.5"]


def test_a_list_is_no_label(tmp_path: Path) -> None:
    name = write(tmp_path / "a.jsonl", '{"text": "a", "label": ["cars", "daily"]}\n')
    with pytest.raises(DataError, match=r"line 1: 'label' is a list, .*; expected one label .--label-column"):
        read_labelled([name])


def test_each_row_has_an_id(tmp_path: Path) -> None:
    name = write(tmp_path / "a.csv", "id,text,label\nx7,a,1\n,b,2\n")
    assert read_labelled([name])[2].ids == ["x7", f"{name} line 3"]
    name = write(tmp_path / "b.csv", "1,a\n2,b\n")
    assert read_labelled([name])[2].ids == [f"{name} line 1", f"{name} line 2"]
