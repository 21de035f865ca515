"""New weights for a char CNN and a table of words, from static vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from elmokit.cosines import cosines
from elmokit.errors import ConfigError
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.token_encoders import WordCharEncoder, WordEmbedding
from elmokit.static.vectors import WordVectors
from elmokit.text.word_rows import WordByteRows
from growing.spelling import TeachingConfig
from growing.word_table import fill, moved_vectors, table_words

WORDS = [f"word{number}" for number in range(60)]
READS = WordByteRows({word: number for number, word in enumerate(WORDS[:40])})


def encoder(words: int, size: int) -> WordCharEncoder:
    """Words of its table, numbers of each; token vectors have 12."""
    characters = CharCNN(
        n_characters=262, embedding_dim=4, filters=[[1, 8], [2, 8]], n_highway=1, projection_dim=None,
        activation="relu", max_characters=50, padding=261,
    )  # fmt: skip
    found = WordCharEncoder(words=WordEmbedding(n_words=words + 1, dim=size), characters=characters, projection_dim=12)
    assert found.word_table is not None
    with torch.no_grad():
        found.word_table.weight[1:].normal_()
    return found.eval()


@pytest.fixture
def trained() -> WordCharEncoder:
    torch.manual_seed(2)
    return encoder(40, 6)


@pytest.fixture
def static() -> WordVectors:
    return WordVectors(WORDS, np.random.default_rng(1).normal(size=(60, 6)).astype(np.float32))


def test_words_move_from_what_the_model_has_of_them_to_their_static_vectors(
    trained: WordCharEncoder, static: WordVectors
) -> None:
    rows = torch.from_numpy(READS(WORDS))
    spelled = rows.clone()
    spelled[:, 0] = 0
    with torch.no_grad():
        own, by_spelling = trained(rows), trained(spelled)
    kept = moved_vectors(trained, READS, static, share=0)
    torch.testing.assert_close(kept[:40], own[:40])
    moved = (moved_vectors(trained, READS, static, share=1) - by_spelling).numpy()
    apart = [cosines(each - each.mean(axis=0))[np.triu_indices(60, 1)] for each in (moved, static.matrix)]
    assert np.corrcoef(apart[0], apart[1])[0, 1] > 0.97  # their means are taken over different weights


def test_static_vectors_of_other_words_are_refused(trained: WordCharEncoder) -> None:
    others = WordVectors(["other", "words"], np.ones((2, 6), dtype=np.float32))
    with pytest.raises(ConfigError, match="no word of the static vectors is in the table"):
        moved_vectors(trained, READS, others, share=0.5)


def test_table_and_spelling_together_have_the_vectors(trained: WordCharEncoder, static: WordVectors) -> None:
    targets = moved_vectors(trained, READS, static, share=0.5)
    missed = {}
    for size in (3, 12):
        new = encoder(50, size)
        missed[size] = fill(new, trained, WORDS[:50], targets, static, TeachingConfig(updates=40, batch_words=32))
        rows = WordByteRows({word: number for number, word in enumerate(WORDS[:50])})
        with torch.no_grad():
            found = new(torch.from_numpy(rows(WORDS[:50])))
        if size == 12:
            torch.testing.assert_close(found, targets[:50], atol=1e-4, rtol=0)
    assert missed[12].table < 1e-6 < missed[3].table < missed[3].spelling


def test_words_of_a_table_differ_by_more_than_their_case_but_for_the_most_frequent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("growing.word_table._AS_WRITTEN", 3)
    words = ["the", "The", "of", "OF", "Bank", "bank", "to"]
    vectors = WordVectors(words, np.zeros((7, 2), dtype=np.float32))
    assert table_words(vectors, 10) == ["the", "The", "of", "Bank", "to"]
    assert table_words(vectors, 4) == ["the", "The", "of", "Bank"]
