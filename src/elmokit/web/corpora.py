"""Text to search in: its sentences, and where each word stands."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from elmokit.analysis.occurrences import Occurrence, find_occurrences
from elmokit.encode.encoder import Encoder
from elmokit.text.readers import Column, read_records
from elmokit.text.sentence_borders import split_sentences

_MOST_SENTENCES = 500_000
_AFTER = "\x1f"
_FIRST = 2_000  # sentences kept for a word: more are never looked at


class Found(NamedTuple):
    """An occurrence of a word in a corpus, and its sentence as written; None where it was cut."""

    occurrence: Occurrence
    text: str | None


class Corpus:
    """Sentences with an index of their words, in lower case.

    Args:
        name: What it is called.
        sentences: Texts, or lists of words.
        split: A text into its words.
        uploaded: Whether it came over the network.

    Attributes:
        id: A checksum of the name and the sentences.
        words: Running words.
    """

    def __init__(
        self,
        name: str,
        sentences: Iterable[str | list[str]],
        *,
        split: Callable[[str], list[str]] = str.split,
        uploaded: bool = False,
    ) -> None:
        self.name, self.uploaded = name, uploaded
        self._split = split
        self.words = 0
        # A text, or words with a unit separator after each: a third of the memory of lists.
        self._sentences: list[str] = []
        self._index: dict[str, array[int]] = {}
        self._counts: dict[str, int] = {}
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6)
        for sentence in sentences:
            stored = (
                sentence.replace(_AFTER, " ") if isinstance(sentence, str) else "".join(w + _AFTER for w in sentence)
            )
            words = self._words(stored)
            if not words:
                continue
            for word in {word.lower() for word in words}:
                self._counts[word] = self._counts.get(word, 0) + 1
                places = self._index.setdefault(word, array("I"))
                if len(places) < _FIRST:
                    places.append(len(self._sentences))
            self._sentences.append(stored)
            self.words += len(words)
            digest.update(stored.encode("utf-8", "surrogatepass") + b"\n")
        self.id = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._sentences)

    def count(self, word: str) -> int:
        """Sentences with the word, whatever its case."""
        return self._counts.get(word.lower(), 0)

    def uses(self, word: str, *, most: int, longest: int = 200) -> list[Found]:
        """The first `most` of them, one per sentence, as from `find_occurrences`."""
        found = []
        for number in self._index.get(word.lower(), array("I"))[:most]:
            stored = self._sentences[number]
            words = self._words(stored)
            (occurrence,) = find_occurrences(word, [words], most=1, longest=longest)
            written = len(words) <= longest and _AFTER not in stored
            found.append(Found(occurrence, stored if written else None))
        return found

    def _words(self, stored: str) -> list[str]:
        return stored.split(_AFTER)[:-1] if _AFTER in stored else self._split(stored)


def corpus_of_text(name: str, text: str, encoder: Encoder) -> Corpus:
    """Lines, each cut into sentences, and those into words as the encoder splits them."""
    sentences = (sentence for line in text.splitlines() for sentence in split_sentences(line))
    return Corpus(name, sentences, split=encoder.words, uploaded=True)


def corpus_of_file(path: str | Path, encoder: Encoder, *, column: str | None = None, name: str | None = None) -> Corpus:
    """A file of any format of `text.readers`, its first half million sentences.

    Raises:
        DataError: As `read_records`.
    """

    def sentences() -> Iterable[str | list[str]]:
        count = 0
        for record in read_records(path, columns=[Column(asked=column)]):
            given = record.words
            for sentence in [given] if given is not None else split_sentences(record.text):
                if count == _MOST_SENTENCES:
                    return
                count += 1
                yield sentence

    return Corpus(name or Path(path).name, sentences(), split=encoder.words)
