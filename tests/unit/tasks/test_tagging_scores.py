"""Span scores against a count by hand, and the same whatever the scheme."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from elmokit.tasks.tagging.schemes import converted, spans_of
from elmokit.tasks.tagging.scores import span_scores, tag_scores

TAG = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"])
PAIR = st.lists(st.tuples(TAG, TAG), min_size=1, max_size=6).map(lambda both: tuple(map(list, zip(*both, strict=True))))
PAIRS = st.lists(PAIR, min_size=1, max_size=4)


@given(pairs=PAIRS)
def test_spans_by_hand(pairs: list[tuple[list[str], list[str]]]) -> None:
    gold, found = [one for one, _ in pairs], [other for _, other in pairs]
    scores = span_scores(gold, found)
    real = {(row, *span) for row, tags in enumerate(gold) for span in spans_of(tags)}
    guessed = {(row, *span) for row, tags in enumerate(found) for span in spans_of(tags)}
    right = len(real & guessed)
    precision, recall = right / len(guessed) if guessed else 0.0, right / len(real) if real else 0.0
    assert scores["precision"] == pytest.approx(precision)
    assert scores["recall"] == pytest.approx(recall)
    assert scores["f1"] == pytest.approx(2 * right / (len(real) + len(guessed)) if right else 0.0)
    assert scores["spans"] == len(real)
    assert scores["words"] == sum(map(len, gold))


def test_the_scheme_does_not_matter() -> None:
    gold = [["B-A", "I-A", "O", "B-B"], ["O"]]
    found = [["B-A", "I-A", "O", "O"], ["B-B"]]
    expected = span_scores(gold, found)
    assert (expected["precision"], expected["recall"]) == (0.5, 0.5)
    assert expected["per_label"]["A"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "spans": 1}
    assert span_scores([converted(t, "BIOES") for t in gold], [converted(t, "IOB1") for t in found]) == expected


def test_nothing_to_find() -> None:
    scores = span_scores([["O", "O"], []], [["O", "O"], []])
    assert (scores["f1"], scores["accuracy"], scores["spans"]) == (0.0, 1.0, 0)


@given(pairs=PAIRS)
def test_plain_tags_as_scikit_learn_scores_them(pairs: list[tuple[list[str], list[str]]]) -> None:
    gold, found = [one for one, _ in pairs], [other for _, other in pairs]
    scores = tag_scores(gold, found)
    flat, guesses = ([tag for tags in each for tag in tags] for each in (gold, found))
    labels = sorted(set(flat))
    assert scores["accuracy"] == pytest.approx(accuracy_score(flat, guesses))
    macro = f1_score(flat, guesses, labels=labels, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(macro)
    assert {tag: each["words"] for tag, each in scores["per_label"].items()} == {tag: flat.count(tag) for tag in labels}
    assert (scores["sentences"], scores["words"]) == (len(gold), len(flat))
