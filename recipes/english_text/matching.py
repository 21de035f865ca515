"""Whether a sentence occurs in the evaluation texts, whatever its case, punctuation and tokenisation.

A sentence is compared by its ASCII letters and digits in lower case, without the spaces between words: "U.S. firms
don't" and "u.s. firms do n't" are equal, as are "München" and the "M*nchen" of GAP. Only words are counted with spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np

from elmokit.text.sentence_borders import split_sentences

WORDS = 8
"""A sentence of so many words is long enough to be told from one that anybody might write."""
LETTERS = 25
"""So is one of so many letters and digits, when it is compared as a whole."""

_BEGINNING = 24  # letters by which a long sentence is looked up
_PUNCTUATION = bytes(code for code in range(128) if not chr(code).isalnum() and not chr(code).isspace())
_GAP = re.compile(r"<unk>|(?<!\S)N(?!\S)")  # for rare words and for numbers, in language-model sets


def plain_words(text: str) -> list[bytes]:
    """The words of a text as they are compared; a word without ASCII letters and digits is none."""
    apart = text.lower().replace("—", " ").replace("--", " ")
    return apart.encode("ascii", "ignore").translate(None, _PUNCTUATION).split()


def distinctive(words: list[bytes]) -> bool:
    """Whether a sentence is long enough that an equal one is a copy of it."""
    return len(words) >= WORDS or sum(map(len, words)) >= LETTERS


class EvaluationTexts:
    """An index of texts that no sentence of the training text may occur in.

    Args:
        texts: Sentences, paragraphs or whole documents; each is also cut into its sentences.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._wholes: set[bytes] = set()
        self._by_beginning: dict[bytes, list[bytes]] = {}
        running, hashes, places = bytearray(), [], []
        for piece in _pieces(texts):
            for sentence in {piece, *split_sentences(piece)}:
                self._add(plain_words(sentence))
            words = plain_words(piece)
            letters = b"".join(words)
            for start in _starts(words):
                if len(letters) - start >= _BEGINNING:
                    hashes.append(hash(letters[start : start + _BEGINNING]))
                    places.append(len(running) + start)
            running += letters + b"\n"
        order = np.argsort(np.array(hashes, dtype=np.int64), kind="stable")
        self._running = bytes(running)
        self._hashes = np.array(hashes, dtype=np.int64)[order]
        self._places = np.array(places, dtype=np.int64)[order]

    def __len__(self) -> int:
        """How many different sentences are known."""
        return len(self._wholes)

    def contain(self, words: list[bytes]) -> bool:
        """Whether the sentence of these `plain_words` equals one of the texts' sentences, or, of `WORDS` words or more,
        stands in a text, or has a sentence of that length in it."""
        letters = b"".join(words)
        if letters in self._wholes:
            return True
        if len(words) < WORDS or len(letters) < _BEGINNING:
            return False
        return self._stands_in_a_text(letters) or self._has_a_sentence(letters, words)

    def _add(self, words: list[bytes]) -> None:
        letters = b"".join(words)
        if not distinctive(words) or letters in self._wholes:
            return
        self._wholes.add(letters)
        if len(words) >= WORDS and len(letters) >= _BEGINNING:
            self._by_beginning.setdefault(letters[:_BEGINNING], []).append(letters)

    def _stands_in_a_text(self, letters: bytes) -> bool:
        wanted = hash(letters[:_BEGINNING])
        place = int(np.searchsorted(self._hashes, wanted))
        while place < len(self._hashes) and self._hashes[place] == wanted:
            if self._running.startswith(letters, int(self._places[place])):
                return True
            place += 1
        return False

    def _has_a_sentence(self, letters: bytes, words: list[bytes]) -> bool:
        known = self._by_beginning
        return any(
            letters.startswith(sentence, start)
            for start in _starts(words)
            if (beginning := letters[start : start + _BEGINNING]) in known
            for sentence in known[beginning]
        )


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts, and where words of them were replaced by markers what stands between these."""
    for text in texts:
        yield text
        if _GAP.search(text):
            yield from _GAP.split(text)


def _starts(words: list[bytes]) -> Iterator[int]:
    """Where each word begins among the letters."""
    return accumulate(map(len, words[:-1]), initial=0)
