"""Minimal pairs from files as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elmokit.errors import ConfigError, DataError
from elmokit.text.minimal_pairs import read_minimal_pairs
from elmokit.text.records import FileOptions


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def found(path: Path, columns: str | None = None, **options: object) -> list[tuple[object, ...]]:
    pairs = read_minimal_pairs([path], columns=columns, options=FileOptions(**options))  # type: ignore[arg-type]
    return [(pair.good, pair.bad, pair.paradigm, pair.group) for pair in pairs]


BLIMP = {
    "sentence_good": "The boats rock.", "sentence_bad": "The boats rocks.", "field": "syntax",
    "linguistics_term": "subject_verb_agreement", "UID": "plural_subject", "pairID": "0", "simple_LM_method": True,
}  # fmt: skip


def test_the_fields_of_blimp(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(BLIMP) + "\n\n" + json.dumps(BLIMP | {"UID": "other"}) + "\n")
    assert found(path) == [
        ("The boats rock.", "The boats rocks.", "plural_subject", "subject_verb_agreement"),
        ("The boats rock.", "The boats rocks.", "other", "subject_verb_agreement"),
    ]
    path = write(tmp_path / "b.json", json.dumps([{k: v for k, v in BLIMP.items() if k != "linguistics_term"}]))
    assert found(path)[0][3] == "syntax"


def test_a_file_names_its_paradigm_where_nothing_else_does(tmp_path: Path) -> None:
    path = write(tmp_path / "island.jsonl", '{"sentence_good": ["It", "rains"], "sentence_bad": ["Rains", "it"]}\n')
    assert found(path) == [(["It", "rains"], ["Rains", "it"], "island", None)]
    path = write(tmp_path / "npi.tsv", "good\tbad\nNo one ever came.\tSomeone ever came.\n")
    assert found(path) == [("No one ever came.", "Someone ever came.", "npi", None)]
    path = write(tmp_path / "two.tsv", "It rains.\tIt rain.\nWe row.\tWe rows.\n")
    assert found(path, header=False)[1] == ("We row.", "We rows.", "two", None)


def test_columns_that_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,ok,no,what,kind\n1,It rains.,It rain.,verb,syntax\n")
    assert found(path, "ok,no") == [("It rains.", "It rain.", "a", None)]
    assert found(path, "2,3,4,5", header=True) == [("It rains.", "It rain.", "verb", "syntax")]
    assert found(path, "ok,no,what,kind") == [("It rains.", "It rain.", "verb", "syntax")]
    with pytest.raises(DataError, match=r"a.csv has no column 'nope'; it has id, ok, .* .--pair-columns"):
        found(path, "ok,no,nope")
    for columns in ("ok", "a,b,c,d,e"):
        with pytest.raises(ConfigError, match=f"--pair-columns {columns}: expected GOOD,BAD, or GOOD,BAD,PARADIGM"):
            found(path, columns)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"sentence_good": "x", "sentence_bad": " "}\n', "a.jsonl line 1: no bad sentence"),
        ("a.tsv", "good\tbad\nIt rains.\tIt rain.\n\tIt rain.\n", "a.tsv line 3: no good sentence"),
        ("a.jsonl", '{"text": "x", "more": "y", "third": "z"}\n', "has the columns text, more, third: say which"),
        ("a.jsonl", '{"sentence_good": "x", "sentence_bad"\n', "a.jsonl line 1 is no JSON"),
        ("a.txt", "It rains. / It rain.\n", "a.txt line 1: no bad sentence; expected a good and a bad one"),
        ("a.tsv", "good\tbad\n", "contains no pairs .--minimal-pairs"),
        ("a.jsonl", "\n", "contains no pairs"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(write(tmp_path / name, content))


def test_rows_that_lack_a_sentence_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(BLIMP) + '\n{"sentence_good": "x"}\n')
    assert len(found(path)) == 1
    assert "1 rows without a good or a bad sentence, left out" in caplog.text
