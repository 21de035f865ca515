"""Word similarity: rank correlation on pairs that every model knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from elmokit import Encoder
from elmokit.analysis.similarity import alone, context_free, rank_correlation, read_pairs, static
from elmokit.errors import DataError
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.static.vectors import WordVectors


def test_ranks_that_agree_and_the_pairs_left_out(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("a b 9\na c 5.5\na d 1\na unknown 3\n\n", encoding="utf-8")
    pairs = read_pairs(tmp_path / "s.txt")
    angles = np.array([0.0, 0.1, 0.8, 2.0])
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    torch.manual_seed(0)
    models = {
        "good": static(WordVectors("abcd", matrix)),
        "bad": static(WordVectors("adcb", matrix)),
        "any word": context_free(Encoder(ElmoModel(ElmoConfig.preset("tiny")))),
    }
    found = rank_correlation(pairs, models)
    assert (found.pairs, found.all_pairs) == (3, 4)
    assert found.rho["good"] == pytest.approx(1.0)
    assert found.rho["bad"] == pytest.approx(-1.0)
    assert -1 <= found.rho["any word"] <= 1
    with pytest.raises(DataError, match="0 of 4 pairs are known"):
        rank_correlation(pairs, {"none": static(WordVectors(["z"], np.ones((1, 2), np.float32)))})


def test_another_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("a b 9\na b\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected word1 word2 score"):
        read_pairs(tmp_path / "s.txt")


def test_words_alone_have_every_layer() -> None:
    torch.manual_seed(0)
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    lookups = alone(encoder, ["heron", "reed", "heron"])
    assert len(lookups) == encoder.n_layers
    (expected,) = encoder.encode([["reed"]], is_split_into_words=True)  # (L, 1, D)
    for layer, lookup in enumerate(lookups):
        found = lookup("reed")
        assert found is not None
        np.testing.assert_allclose(found, expected[layer, 0], atol=1e-6)
    with pytest.raises(KeyError, match="marsh"):
        lookups[0]("marsh")
