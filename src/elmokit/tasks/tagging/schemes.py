"""How spans of words are written as tags, word by word, and which tag may follow which.

BIO (IOB2): B- begins every span. IOB1: B- only where a span touches the one before of its own type. IO: I- alone, so
that touching spans of one type are one. BIOES: E- ends a span and S- is a span of one word; it tells a tagger the most
(Ratinov & Roth 2009). BILOU and BMES are BIOES with other letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from elmokit.errors import DataError

Scheme = Literal["BIO", "IOB1", "BIOES", "BILOU", "BMES", "IO"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
OUTSIDE = "O"

_LETTERS: dict[Scheme, str] = {
    "BIO": "BIIB",
    "IOB1": "IIII",
    "BIOES": "BIES",
    "BILOU": "BILU",
    "BMES": "BMES",
    "IO": "IIII",
}
"""Of the first word of a span, one inside, the last one, and the only one."""
_SAME = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S"}
"""What a letter means, in the letters of BIOES."""


class Span(NamedTuple):
    """Words `start` to `stop` (excluded) of a sentence."""

    start: int
    stop: int
    label: str


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans of a sentence's tags, of any of the schemes, as `conlleval` reads them.

    A tag that cannot continue with the span before it begins a new one.

    Raises:
        DataError: A tag is neither `O` nor a letter of a scheme with a label.
    """
    spans: list[Span] = []
    begun: int | None = None
    label = ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        part, name = _parts(tag)
        if begun is not None and (part in "OBS" or name != label):
            spans.append(Span(begun, place, label))
            begun = None
        if part in "BIES" and begun is None:
            begun, label = place, name
        if part in "ES" and begun is not None:
            spans.append(Span(begun, place + 1, label))
            begun = None
    return spans


def tags_of(spans: Sequence[Span], length: int, scheme: Scheme) -> list[str]:
    """Spans as tags of a sentence of `length` words.

    Raises:
        DataError: Spans overlap, are empty, or lie outside the sentence.
    """
    tags = [OUTSIDE] * length
    end, before = 0, ""
    for start, stop, label in sorted(spans):
        if not end <= start < stop <= length:
            raise DataError(f"the span {start} to {stop} of {length} words is empty, outside, or overlaps another")
        first, inside, last, only = list(_LETTERS[scheme])
        letters = only if stop - start == 1 else first + inside * (stop - start - 2) + last
        if scheme == "IOB1" and start == end and before == label and start > 0:  # it touches a span of its own type
            letters = "B" + letters[1:]
        tags[start:stop] = [f"{letter}-{label}" for letter in letters]
        end, before = stop, label
    return tags


def converted(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """Tags of any scheme in another."""
    return tags_of(spans_of(tags), len(tags), scheme)


def schemes_of(tags: Sequence[str]) -> frozenset[Scheme]:
    """The schemes that would write the spans of a sentence just so; none where the tags break every one of them."""
    spans = spans_of(tags)
    return frozenset(scheme for scheme in SCHEMES if tags_of(spans, len(tags), scheme) == list(tags))


def tag_set(labels: Sequence[str], scheme: Literal["BIO", "BIOES"]) -> list[str]:
    """Every tag of a scheme for these labels; `O` is the first."""
    letters = "BI" if scheme == "BIO" else "BIES"
    return [OUTSIDE, *(f"{letter}-{label}" for label in labels for letter in letters)]


def allowed_steps(tags: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    """What BIO or BIOES allows, for a CRF: (T, T) tag after tag, (T,) at the begin, (T,) at the end; bool."""
    ends_spans = any(tag[0] in "ES" for tag in tags)
    parts = [_parts(tag) for tag in tags]

    def follows(before: tuple[str, str], after: tuple[str, str]) -> bool:
        open_before = before[0] in ("BI" if ends_spans else "")
        goes_on = after[0] in "IE"
        same = before[0] in "BI" and before[1] == after[1]
        return (same if goes_on else not open_before) if ends_spans else (same or not goes_on)

    steps = torch.tensor([[follows(before, after) for after in parts] for before in parts])
    start = torch.tensor([part not in "IE" for part, _ in parts])
    end = torch.tensor([not ends_spans or part not in "BI" for part, _ in parts])
    return steps, start, end


def is_tag(tag: str) -> bool:
    """Whether some scheme has such a tag."""
    letter, _, label = tag.partition("-")
    return tag == OUTSIDE or (letter in _SAME and bool(label))


def _parts(tag: str) -> tuple[str, str]:
    """The letter of a tag, as BIOES has it, and its label."""
    if not is_tag(tag):
        letters = ", ".join(f"{known}-" for known in _SAME)
        raise DataError(f"the tag {tag!r} is of no known scheme; expected O, or {letters} with a label")
    letter, _, label = tag.partition("-")
    return (OUTSIDE, "") if tag == OUTSIDE else (_SAME[letter], label)
