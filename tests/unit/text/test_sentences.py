"""Sentences of every kind of file, in step with its lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.text.sentences import Sentence, read_sentences


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_lines_keep_their_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt.gz", "one\n\n  \ntwo  \r\nthree")
    assert [sentence.text for sentence in read_sentences(path)] == ["one", "", "", "two", "three"]


def test_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,n\nfirst,1\n,2\nthird,3\n")
    assert [sentence.text for sentence in read_sentences(path)] == ["first", "", "third"]
    path = write(tmp_path / "a.csv", "text,n\nfirst,1\n\nthird,3\n")
    assert [sentence.text for sentence in read_sentences(path, column="text")] == ["first", "", "third"]
    path = write(tmp_path / "b.csv", "n,text\n1,first\n2\n3,third\n")
    assert [sentence.text for sentence in read_sentences(path)] == ["first", "", "third"]
    path = write(tmp_path / "a.jsonl", '{"text": "first"}\n\n{"label": 1}\n{"text": ""}\n{"text": "fifth"}\n')
    assert [sentence.text for sentence in read_sentences(path)] == ["first", "", "", "", "fifth"]


def test_conllu_words(tmp_path: Path) -> None:
    rows = ["1-2\tdel\t_", "1\tde\tde", "2\tel\tel", "2.1\t_\t_", "3\tmar\tmar"]
    path = write(tmp_path / "a.conllu", "# text = del mar\n" + "\n".join(rows) + "\n\n\n1\tSí\t_\n2\t.\t_\n")
    assert list(read_sentences(path)) == [
        Sentence("del mar", ["de", "el", "mar"]), Sentence("Sí .", ["Sí", "."])
    ]  # fmt: skip
    with pytest.raises(DataError, match="line 1: expected tab-separated CoNLL-U columns, got 'just text'"):
        list(read_sentences(write(tmp_path / "b.conllu", "just text\n")))


def test_fasta_residues(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fasta", ">sp|P1 first\nmKT\nAY *\n\n>second\n>third\nM\n")
    assert list(read_sentences(path)) == [
        Sentence("sp|P1 first", list("MKTAY")), Sentence("second", []), Sentence("third", ["M"])
    ]  # fmt: skip
    with pytest.raises(DataError, match="line 1: expected a FASTA header"):
        list(read_sentences(write(tmp_path / "b.fa", "MKT\n")))
