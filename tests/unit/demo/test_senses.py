"""Neighbours of occurrences: what counts as near, what is left out, and the score."""

from __future__ import annotations

import numpy as np
import pytest

from elmokit.analysis.occurrences import Occurrence
from elmokit.demo.senses import KnownSense, KnownSenses, collect_known_senses
from elmokit.demo.synthetic import Sense, generate
from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoModel


def known(sense: str, clause: str, word: str = "bank") -> KnownSense:
    return KnownSense(Occurrence(["the", word, "it", "is"], 1), Sense(word, sense, 4, 4 + len(word), clause))


@pytest.fixture
def senses() -> KnownSenses:
    """Two senses along two axes; the first two are from one template."""
    vectors = np.array([[1, 0], [1, 0.01], [0.9, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    marks = [("money", "a"), ("money", "a"), ("money", "b"), ("river", "c"), ("river", "d")]
    return KnownSenses([known(*mark) for mark in marks], vectors[None])


def test_nearest_leaves_out_the_same_template_and_itself(senses: KnownSenses) -> None:
    found = senses.nearest(0, layer=0, count=3)
    assert [each.mark.clause for _, each in found] == ["b", "d", "c"]
    assert found[0][0] == pytest.approx(float(senses.vectors[0, 0] @ senses.vectors[0, 2]))
    assert [each.mark.clause for _, each in senses.nearest(2, layer=0, count=5)] == ["a", "d", "c"]  # one a template


def test_agreement_counts_same_senses_among_the_nearest(senses: KnownSenses) -> None:
    assert senses.agreement(layer=0, count=1) == 1.0
    assert senses.agreement(layer=0, count=2) == pytest.approx((1 + 1 + 2 + 1 + 1) / 10)


def test_chance_is_the_share_among_all_comparable_pairs(senses: KnownSenses) -> None:
    same, comparable = 1 + 1 + 2 + 1 + 1, 3 + 3 + 4 + 4 + 4
    assert senses.chance() == pytest.approx(same / comparable)


def test_of_takes_the_occurrences_of_one_word() -> None:
    both = KnownSenses([known("money", "a"), known("club", "b", word="bat")], np.eye(2, dtype=np.float32)[None])
    assert [found.mark.word for found in both.of("bat").found] == ["bat"]
    assert both.of("bat").vectors.tolist() == [[[0.0, 1.0]]]


def test_occurrences_are_collected_with_the_vector_of_their_own_word() -> None:
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    examples = generate(40, seed=2)
    senses = collect_known_senses(examples, encoder)
    assert senses.vectors.shape == (3, len(senses.found), 32)
    for word in {found.mark.word for found in senses.found}:  # the token layer knows no context: one vector a spelling
        part = senses.of(word)
        lower = [row for row, found in enumerate(part.found) if found.occurrence.word.islower()]
        np.testing.assert_allclose(part.vectors[0, lower], part.vectors[0, lower[:1]].repeat(len(lower), 0), atol=1e-5)
