"""Where the words that a model reads stand in the raw text, also where clean-up changed it before it was split."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from elmokit.text.words import Span, whitespace_spans, word_spans


def word_offsets(text: str, words: Sequence[str], *, pre_split: bool) -> list[Span | None]:
    """(start, end) of each word in `text`; None for a word that clean-up made of something else.

    Words of cleaned text are aligned with those of the raw one, compared without case. What differs in between is
    taken in pairs where both sides have as many words.

    Args:
        text: The raw text.
        words: What came of it.
        pre_split: Words are what stands between spaces.
    """
    spans = whitespace_spans(text) if pre_split else word_spans(text)
    raw = [text[start:end] for start, end in spans]
    if raw == list(words):
        return list(spans)
    found: list[Span | None] = [None] * len(words)
    matcher = SequenceMatcher(None, [_compared(word) for word in raw], [_compared(word) for word in words])
    for _, first, last, begin, end in matcher.get_opcodes():
        if last - first == end - begin:
            found[begin:end] = spans[first:last]
    return found


def joined_offsets(words: Sequence[str]) -> list[Span | None]:
    """(start, end) of each word where they stand with one space between."""
    spans: list[Span | None] = []
    start = 0
    for word in words:
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def _compared(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()
