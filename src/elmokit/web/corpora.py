"""Text to search in: its sentences, and where each word stands."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path

from elmokit.analysis.occurrences import Occurrence, find_occurrences
from elmokit.encode.encoder import Encoder
from elmokit.text.readers import Column, read_records
from elmokit.text.sentence_borders import split_sentences

_MOST_SENTENCES = 500_000
_FIRST = 2_000  # sentences kept for a word: more are never looked at


class Corpus:
    """Sentences with an index of their words, in lower case.

    Attributes:
        id: A checksum of the name and the sentences.
        words: Running words.
    """

    def __init__(self, name: str, sentences: Iterable[list[str]], *, uploaded: bool = False) -> None:
        self.name, self.uploaded = name, uploaded
        self.words = 0
        self._sentences: list[str] = []  # words with a unit separator between: a third of the memory of lists
        self._index: dict[str, array[int]] = {}
        self._counts: dict[str, int] = {}
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6)
        for words in sentences:
            if words:
                self._add(words)
                digest.update(self._sentences[-1].encode("utf-8", "surrogatepass") + b"\n")
        self.id = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._sentences)

    def count(self, word: str) -> int:
        """Sentences with the word, whatever its case."""
        return self._counts.get(word.lower(), 0)

    def uses(self, word: str, *, most: int, longest: int = 200) -> list[Occurrence]:
        """The first `most` of them, as from `find_occurrences`."""
        places = self._index.get(word.lower(), ())
        sentences = (self._sentences[number].split("\x1f") for number in places)
        return find_occurrences(word, sentences, most=most, longest=longest, least=0)

    def _add(self, words: list[str]) -> None:
        number = len(self._sentences)
        self._sentences.append("\x1f".join(words))
        self.words += len(words)
        for word in {word.lower() for word in words}:
            self._counts[word] = self._counts.get(word, 0) + 1
            places = self._index.setdefault(word, array("I"))
            if len(places) < _FIRST:
                places.append(number)


def corpus_of_text(name: str, text: str, encoder: Encoder) -> Corpus:
    """Lines, each cut into sentences, and those into words as the encoder splits them."""
    sentences = (encoder.words(sentence) for line in text.splitlines() for sentence in split_sentences(line))
    return Corpus(name, sentences, uploaded=True)


def corpus_of_file(path: str | Path, encoder: Encoder, *, column: str | None = None) -> Corpus:
    """A file of any format of `text.readers`, its first half million sentences.

    Raises:
        DataError: As `read_records`.
    """

    def sentences() -> Iterable[list[str]]:
        count = 0
        for record in read_records(path, columns=[Column(asked=column)]):
            given = record.words
            for words in [given] if given is not None else map(encoder.words, split_sentences(record.text)):
                if count == _MOST_SENTENCES:
                    return
                count += 1
                yield words

    return Corpus(Path(path).name, sentences())
