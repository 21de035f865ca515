"""Columns of the CoNLL shared tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.text.conll import read_conll, read_placed
from elmokit.text.readers import read_records


def test_sentences_and_columns(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("-DOCSTART- -X- O O\n\nEU NNP B O\nwins VBZ I O\n\n\nEnd NN B O", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [
        [["EU", "NNP", "B", "O"], ["wins", "VBZ", "I", "O"]],
        [["End", "NN", "B", "O"]],
    ]


def test_documents_begin_at_their_lines_and_with_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Title O\n\n-DOCSTART- O\n\n-DOCSTART- O\n\nEU O\n\nwins O\n-DOCSTART- O\nEnd O\n")
    (tmp_path / "b").write_text("Next O\n")
    found = [(each.rows[0][0], each.document) for each in read_placed([tmp_path / "a", tmp_path / "b"])]
    assert found == [("Title", 0), ("EU", 2), ("wins", 2), ("End", 3), ("Next", 4)]


def test_a_tab_lets_a_word_hold_a_blank(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("New York\tB-loc\n", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [[["New York", "B-loc"]]]


def test_another_number_of_columns_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("EU NNP B\nwins VBZ\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected 3 columns as before, got 'wins VBZ'"):
        list(read_conll(tmp_path / "a"))


def test_blanks_around_a_column_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("New York \tB-loc \t\nrises\t O\t\r\n", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [[["New York", "B-loc", ""], ["rises", "O", ""]]]


def test_line_ends_of_a_lone_carriage_return(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"EU B\rwins O\r\rEnd O\r")
    assert list(read_conll(tmp_path / "a")) == [[["EU", "B"], ["wins", "O"]], [["End", "O"]]]
    (tmp_path / "a").write_bytes(b"EU B\rwins O\r\rEnd O\n")
    with pytest.raises(DataError, match=r"line 1: expected lines that end with \\n or \\r\\n, got 'EU B\\rwins"):
        list(read_conll(tmp_path / "a"))


def test_a_no_break_space_belongs_to_a_word(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("10\xa0000 CD O\n\xa0 NN O\n", encoding="utf-8")
    assert list(read_conll(tmp_path / "a")) == [[["10\xa0000", "CD", "O"], ["\xa0", "NN", "O"]]]


def test_comments_before_a_sentence_are_passed_over(tmp_path: Path) -> None:
    content = "# id = 5\n# a harbour scene\nOslo B-LOC\n# O\nwaits O\n\n# O\nend O\n\n# id = 6\n"
    (tmp_path / "a").write_text(content, encoding="utf-8")
    found = list(read_placed(tmp_path / "a"))
    assert [sentence.rows for sentence in found] == [
        [["Oslo", "B-LOC"], ["#", "O"], ["waits", "O"]], [["#", "O"], ["end", "O"]]
    ]  # fmt: skip
    assert [sentence.line for sentence in found] == [3, 7]


def test_a_wrong_number_of_columns_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# id = 5\nOslo B-LOC\nwaits\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 3: expected 2 columns as before, got 'waits'"):
        list(read_conll(tmp_path / "a"))


CONLLU = """# newdoc
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
3.1\tthere\t_\t_\t_\t_\t_\t_\t_\t_

# newdoc
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_
"""


def test_conllu_has_columns_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(CONLLU)  # whatever its name
    first, second = read_placed(tmp_path / "a.conll")
    assert first.column("form", "--word-column") == ["Do", "n't", "go"]
    assert first.column("UPOS", "--tag-column") == ["AUX", "PART", "VERB"]
    assert first.column(5, "--tag-column") == ["VB", "RB", "VB"]
    assert (first.lines, second.line, first.document, second.document) == ([4, 5, 6], 10, 1, 2)
    (record, _) = read_records(tmp_path / "a.conll")
    assert record.words == ["Do", "n't", "go"]
    (tmp_path / "plus.conllup").write_text("# global.columns = ID FORM NER\n1\tAda\tB-PER\n1\tBo\tO\n")
    assert [each.column("ner", "--tag-column") for each in read_placed(tmp_path / "plus.conllup")] == [["B-PER"], ["O"]]


@pytest.mark.parametrize(
    ("content", "asked", "problem"),
    [
        (CONLLU, "POS", "line 4 has the columns ID, FORM, .*MISC, no column 'POS'"),
        ("Ada B-PER\n", "UPOS", "line 1 has 2 columns without names, no column 'UPOS'; choose by number"),
        (CONLLU.replace("\tINTJ\tUH\t_\t0\troot\t_\t_", ""), "UPOS", "line 10 has 3 columns, no column UPOS"),
        (CONLLU, 11, "line 4 has 10 columns, no column 11"),
        (CONLLU, 0, "no column 0"),
    ],
)
def test_a_column_that_is_not_there(tmp_path: Path, content: str, asked: int | str, problem: str) -> None:
    (tmp_path / "a").write_text(content)
    with pytest.raises(DataError, match=problem):
        [each.column(asked, "--tag-column") for each in read_placed(tmp_path / "a")]
