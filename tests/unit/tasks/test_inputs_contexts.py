"""Texts that are read together: runs of whole texts of one document, and values cut back to texts."""

from __future__ import annotations

import random

import numpy as np
import pytest

from elmokit.tasks.inputs.contexts import Contexts
from elmokit.tasks.inputs.tokens import tokenize


def offsets_of(lengths: list[int]) -> np.ndarray:
    return np.cumsum([0, *lengths])


def test_runs_are_whole_texts_of_one_document_and_of_like_length() -> None:
    draw = random.Random(1)
    documents = [number for number in range(30) for _ in range(draw.randint(1, 40))]
    lengths = [draw.randint(1, 30) for _ in documents]
    contexts = Contexts.of_documents(offsets_of(lengths), documents, words=50)
    assert contexts.borders[0] == 0
    assert contexts.borders[-1] == len(documents)
    assert (np.diff(contexts.borders) > 0).all()
    for begin, end in zip(contexts.borders, contexts.borders[1:], strict=False):
        assert len(set(documents[begin:end])) == 1
        assert sum(lengths[begin:end]) <= 50 + 30  # half a text more at each end
    for document in set(documents):
        runs = sum(documents[begin] == document for begin in contexts.borders[:-1])
        words = sum(length for length, number in zip(lengths, documents, strict=True) if number == document)
        assert runs <= -(-words // 50)


def test_short_documents_are_one_run() -> None:
    contexts = Contexts.of_documents(offsets_of([3, 4, 2, 5, 1]), [0, 0, 2, 2, 3], words=9)
    assert contexts.borders.tolist() == [0, 2, 4, 5]
    ids = contexts.sentence_ids()
    assert ids is not None
    assert ids.tolist() == [1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 1]


def test_one_text_longer_than_a_run_stays_whole() -> None:
    contexts = Contexts.of_documents(offsets_of([2, 40, 2]), [7, 7, 7], words=10)
    assert contexts.borders.tolist() == [0, 1, 2, 3]


def test_alone_there_is_nothing_to_tell_apart() -> None:
    contexts = Contexts.alone(offsets_of([2, 1]))
    assert contexts.sentence_ids() is None
    assert contexts.cut([["a", "b"], ["c"]], np.arange(2)) == [["a", "b"], ["c"]]


def test_runs_join_texts_and_are_cut_back_into_them() -> None:
    texts = [["a", "b"], ["c"], ["a"], ["d", "d", "a"]]
    tokens = tokenize(texts, max_words=9)
    contexts = Contexts.of_documents(tokens.offsets, [0, 0, 1, 1], words=9)
    joined = contexts.joined(tokens)
    assert [joined.words(run) for run in range(len(joined))] == [["a", "b", "c"], ["a", "d", "d", "a"]]
    assert contexts.of(np.array([2, 3])).tolist() == [1]
    assert contexts.cut([joined.words(1)], np.array([1])) == texts[2:]


def test_half_a_run_and_too_few_values_are_refused() -> None:
    contexts = Contexts.of_documents(offsets_of([2, 1, 3]), [0, 0, 1], words=9)
    with pytest.raises(ValueError, match="Some texts of a run are asked for and others are not"):
        contexts.of(np.array([1, 2]))
    with pytest.raises(ValueError, match="2 values came for a run of 3 words"):
        contexts.cut([["O", "O"]], np.array([0]))


def test_no_texts() -> None:
    contexts = Contexts.of_documents(np.zeros(1, dtype=np.int64), [], words=9)
    assert contexts.borders.tolist() == [0]
    assert contexts.cut([], np.arange(0)) == []
