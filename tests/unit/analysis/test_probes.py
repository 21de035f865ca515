"""Probes on an encoder whose layers are known: layer 0 sees the word alone, layer 1 also the word before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pytest

from elmokit.analysis.probes import homograph_probe, predicted_tags, pseudo_word_probe, tag_probe
from elmokit.encode.encoder import Encoder


class Known:
    """Layer 0: a random vector a word. Layer 1: that of the word before it added."""

    n_layers = 2

    def __init__(self) -> None:
        self._table: dict[str, Any] = {}
        self._draw = np.random.default_rng(0)

    def _vector(self, word: str) -> Any:
        return self._table.setdefault(word, self._draw.normal(size=24).astype(np.float32))

    def _encoded(self, sentences: Sequence[Sequence[str]]) -> Iterator[Any]:
        for words in sentences:
            alone = np.stack([self._vector(word) for word in words])
            before = np.concatenate([np.zeros((1, 24), np.float32), alone[:-1]])
            yield np.stack([alone, alone + before])

    def stream(self, sentences: Any, *, is_split_into_words: bool, layers: str = "all") -> Iterator[Any]:
        assert layers == "all"
        return self._encoded(sentences)

    def encode(self, sentences: Any, *, positions: list[list[int]], **_: Any) -> list[Any]:
        return [array[:, wanted] for array, wanted in zip(self._encoded(sentences), positions, strict=True)]


ENCODER = cast(Encoder, Known())


def tagged(count: int, seed: int) -> list[list[tuple[str, str]]]:
    """After "the" the word is a noun, after "to" a verb; which of three words it is says nothing."""
    draw = np.random.default_rng(seed)
    sentences = []
    for _ in range(count):
        before, tag = (("the", "N"), ("to", "V"))[draw.integers(2)]
        sentences.append([(before, "D"), (f"plan{draw.integers(3)}", tag)])
    return sentences


@pytest.mark.parametrize("probe", [tag_probe, homograph_probe])
def test_the_layer_with_context_knows_the_tag(probe: Any) -> None:
    settings = {"epochs": 100} if probe is tag_probe else {}
    found = probe(ENCODER, tagged(300, 1), tagged(80, 2), **settings)
    context_free, contextual = found.accuracy
    assert contextual == 1.0
    assert context_free < 0.9
    assert found.baseline == pytest.approx(context_free, abs=0.15)
    assert found.count == (160 if probe is tag_probe else 80)


def test_a_tag_that_training_never_saw_counts_as_wrong() -> None:
    test = [[("the", "D"), ("plan0", "NEW")]] * 10
    assert tag_probe(ENCODER, tagged(200, 1), test, epochs=100).accuracy[1] == 0.5


def test_pseudo_words_are_told_apart_by_context_alone() -> None:
    sentences = [["hot", "soup"], ["cold", "wind"]] * 20
    found = pseudo_word_probe(ENCODER, sentences, pairs=1, uses=20)
    assert found.accuracy[1] == 1.0
    assert found.count == 40


def test_predicted_tags_come_by_layer_and_sentence() -> None:
    test = tagged(5, 2)
    context_free, contextual = predicted_tags(ENCODER, tagged(300, 1), test, epochs=100)
    assert contextual == [[tag for _, tag in sentence] for sentence in test]
    assert [len(tags) for tags in context_free] == [2] * 5
