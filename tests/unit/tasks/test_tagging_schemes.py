"""Tag schemes: conversions, conlleval's reading of broken tags, and what may follow what."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from elmokit.errors import DataError
from elmokit.tasks.tagging.schemes import (
    SCHEMES,
    Scheme,
    Span,
    allowed_steps,
    converted,
    schemes_of,
    spans_of,
    tag_set,
    tags_of,
)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans that do not overlap, some of which touch."""
    spans, place = [], 0
    for _ in range(draw(st.integers(0, 4))):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 3))
        spans.append(Span(start, place, draw(st.sampled_from(["PER", "LOC"]))))
    return spans, place + draw(st.integers(0, 2))


@given(sentences())
def test_every_scheme_keeps_the_spans(sentence: tuple[list[Span], int]) -> None:
    spans, length = sentence
    tags = {scheme: tags_of(spans, length, scheme) for scheme in SCHEMES if scheme != "IO"}
    for scheme, found in tags.items():
        assert spans_of(found) == spans
        assert scheme in schemes_of(found)
        for other in tags:
            assert converted(found, other) == tags[other], (scheme, other)


@given(sentences())
@pytest.mark.parametrize(
    ("scheme", "theirs"), [("IOB1", IOB1), ("BIO", IOB2), ("BIOES", IOBES), ("BILOU", BILOU)]
)  # fmt: skip
def test_seqeval_reads_the_same_spans(scheme: Scheme, theirs: Any, sentence: tuple[list[Span], int]) -> None:
    spans, length = sentence
    (entities,) = Entities([tags_of(spans, length, scheme)], theirs).entities
    assert [(each.start, each.end, each.tag) for each in entities] == spans


def test_written_out() -> None:
    spans = [Span(0, 2, "PER"), Span(2, 3, "PER"), Span(4, 5, "LOC")]
    assert tags_of(spans, 5, "IOB1") == ["I-PER", "I-PER", "B-PER", "O", "I-LOC"]
    assert tags_of(spans, 5, "BIO") == ["B-PER", "I-PER", "B-PER", "O", "B-LOC"]
    assert tags_of(spans, 5, "BIOES") == ["B-PER", "E-PER", "S-PER", "O", "S-LOC"]
    assert tags_of(spans, 5, "BILOU") == ["B-PER", "L-PER", "U-PER", "O", "U-LOC"]
    assert tags_of([*spans, Span(5, 8, "LOC")], 8, "BMES")[4:] == ["S-LOC", "B-LOC", "M-LOC", "E-LOC"]
    assert tags_of(spans, 5, "IO") == ["I-PER", "I-PER", "I-PER", "O", "I-LOC"]
    assert spans_of(tags_of(spans, 5, "IO")) == [Span(0, 3, "PER"), Span(4, 5, "LOC")]


def test_schemes_that_would_write_the_same() -> None:
    assert schemes_of(["B-A", "E-A"]) == {"BIOES", "BMES"}
    assert schemes_of(["I-A", "O"]) == {"IOB1", "IO"}
    assert schemes_of(["B-A", "I-A", "L-A", "U-B"]) == {"BILOU"}
    assert schemes_of(["B-A", "I-A", "I-B"]) == set()


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["I-A", "I-B"], [(0, 1, "A"), (1, 2, "B")]),
        (["O", "I-A", "O"], [(1, 2, "A")]),
        (["B-A", "I-A", "I-B", "I-A"], [(0, 2, "A"), (2, 3, "B"), (3, 4, "A")]),
        (["B-A", "O", "E-A", "S-A", "I-A"], [(0, 1, "A"), (2, 3, "A"), (3, 4, "A"), (4, 5, "A")]),
        ([], []),
    ],
)
def test_broken_tags_are_read_as_conlleval_does(tags: list[str], spans: list[tuple[int, int, str]]) -> None:
    assert spans_of(tags) == spans


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_what_is_allowed_is_exactly_what_writing_spans_gives(scheme: str) -> None:
    tags = tag_set(["A", "B"], scheme)  # type: ignore[arg-type]
    steps, start, end = allowed_steps(tags)
    numbers = {tag: number for number, tag in enumerate(tags)}
    for sequence in product(tags, repeat=3):
        ids = [numbers[tag] for tag in sequence]
        allowed = (
            bool(start[ids[0]]) and bool(end[ids[-1]]) and all(bool(steps[one, two]) for one, two in pairwise(ids))
        )
        assert allowed == (converted(sequence, scheme) == list(sequence)), sequence  # type: ignore[arg-type]


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match="the tag 'X-PER' is of no known scheme"):
        spans_of(["X-PER"])
    with pytest.raises(DataError, match="overlaps another"):
        tags_of([Span(0, 2, "A"), Span(1, 3, "A")], 3, "BIO")
    with pytest.raises(DataError, match="outside"):
        tags_of([Span(2, 4, "A")], 3, "BIO")
