"""Vectors of sentences against NumPy: poolings, word weights, the common component by an SVD; vectors of positions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit import Encoder
from elmokit.encode.common_component import COMPONENT_FILE, CommonComponent
from elmokit.encode.word_weights import COUNTS_FILE, WordWeights
from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel
from elmokit.text.vocab import Vocabulary

torch.manual_seed(5)
MODEL = ElmoModel(ElmoConfig.preset("tiny"))
COUNTS = {"the": 90, "bank": 6, "river": 4}
TEXTS = ["The bank of the river.", "", "A pitch!", "the the the bank"]
LAYERS: list[Any] = ["all", "top", "average", "mix", "concat", 1, [0, 2]]


def weighted() -> Encoder:
    encoder = Encoder(MODEL)
    encoder.word_weights = WordWeights(COUNTS)
    return encoder


ENCODER = weighted()


@pytest.mark.parametrize("layers", LAYERS)
def test_poolings(layers: Any) -> None:
    tokens = ENCODER.encode(TEXTS, layers=layers)
    words = [ENCODER.words(text) for text in TEXTS]
    for pooling in ("mean", "max", "mean+max", "weighted"):
        found = ENCODER.encode(TEXTS, layers=layers, level="sentence", pooling=pooling)
        assert found.dtype == np.float32
        assert found.shape == (4, *ENCODER.sentence_shape(layers=layers, pooling=pooling))
        assert not found[1].any()
        for number in (0, 2, 3):
            array, weights = tokens[number], ENCODER.word_weights(words[number])  # type: ignore[misc]
            mean, most = array.mean(axis=-2), array.max(axis=-2)
            expected = {
                "mean": mean, "max": most, "mean+max": np.concatenate([mean, most], axis=-1),
                "weighted": np.average(array, axis=-2, weights=weights),
            }[pooling]  # fmt: skip
            np.testing.assert_allclose(found[number], expected, atol=1e-5, err_msg=pooling)


def test_a_frequent_word_weighs_little_in_any_case() -> None:
    the, capitals, bank, unseen = WordWeights(COUNTS)(["the", "THE", "bank", "zebra"])
    assert the == capitals == pytest.approx(math.log(1 + 100 / 90) ** 1.5)
    assert bank == pytest.approx(math.log(1 + 100 / 6) ** 1.5)
    assert unseen == pytest.approx(math.log(1 + 100 / 4) ** 1.5)  # as rare as the rarest


def saved(folder: Path, counts: dict[str, int]) -> Path:
    MODEL.save_pretrained(folder)
    Vocabulary.from_counts(counts).save(folder / "vocab.txt")
    return folder


def test_counts_come_from_the_models_folder(tmp_path: Path) -> None:
    expected = ENCODER.encode(TEXTS, level="sentence", pooling="weighted")
    encoder = Encoder.from_pretrained(saved(tmp_path, COUNTS))
    np.testing.assert_allclose(encoder.encode(TEXTS, level="sentence", pooling="weighted"), expected, atol=1e-6)
    WordWeights({"bank": 99, "the": 1}).save(tmp_path)  # word_counts.txt goes first
    assert (tmp_path / COUNTS_FILE).read_text(encoding="utf-8") == "bank\t99\nthe\t1\n"
    found = Encoder.from_pretrained(tmp_path).encode(TEXTS, level="sentence", pooling="weighted")
    assert not np.allclose(found, expected, atol=1e-3)


def test_the_default_is_weighted_where_there_are_counts() -> None:
    for encoder, pooling in ((ENCODER, "weighted"), (Encoder(MODEL), "mean")):
        expected = encoder.encode(TEXTS, level="sentence", pooling=pooling)  # type: ignore[call-overload]
        np.testing.assert_array_equal(encoder.encode(TEXTS, level="sentence"), expected)


def test_a_model_without_counts(tmp_path: Path) -> None:
    MODEL.save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("<S>\n</S>\n<UNK>\nthe\n")  # as of bilm-tf: words alone
    for encoder in (Encoder(MODEL), Encoder.from_pretrained(tmp_path)):
        with pytest.raises(ModelError, match=r"'weighted' needs word counts.*word_counts\.txt"):
            encoder.encode(["a"], level="sentence", pooling="weighted")


@pytest.mark.parametrize(
    ("content", "message"), [("the 9\n", "line 1: expected word<TAB>count"), ("a\t0\n", "above 0")]
)
def test_damaged_counts(tmp_path: Path, content: str, message: str) -> None:
    MODEL.save_pretrained(tmp_path)
    (tmp_path / COUNTS_FILE).write_text(content)
    with pytest.raises(ModelError, match=message):
        Encoder.from_pretrained(tmp_path).encode(["a"], level="sentence", pooling="weighted")


SENTENCES = [f"word{number} of the bank {'.' * (number % 4)} in {number % 7}" for number in range(40)]


@pytest.mark.parametrize("layers", LAYERS)
def test_the_common_component_is_the_first_singular_vector(layers: Any) -> None:
    encoder = weighted()
    encoder.fit_common_component([*SENTENCES, ""], batch_size=16)
    for pooling in ("mean", "max", "weighted", "mean+max"):
        options: dict[str, Any] = {"level": "sentence", "pooling": pooling, "layers": layers}
        before = encoder.encode(SENTENCES, **options)
        after = encoder.encode(SENTENCES, **options, remove_common_component=True)
        blocks = before.reshape(40, -1, 32)  # layers and halves, each with a component of its own
        expected = np.empty_like(blocks)
        for block in range(blocks.shape[1]):
            direction = np.linalg.svd(blocks[:, block].astype(np.float64), full_matrices=False)[2][0]
            expected[:, block] = blocks[:, block] - np.outer(blocks[:, block] @ direction, direction)
        np.testing.assert_allclose(after, expected.reshape(before.shape), atol=1e-4, err_msg=pooling)


def test_the_common_component_is_a_file_of_the_model(tmp_path: Path) -> None:
    folder = saved(tmp_path, COUNTS)
    encoder = Encoder.from_pretrained(folder)
    encoder.fit_common_component(SENTENCES).save(folder)
    expected = encoder.encode(TEXTS, level="sentence", remove_common_component=True)
    again = Encoder.from_pretrained(folder)
    np.testing.assert_array_equal(again.encode(TEXTS, level="sentence", remove_common_component=True), expected)
    assert not np.allclose(again.encode(TEXTS, level="sentence"), expected, atol=1e-3)
    (folder / COMPONENT_FILE).write_bytes(b"cut off")
    with pytest.raises(ModelError, match=f"{COMPONENT_FILE} cannot be read"):
        Encoder.from_pretrained(folder).encode(TEXTS, level="sentence", remove_common_component=True)


def test_the_trained_mix_has_a_component_of_its_own(tmp_path: Path) -> None:
    torch.manual_seed(1)
    ElmoForSequenceClassification(ElmoConfig.preset("tiny", mix_weights=[0.1, 0.2, 0.7])).save_pretrained(tmp_path)
    encoder = Encoder.from_pretrained(tmp_path)
    component = encoder.fit_common_component(SENTENCES)
    assert component.directions["mean"].shape == (5, 32)  # three layers, average, mix
    mixed = encoder.encode(SENTENCES, layers="mix", level="sentence")
    removed = encoder.encode(SENTENCES, layers="mix", level="sentence", remove_common_component=True)
    direction = np.linalg.svd(mixed, full_matrices=False)[2][0]
    np.testing.assert_allclose(removed, mixed - np.outer(mixed @ direction, direction), atol=1e-4)


def test_a_component_that_does_not_fit() -> None:
    encoder = Encoder(MODEL)
    with pytest.raises(ModelError, match="no common component to remove: fit one"):
        encoder.encode(["a"], level="sentence", remove_common_component=True)
    with pytest.raises(DataError, match="2 sentences; expected at least 10"):
        encoder.fit_common_component(["a", "b", ""])
    encoder.common_component = CommonComponent({"mean": np.zeros((2, 32), dtype=np.float32)})
    with pytest.raises(ModelError, match=r"expected \(4, 32\) for mean, got \(2, 32\); fit it again"):
        encoder.encode(["a"], level="sentence", pooling="mean", remove_common_component=True)


def test_options_of_the_other_level() -> None:
    with pytest.raises(ConfigError, match=r"Unknown pooling 'sum'\. Expected one of: mean, max"):
        ENCODER.encode(["a"], level="sentence", pooling="sum")  # type: ignore[call-overload]
    for options in ({"pooling": "max"}, {"remove_common_component": True}):
        with pytest.raises(ConfigError, match="applies to sentence vectors: expected level 'sentence'"):
            ENCODER.encode(["a"], **options)  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="positions select words: expected level 'token'"):
        ENCODER.encode(["a"], level="sentence", positions=[[0]])  # type: ignore[call-overload]


WORDS = st.sampled_from(["the", "bank", "river", "of", "Zürich", "."])


@given(st.lists(st.lists(WORDS, min_size=1, max_size=9), max_size=6), st.integers(1, 4), st.data())
def test_positions_are_rows_of_the_whole(sentences: list[list[str]], batch_size: int, data: st.DataObject) -> None:
    wanted = [data.draw(st.lists(st.integers(-len(sentence), len(sentence) - 1), max_size=4)) for sentence in sentences]
    for layers in ("all", "top", "concat", [0, 2]):
        whole = ENCODER.encode(sentences, layers=layers, is_split_into_words=True)
        found = ENCODER.encode(
            sentences, layers=layers, positions=wanted, batch_size=batch_size, is_split_into_words=True
        )
        for array, full, positions in zip(found, whole, wanted, strict=True):
            np.testing.assert_allclose(array, full[..., positions, :], atol=1e-5)


def test_positions_that_are_not_there() -> None:
    sentences = [["a", "b"], ["c"]]
    for positions, message in (
        ([[0], [1]], "positions of sentence 1: there is no word 1; the sentence has 1 words, the first is 0"),
        ([[-3], [0]], "positions of sentence 0: there is no word -3"),
        ([[0]], "positions has 1 lists, but there are more sentences"),
        ([[0], [0], [0]], "more lists than the 2 sentences"),
        ([["a"], [0]], "positions of sentence 0: expected the number of a word, got 'a'"),
    ):
        with pytest.raises(DataError, match=message):
            ENCODER.encode(sentences, positions=positions, is_split_into_words=True)  # type: ignore[call-overload, arg-type]
