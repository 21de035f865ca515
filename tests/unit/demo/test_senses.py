"""Neighbours of uses: what counts as near, what is left out, and the score."""

from __future__ import annotations

import numpy as np
import pytest

from elmokit.demo.senses import Use, Uses, collect_uses
from elmokit.demo.synthetic import Sense, generate
from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoModel


def use(sense: str, clause: str, word: str = "bank") -> Use:
    return Use(f"the {word} it is", Sense(word, sense, 4, 4 + len(word), clause))


@pytest.fixture
def uses() -> Uses:
    """Two senses along two axes; the first two uses are from one template."""
    vectors = np.array([[1, 0], [1, 0.01], [0.9, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    marks = [("money", "a"), ("money", "a"), ("money", "b"), ("river", "c"), ("river", "d")]
    return Uses([use(*mark) for mark in marks], vectors[None])


def test_nearest_leaves_out_the_same_template_and_itself(uses: Uses) -> None:
    found = uses.nearest(0, layer=0, count=3)
    assert [use.mark.clause for _, use in found] == ["b", "d", "c"]
    assert found[0][0] == pytest.approx(float(uses.vectors[0, 0] @ uses.vectors[0, 2]))
    assert [use.mark.clause for _, use in uses.nearest(2, layer=0, count=5)] == ["a", "d", "c"]  # one a template


def test_agreement_counts_same_senses_among_the_nearest(uses: Uses) -> None:
    assert uses.agreement(layer=0, count=1) == 1.0
    assert uses.agreement(layer=0, count=2) == pytest.approx((1 + 1 + 2 + 1 + 1) / 10)


def test_chance_is_the_share_among_all_comparable_pairs(uses: Uses) -> None:
    same, comparable = 1 + 1 + 2 + 1 + 1, 3 + 3 + 4 + 4 + 4
    assert uses.chance() == pytest.approx(same / comparable)


def test_of_takes_the_uses_of_one_word() -> None:
    both = Uses([use("money", "a"), use("club", "b", word="bat")], np.eye(2, dtype=np.float32)[None])
    assert [found.mark.word for found in both.of("bat").uses] == ["bat"]
    assert both.of("bat").vectors.tolist() == [[[0.0, 1.0]]]


def test_in_context_shows_the_word_between_its_neighbours() -> None:
    assert use("money", "a").in_context(width=6) == "   the bank it is"


def test_uses_are_collected_with_the_vector_of_their_own_word() -> None:
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    examples = generate(40, seed=2)
    uses = collect_uses(examples, encoder)
    assert uses.vectors.shape == (3, len(uses.uses), 32)
    np.testing.assert_allclose(np.linalg.norm(uses.vectors, axis=2), 1, atol=1e-5)
    for word in {found.mark.word for found in uses.uses}:  # the token layer knows no context: one vector a spelling
        part = uses.of(word)
        lower = [row for row, found in enumerate(part.uses) if found.text[found.mark.start].islower()]
        np.testing.assert_allclose(part.vectors[0, lower], part.vectors[0, lower[:1]].repeat(len(lower), 0), atol=1e-5)
