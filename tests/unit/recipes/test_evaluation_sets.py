"""How each kind of evaluation file is read, on invented ones."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from elmokit.errors import DataError
from english_text import evaluation_sets as sets
from english_text.data_folder import DataFolder

CASES = {
    "plain": (sets.plain, "A heron .\nTwo herons .\n", ["A heron .", "Two herons ."]),
    "fields": (sets.fields(1, 2), "id\ta\tb\n1\tA heron.\tA bird.\n2\tc\n", ["a", "b", "A heron.", "A bird.", "c"]),
    "columns": (sets.columns(0), "# NN\nheron NN\n\n. .\n", ["# heron", "."]),
    "comments": (sets.columns(1, comment="# id"), "# id = 1\n1 A\n2 heron\n\n# id = 2\n1 #\n", ["A heron", "#"]),
    "behind": (sets.behind(" "), "1 A heron .\n0 No bird .\n", ["A heron .", "No bird ."]),
    "conllu": (sets.conllu_texts, "# text = A heron.\n1\tA\t_\n2\theron\t_\n\n# text = Two.\n", ["A heron.", "Two."]),
    "trees": (sets.trees, "(3 (2 A) (3 (2 tall) (2 heron)))\n", ["A tall heron"]),
    "news": (sets.news_rows, '"1","Heron ""lands""","On a pole, at last."\n', ['Heron "lands"', "On a pole, at last."]),
    "mentions": (sets.marked_mentions, "1 [The keeper] fed the heron.\n", ["[The keeper] fed the heron."]),
    "senses": (
        sets.sense_sentences,
        '<sentence id="s">\n<wf lemma="a">A</wf>\n<instance id="i" lemma="heron">heron</instance>\n'
        '<wf lemma="and">&amp;</wf>\n</sentence>\n',
        ["A heron &"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_texts_of_a_file(tmp_path: Path, name: str) -> None:
    read, content, expected = CASES[name]
    (tmp_path / "file.xz").write_bytes(lzma.compress(content.encode()))
    assert [text for text in read(DataFolder(tmp_path), "file.xz") if text] == expected


def test_passages_and_questions_are_both_read(tmp_path: Path) -> None:
    paragraph = {"context": "The heron waited.", "qas": [{"question": "Who waited?"}]}
    (tmp_path / "dev.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}), encoding="utf-8")
    assert list(sets.questions(DataFolder(tmp_path), "dev.json")) == ["The heron waited.", "Who waited?"]


def test_a_set_reads_all_its_files_and_misses_none(tmp_path: Path) -> None:
    for name in ("dev.txt", "test.txt"):
        (tmp_path / name).write_text(f"{name}\n", encoding="utf-8")
    data = DataFolder(tmp_path)
    assert list(sets.EvaluationSet(("test.txt", "d*.txt"), sets.plain).texts(data)) == ["test.txt", "dev.txt"]
    with pytest.raises(DataError, match="matches no file"):
        list(sets.EvaluationSet(("dev.txt", "valid.txt"), sets.plain).texts(data))
