"""Running text to sentences, by the words that end and begin them."""

from __future__ import annotations

from itertools import pairwise

from elmokit.text.words import word_spans

_ENDS = frozenset({".", "!", "?", "...", "…", "。", "！", "？", "।", "؟"})
_CLOSING = frozenset("\"'”’)]}»")
_OPENING = frozenset("\"'“‘([{«¿¡") | {"``"}


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, each without the white space around it; joined they are the text but for that.

    A sentence ends at a stop (with the quotes and brackets that close behind it) before a word that begins large, with
    a digit, or in a script without capitals. The period of an abbreviation belongs to its word and ends nothing, so
    "in the U.S. Then" stays together: better one sentence too long than a name cut in two.
    """
    spans = word_spans(text)
    words = [text[start:stop] for start, stop in spans]
    borders, place = [], 0
    while place < len(words):
        if words[place] not in _ENDS:
            place += 1
            continue
        stop = place + 1
        while stop < len(words):
            # A quote or bracket that follows without a blank closes; with a blank before it, it opens what comes next.
            closes = words[stop] == "''" or (words[stop] in _CLOSING and spans[stop - 1][1] == spans[stop][0])
            if not closes and words[stop] not in _ENDS:
                break
            stop += 1
        first = next((word for word in words[stop : stop + 4] if word not in _OPENING), "")
        if first and not first[0].islower() and (first[0].isalnum() or first[0] in "$£€#&@-—–"):
            borders.append(spans[stop][0])
        place = stop
    cuts = [0, *borders, len(text)]
    pieces = (text[start:stop].strip() for start, stop in pairwise(cuts))
    return [piece for piece in pieces if piece]
