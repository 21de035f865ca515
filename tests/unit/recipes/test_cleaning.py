"""A source as sentences: how they are written, which are left out, what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import DataError
from english_text.cleaning import write_cleaned
from english_text.matching import EvaluationTexts

TESTED = "The keeper of the lighthouse paints the railing every second summer."
OTHERS = [f"Ferry number {i} of the morning carries only empty crates." for i in range(5)]


@pytest.fixture(scope="module")
def known() -> EvaluationTexts:
    return EvaluationTexts([TESTED])


def test_sentences_are_lines_and_documents_end_in_an_empty_line(known: EvaluationTexts, tmp_path: Path) -> None:
    documents = [["It rained.  It\tstopped again. ", "Then: sun!"], [" — "], ["A second document"]]
    counts = write_cleaned(documents, tmp_path / "a.txt", name="a", kept_out=known)
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert text == "It rained.\nIt stopped again.\nThen: sun!\n\nA second document\n\n"
    assert (counts.documents, counts.sentences, counts.words) == (2, 4, 10)
    assert counts.sentences_without_letters == 1


def test_an_evaluation_sentence_goes_and_the_rest_of_its_document_stays(known: EvaluationTexts, tmp_path: Path) -> None:
    counts = write_cleaned([[*OTHERS[:3], TESTED, *OTHERS[3:]]], tmp_path / "a.txt", name="a", kept_out=known)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").split("\n") == [*OTHERS, "", ""]
    assert (counts.sentences_in_evaluation_texts, counts.documents_in_evaluation_texts) == (1, 0)


def test_a_document_with_many_evaluation_sentences_goes_whole(known: EvaluationTexts, tmp_path: Path) -> None:
    documents = [[TESTED, "It is white.", *OTHERS[:2]], OTHERS]
    counts = write_cleaned(documents, tmp_path / "a.txt", name="a", kept_out=known)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").split("\n") == [*OTHERS, "", ""]
    assert (counts.sentences_in_evaluation_texts, counts.documents_in_evaluation_texts) == (4, 1)


def test_short_sentences_go_where_they_are_asked_for(known: EvaluationTexts, tmp_path: Path) -> None:
    document = ["No way.", "No way!", "Way.", *OTHERS]
    counts = write_cleaned(
        [document], tmp_path / "a.txt", name="a", kept_out=known, short_too=frozenset({b"noway"})
    )  # fmt: skip
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").split("\n") == ["Way.", *OTHERS, "", ""]
    assert counts.sentences_in_evaluation_texts == 2


@pytest.mark.parametrize("documents", [[], [[]], [["", "  "]], [["…"]]])
def test_an_empty_source_is_refused_and_leaves_no_file(
    known: EvaluationTexts, tmp_path: Path, documents: list[list[str]]
) -> None:
    with pytest.raises(DataError, match=r"the source pond is empty: its files have no sentence"):
        write_cleaned(documents, tmp_path / "a.txt", name="pond", kept_out=known)
    assert list(tmp_path.iterdir()) == []
