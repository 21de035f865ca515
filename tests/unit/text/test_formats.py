"""Sentences of every kind of file, in step with its lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pandas as pd
import pytest
import zstandard

from elmokit.errors import ConfigError, DataError
from elmokit.text.files import SourceStats
from elmokit.text.readers import Column, read_records, refuse_unread_options
from elmokit.text.records import FileOptions
from elmokit.text.tokenized_text import warned_of_tokens


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_lines_keep_their_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt.gz", "one\n\n  \ntwo  \r\nthree")
    assert [record.text.strip() for record in read_records(path)] == ["one", "", "", "two", "three"]


def test_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,n\nfirst,1\n,2\nthird,3\n")
    assert [record.text.strip() for record in read_records(path)] == ["first", "", "third"]
    path = write(tmp_path / "a.csv", "text,n\nfirst,1\n\nthird,3\n")
    assert [record.text.strip() for record in read_records(path, columns=[Column(asked="text")])] == [
        "first",
        "",
        "third",
    ]
    path = write(tmp_path / "b.csv", "n,text\n1,first\n2\n3,third\n")
    assert [record.text.strip() for record in read_records(path)] == ["first", "", "third"]
    path = write(tmp_path / "a.jsonl", '{"text": "first"}\n\n{"label": 1}\n{"text": ""}\n{"text": "fifth"}\n')
    assert [record.text.strip() for record in read_records(path)] == ["first", "", "", "", "fifth"]


def test_conllu_words(tmp_path: Path) -> None:
    rows = ["1-2\tdel\t_", "1\tde\tde", "2\tel\tel", "2.1\t_\t_", "3\tmar\tmar"]
    path = write(tmp_path / "a.conllu", "# text = del mar\n" + "\n".join(rows) + "\n\n\n1\tSí\t_\n2\t.\t_\n")
    assert [(record.text, record.words) for record in read_records(path)] == [
        ("del mar", ["de", "el", "mar"]), ("Sí .", ["Sí", "."])
    ]  # fmt: skip
    with pytest.raises(DataError, match="line 1: expected tab-separated CoNLL-U columns, got 'just text'"):
        list(read_records(write(tmp_path / "b.conllu", "just text\n")))


def test_fasta_residues(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fasta", ">sp|P1 first\nmKT\nAY *\n\n>second\n>third\nM\n")
    assert [(record.text, record.words) for record in read_records(path)] == [
        ("sp|P1 first", list("MKTAY")), ("second", []), ("third", ["M"])
    ]  # fmt: skip
    with pytest.raises(DataError, match="line 1: expected a FASTA header"):
        list(read_records(write(tmp_path / "b.fa", "MKT\n")))


def test_ids_that_begin_again_begin_a_sentence(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.conllu", "1\tRain\t_\n2\tfell\t_\n1\tWe\t_\n2\trowed\t_\n1-2\tdu\t_\n1\tde\t_\n2\tle\t_\n"
    )
    assert [record.words for record in read_records(path)] == [["Rain", "fell"], ["We", "rowed"], ["de", "le"]]
    path = write(tmp_path / "b.conllu", "# text = Rain fell\n1\tRain\t_\n2\tfell\t_\n# text = So\n1\tSo\t_\n")
    assert [record.text for record in read_records(path)] == ["Rain fell", "So"]


def test_words_of_conll_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conll", "Oslo B-LOC\nwaits O\n\nRain O\n")
    assert [record.words for record in read_records(path)] == [["Oslo", "waits"], ["Rain"]]
    path = write(tmp_path / "b.conll", "1\tOslo\tNNP\n2\twaits\tVBZ\n")
    assert [record.words for record in read_records(path)] == [["Oslo", "waits"]]
    assert [record.words for record in read_records(path, columns=[Column(asked="3")])] == [["NNP", "VBZ"]]
    with pytest.raises(DataError, match="line 1 has 3 columns, no column 4: choose by number with --column"):
        list(read_records(path, columns=[Column(asked="4")]))


def test_sentiment_trees_are_words(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "(3 (2 It) (4 (2 's) (4 good)))\n\n(2 (2 It) (1 (2 's) (1 bad)))\n")
    assert [record.words or [] for record in read_records(path)] == [["It", "'s", "good"], [], ["It", "'s", "bad"]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", "rain", "is an Excel file, which cannot be read; expected text, one per line, or .csv, .tsv"),
        ("a.parquet.gz", "rain", "is damaged or no Parquet file .unpacked, if it is packed."),
        ("a.html", "<p>rain</p>", "is a web page, which cannot be read"),
        ("a.txt", "<!DOCTYPE html>\n<p>rain</p>\n", "looks like mark-up; expected text"),
        ("a.txt", '{"text": "rain"}\n{"text": "sun"}\n', "looks like JSON lines: give the file the ending .jsonl"),
        ("a.txt", "# sent_id = 1\n1\tRain" + "\t_" * 8 + "\n", "looks like CoNLL-U: give the file the ending .conllu"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_records(write(tmp_path / name, content)))


# -- JSON


def words_or_texts(path: Path, column: str | None = None) -> list[str | list[str]]:
    return [record.words or record.text for record in read_records(path, columns=[Column(asked=column)])]


def test_lists_of_words(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"tokens": ["We", "ro wed", ""]}\n{"tokens": []}\n')
    stats = SourceStats()
    assert [record.words for record in read_records(path, stats=stats)] == [["We", "ro wed"], []]
    assert stats.damage() == {"empty words in lists of words, left out": 1}
    path = write(tmp_path / "b.jsonl", '{"a": ["We"], "b": ["rowed"], "c": "text"}\n')
    assert words_or_texts(path, "a,b") == [["We", "rowed"]]
    with pytest.raises(DataError, match=r"line 1: of a, c some are text and some are lists of words .--column"):
        words_or_texts(path, "a,c")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[1, 2]", "'text' is a list with 1; expected text, or a list of words"),
        ('[["We"]]', r"'text' is a list with \[\"We\"\]; expected text"),
        ('["We", null]', "'text' is a list with null; expected text"),
        ('{"raw": "We"}', r"'text' is an object, {\"raw\": \"We\"}; expected text"),
    ],
)
def test_other_values_are_refused(tmp_path: Path, value: str, message: str) -> None:
    path = write(tmp_path / "a.jsonl", f'{{"text": "fine"}}\n{{"text": {value}}}\n')
    with pytest.raises(DataError, match=f"line 2: {message}.* .--column"):
        list(read_records(path))


def test_json_arrays_and_what_pandas_writes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["rain", 'say "now"', None], "label": [1, 2, 3]})
    frame.to_json(tmp_path / "a.json", orient="records")
    frame.to_json(tmp_path / "b.json", orient="records", lines=True)
    frame.to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    frame.to_json(tmp_path / "d.json", orient="records", indent=2)
    for name in ("a.json", "b.json", "c.jsonl", "d.json"):
        assert words_or_texts(tmp_path / name) == ["rain", 'say "now"', ""]
    frame.to_json(tmp_path / "e.json")
    with pytest.raises(DataError, match=r"is one JSON object .*; expected an array of objects, or an object per line"):
        list(read_records(tmp_path / "e.json"))
    with pytest.raises(DataError, match="item 2: expected a JSON object, got 5"):
        list(read_records(write(tmp_path / "f.json", '[{"text": "rain"}, 5]')))
    with pytest.raises(DataError, match="line 2 is no JSON"):
        list(read_records(write(tmp_path / "g.json", '{"text": "rain"}\n{"text": \n')))


# -- packed files


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_packed_files(tmp_path: Path, ending: str) -> None:
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
    content = packers[ending](b"text,label\nrain,1\n" + b"sun,2\n" * 30_000)
    (tmp_path / f"a.csv{ending}").write_bytes(content)
    assert len(words_or_texts(tmp_path / f"a.csv{ending}")) == 30_001
    (tmp_path / f"b.csv{ending}").write_bytes(content[:-12])
    with pytest.raises(DataError, match="is a damaged or cut off"):
        words_or_texts(tmp_path / f"b.csv{ending}")


# -- sentences, and words that are split already


def test_texts_in_sentences(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", '{"text": "Rain fell. We rowed!"}\n{"text": ["Mr.", "A.", "So", "."]}\n{"text": ""}\n'
    )
    records = list(read_records(path, options=FileOptions(split_sentences=True)))
    assert [record.text for record in records] == ["Rain fell.", "We rowed!", "Mr. A. So .", ""]
    with pytest.raises(ConfigError, match="--split-sentences needs raw text and cannot be used with --pretokenized"):
        refuse_unread_options(FileOptions(split_sentences=True), pretokenized=True)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("the <unk> of a boat", "'<unk>'"),
        ("a well @-@ built boat", "'@-@'"),
        ("a boat -LRB- old -RRB-", "'-LRB-'"),
        ("rain , wind , snow , hail and sun .", "a space before commas and full stops"),
    ],
)
def test_split_words_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, sign: str) -> None:
    path = write(tmp_path / "a.txt", text + "\n")
    assert [record.text for record in warned_of_tokens(read_records(path))] == [text]
    assert len(caplog.records) == 1
    assert sign in caplog.text and "--pretokenized" in caplog.text


def test_raw_text_is_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = "Rain, wind, snow, hail; a <b>boat</b> (old) isn't well-built.\nWas it here , or there?\n"
    list(warned_of_tokens(read_records(write(tmp_path / "a.txt", raw))))
    list(warned_of_tokens(read_records(write(tmp_path / "a.jsonl", '{"tokens": ["<unk>", ","]}\n'))))
    assert not caplog.records
