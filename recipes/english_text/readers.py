"""How the collections are read: documents, each a list of paragraphs in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from english_text.data_folder import DataFolder

Document = list[str]
Reader = Callable[[DataFolder], Iterator[Document]]

_BOOK = re.compile(r"^<<<BOOK .*>>>$", re.MULTILINE)
_GUTENBERG_END = re.compile(r"^\W*End of (?:the |this )?Project Gutenberg", re.MULTILINE | re.IGNORECASE)
_GUTENBERG_START = re.compile(r"\*\*\* ?START OF [^\n]*\n")
_EMPHASIS = re.compile(r"(?<![\w/])([_/])(\w[^_/\n]{0,80}?)\1(?!\w)")  # _not_  /Hapi/
_CHAPTER = re.compile(r"chapter [ivxlc\d]+\b", re.IGNORECASE)
_TAGGED = re.compile(r"(\S+)_\S+")
_SPEECH_PARAGRAPHS = 50


def documents(name: str) -> Reader:
    """A paragraph per line, an empty line between documents."""

    def read(data: DataFolder) -> Iterator[Document]:
        paragraphs: Document = []
        for line in data.lines(name):
            if line.strip():
                paragraphs.append(line)
            elif paragraphs:
                yield paragraphs
                paragraphs = []
        if paragraphs:
            yield paragraphs

    return read


def document_lines(name: str) -> Reader:
    """A document per line."""
    return lambda data: ([line] for line in data.lines(name))


def speeches(name: str) -> Reader:
    """A paragraph per line. The file does not say where a speech ends: so many paragraphs make a document."""

    def read(data: DataFolder) -> Iterator[Document]:
        lines = data.lines(name)
        while paragraphs := list(islice(lines, _SPEECH_PARAGRAPHS)):
            yield paragraphs

    return read


def treebank(name: str) -> Reader:
    """CoNLL-U with `# newdoc` and `# text`: a sentence is a paragraph."""

    def read(data: DataFolder) -> Iterator[Document]:
        sentences: Document = []
        for line in data.lines(name):
            if line.startswith("# newdoc") and sentences:
                yield sentences
                sentences = []
            elif line.startswith("# text = "):
                sentences.append(line.removeprefix("# text = "))
        if sentences:
            yield sentences

    return read


def book_paragraphs(data: DataFolder) -> Iterator[list[str]]:
    """The novels, by books; headers and licences of Project Gutenberg are cut off."""
    for book in _BOOK.split("\n".join(data.lines("haggard_novels/haggard.txt.gz"))):
        book = _GUTENBERG_END.split(book, maxsplit=1)[0]
        book = _GUTENBERG_START.split(book, maxsplit=1)[-1]
        yield [_EMPHASIS.sub(r"\2", " ".join(part.split())) for part in re.split(r"\n\s*\n", book)]


def chapters(data: DataFolder) -> Iterator[Document]:
    """The novels, by chapters."""
    for book in book_paragraphs(data):
        yield from _chapters(book)


def _chapters(paragraphs: Iterable[str]) -> Iterator[Document]:
    chapter: Document = []
    for paragraph in paragraphs:
        if _CHAPTER.match(paragraph) and chapter:
            yield chapter
            chapter = []
        chapter.append(paragraph)
    if chapter:
        yield chapter


def masc(data: DataFolder) -> Iterator[Document]:
    """Lines of word_TAG as words; what is no such line is passed over."""
    for name, text in data.members("masc/masc_tagged.zip"):
        if "categories" not in name:
            yield [
                " ".join(match[1] for match in map(_TAGGED.fullmatch, line.split()) if match)
                for line in text.splitlines()
            ]


def squad_passages(data: DataFolder) -> Iterator[Document]:
    """The passages of the training file, by article."""
    for article in data.json("squad/train-v1.1-rebuilt.json.gz")["data"]:
        yield [" ".join(paragraph["context"].split()) for paragraph in article["paragraphs"]]
