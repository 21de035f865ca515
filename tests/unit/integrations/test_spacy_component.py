"""The component as spaCy uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elmokit import Encoder

spacy = pytest.importorskip("spacy", reason="pip install elmokit[spacy] to test the component")


def pipeline(model: Path, **config: Any) -> Any:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("elmo", config={"model": str(model), **config})
    return nlp


def test_vectors_are_the_encoders_sentence_by_sentence(model: Path) -> None:
    doc = pipeline(model, layers="top")("The bank was wet.  It rained.")
    encoder = Encoder.from_pretrained(model)
    sentences = [["The", "bank", "was", "wet", "."], ["It", "rained", "."]]
    expected = np.concatenate(encoder.encode(sentences, layers="top", is_split_into_words=True))
    words = [token for token in doc if not token.is_space]
    np.testing.assert_allclose([token.vector for token in words], expected, atol=1e-6)
    (blank,) = (token for token in doc if token.is_space)
    assert (blank.has_vector, words[0].has_vector) == (False, True)
    np.testing.assert_allclose(doc.vector, expected.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(doc[:2].vector, expected[:2].mean(axis=0), atol=1e-6)
    assert doc[1].similarity(doc[1]) == pytest.approx(1.0)
    assert -1 <= doc.similarity(doc[:2]) <= 1


def test_pipe_and_disk(model: Path, tmp_path: Path) -> None:
    nlp = pipeline(model)
    texts = ["The bank.", "", "A river runs."]
    documents = list(nlp.pipe(texts, batch_size=2))
    assert [doc.tensor.shape for doc in documents] == [(3, 32), (0, 32), (4, 32)]
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    np.testing.assert_array_equal(again(texts[0]).tensor, documents[0].tensor)
