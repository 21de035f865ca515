"""A source as sentences: one per line, an empty line behind each document, without those of the evaluation texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from elmokit.errors import DataError
from elmokit.text.sentence_borders import split_sentences
from elmokit.whole_files import replacing
from english_text.matching import EvaluationTexts, distinctive, plain_words
from english_text.readers import Document

RULES = 1  # raise when the same source would give other sentences: those prepared before are then made again
_MOST_EVALUATION = 0.25
"""A document with a larger share of evaluation sentences is a copy of an evaluation document: all of it goes."""


@dataclass
class Counts:
    """What became of a source. Words are counted between spaces."""

    documents: int = 0
    sentences: int = 0
    words: int = 0
    sentences_in_evaluation_texts: int = 0
    documents_in_evaluation_texts: int = 0
    sentences_without_letters: int = 0

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


def write_cleaned(
    documents: Iterable[Document],
    path: Path,
    *,
    name: str,
    kept_out: EvaluationTexts,
    short_too: frozenset[bytes] = frozenset(),
) -> Counts:
    """Write the sentences of the documents of a source to `path`, whole or not at all.

    Args:
        documents: Paragraphs, by documents.
        path: The file.
        name: Of the source, for errors.
        kept_out: Texts whose sentences are left out.
        short_too: Letters of further sentences that are left out, however short.

    Raises:
        DataError: The source has no sentence at all.
    """
    counts = Counts()
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        for document in documents:
            kept = _kept(document, counts, kept_out, short_too)
            if kept:
                _write(file, kept, counts)
        if not counts.sentences + counts.sentences_in_evaluation_texts:
            raise DataError(f"the source {name} is empty: its files have no sentence")
    return counts


def _kept(document: Document, counts: Counts, kept_out: EvaluationTexts, short_too: frozenset[bytes]) -> list[str]:
    """The sentences of a document that may be trained on."""
    kept, long, removed = [], 0, 0
    for sentence in sentences_of(document):
        words = plain_words(sentence)
        if not words:
            counts.sentences_without_letters += 1
            continue
        long += distinctive(words)
        if kept_out.contain(words):
            removed += 1
        elif b"".join(words) in short_too:
            counts.sentences_in_evaluation_texts += 1
        else:
            kept.append(sentence)
    counts.sentences_in_evaluation_texts += removed
    if removed > _MOST_EVALUATION * long:
        counts.documents_in_evaluation_texts += 1
        counts.sentences_in_evaluation_texts += len(kept)
        return []
    return kept


def sentences_of(document: Document) -> Iterator[str]:
    """The sentences of its paragraphs, with single spaces."""
    return (" ".join(sentence.split()) for paragraph in document for sentence in split_sentences(paragraph))


def _write(file: IO[str], sentences: list[str], counts: Counts) -> None:
    file.write("\n".join(sentences) + "\n\n")
    counts.documents += 1
    counts.sentences += len(sentences)
    counts.words += sum(sentence.count(" ") + 1 for sentence in sentences)
