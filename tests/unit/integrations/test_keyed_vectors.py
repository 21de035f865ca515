"""Vectors of words in gensim."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("gensim", reason="pip install '.[static]' to test KeyedVectors")

from elmokit import Encoder
from elmokit.errors import DataError
from elmokit.integrations.keyed_vectors import keyed_vectors

ENCODER = Encoder.from_pretrained("elmo-mini", backend="onnx")


def test_they_are_the_token_layer() -> None:
    words = ["river", "stream", "Monday", "river", "rivers"]
    found = keyed_vectors(ENCODER, words)
    assert found.index_to_key == ["river", "stream", "Monday", "rivers"]
    layer = ENCODER.encode(["river"], layers=0, is_split_into_words=True)
    np.testing.assert_allclose(np.tile(found["river"], 2), layer[0], atol=1e-6)
    cosine = float(ENCODER.similarity(found["river"], found["rivers"])[0, 0])
    assert found.similarity("river", "rivers") == pytest.approx(cosine, abs=1e-5)


def test_no_word() -> None:
    with pytest.raises(DataError, match="there is no word"):
        keyed_vectors(ENCODER, [])
