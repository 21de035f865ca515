"""Documents of the collections, on invented files of their formats."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from english_text import readers
from english_text.data_folder import DataFolder


def read(tmp_path: Path, reader: readers.Reader, content: str) -> list[list[str]]:
    (tmp_path / "file.txt").write_text(content, encoding="utf-8")
    return list(reader(DataFolder(tmp_path)))


def test_documents_are_parted_by_empty_lines(tmp_path: Path) -> None:
    found = read(tmp_path, readers.documents("file.txt"), "\nOne.\nTwo.\n\n\nThree.\n")
    assert found == [["One.", "Two."], ["Three."]]
    assert read(tmp_path, readers.documents("file.txt"), "\n\n") == []


def test_a_document_may_be_a_line_or_so_many_paragraphs(tmp_path: Path) -> None:
    assert read(tmp_path, readers.document_lines("file.txt"), "One.\nTwo.\n") == [["One."], ["Two."]]
    paragraphs = [f"Paragraph {number}." for number in range(120)]
    found = read(tmp_path, readers.speeches("file.txt"), "\n".join(paragraphs))
    assert [len(document) for document in found] == [50, 50, 20]
    assert [paragraph for document in found for paragraph in document] == paragraphs


def test_documents_of_a_treebank_are_those_of_their_markers(tmp_path: Path) -> None:
    content = "# newdoc id = a\n# text = One.\n1\tOne\n\n# text = Two.\n\n# newdoc id = b\n# text = Three.\n"
    assert read(tmp_path, readers.treebank("file.txt"), content) == [["One.", "Two."], ["Three."]]


def test_novels_begin_behind_their_licence_and_are_cut_at_chapters(tmp_path: Path) -> None:
    (tmp_path / "haggard_novels").mkdir()
    book = (
        "<<<BOOK a.txt>>>\nThe Project Gutenberg\n*** START OF THIS BOOK ***\nThe Heron\n\n   CHAPTER I\n\n"
        "It was\n_not_ late.\n\nChapter houses are cold.\n\nChapter 2\n\nIt was.\n\n"
        "End of Project Gutenberg's Heron\nLicence\n"
    )
    (tmp_path / "haggard_novels" / "haggard.txt.gz").write_bytes(gzip.compress(book.encode()))
    found = [[part for part in document if part] for document in readers.chapters(DataFolder(tmp_path))]
    assert [document for document in found if document] == [
        ["The Heron"],
        ["CHAPTER I", "It was not late.", "Chapter houses are cold."],
        ["Chapter 2", "It was."],
    ]


def test_tagged_lines_give_their_words(tmp_path: Path) -> None:
    (tmp_path / "masc").mkdir()
    with zipfile.ZipFile(tmp_path / "masc" / "masc_tagged.zip", "w") as archive:
        archive.writestr("m/categories.txt", "a news")
        archive.writestr("m/a.txt", "The_DT heron_NN ._.\n\nbroken line\n")
    assert list(readers.masc(DataFolder(tmp_path))) == [["The heron .", "", ""]]


def test_passages_of_an_article_are_a_document(tmp_path: Path) -> None:
    (tmp_path / "squad").mkdir()
    articles = [{"paragraphs": [{"context": "One.\nTwo."}, {"context": "Three."}]}]
    packed = gzip.compress(json.dumps({"data": articles}).encode())
    (tmp_path / "squad" / "train-v1.1-rebuilt.json.gz").write_bytes(packed)
    assert list(readers.squad_passages(DataFolder(tmp_path))) == [["One. Two.", "Three."]]


@pytest.mark.parametrize("text", ["chapter x", "CHAPTER 12: The End"])
def test_chapters_are_numbered(tmp_path: Path, text: str) -> None:
    (tmp_path / "haggard_novels").mkdir()
    (tmp_path / "haggard_novels" / "haggard.txt.gz").write_bytes(gzip.compress(f"A\n\n{text}\n\nB".encode()))
    assert list(readers.chapters(DataFolder(tmp_path))) == [["A"], [text, "B"]]
