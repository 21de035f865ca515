"""Occurrences of a word: what is found, how it is shown, and its vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from elmokit.analysis.occurrences import Occurrence, find_occurrences, occurrence_vectors
from elmokit.encode.encoder import Encoder
from elmokit.errors import DataError
from elmokit.models import ElmoConfig, ElmoModel


def test_long_sentences_are_cut_around_the_word_and_too_few_occurrences_are_refused() -> None:
    (first, *_) = find_occurrences("x", [["a"] * 500 + ["X"] + ["b"] * 500] * 4, longest=100)
    assert (len(first.words), first.word) == (100, "X")
    assert len(find_occurrences("x", [["x"]] * 9, most=3)) == 3
    with pytest.raises(DataError, match="'x' occurs in 3 sentences; expected at least 4"):
        find_occurrences("x", [["x"]] * 3, least=4)


def test_an_occurrence_in_context_keeps_its_width() -> None:
    assert Occurrence(["a", "b", "c"], 1).in_context(5) == "    a b c"
    assert Occurrence(["of", "the", "old", "b", "that", "it", "is"], 3).in_context(9) == "… the old b that it …"
    assert Occurrence(["x" * 20, "b", "well-known", "y"], 1).in_context(6) == "     … b …"


def test_another_word_in_its_place() -> None:
    assert Occurrence(["a", "b", "c"], 1).replaced("x") == Occurrence(["a", "x", "c"], 1)


def test_vectors_are_those_of_the_word_in_its_sentence() -> None:
    torch.manual_seed(0)
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    occurrences = [Occurrence(["a", "wet", "bank"], 2), Occurrence(["bank", "robbed"], 0)]
    arrays = encoder.encode([each.words for each in occurrences], is_split_into_words=True)
    expected = np.stack([arrays[0][:, 2], arrays[1][:, 0]], axis=1)  # (L, n, D)
    np.testing.assert_allclose(occurrence_vectors(encoder, occurrences), expected, atol=1e-6)
    np.testing.assert_allclose(occurrence_vectors(encoder, occurrences, layers=1), expected[1], atol=1e-6)
    with pytest.raises(ValueError, match="no occurrences came"):
        occurrence_vectors(encoder, [])
