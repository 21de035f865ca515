"""One sentence or many, and the arguments that have sentence-transformers' names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit import Encoder
from elmokit.encode.outcome import quantized
from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.text.words import Word

torch.manual_seed(3)
ENCODER = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
TEXTS = ["He sat.", "The bank of the river", ""]


def test_one_text_gives_one_array() -> None:
    (listed,) = ENCODER.encode(["He sat."])
    one = ENCODER.encode("He sat.")
    assert isinstance(one, np.ndarray)
    np.testing.assert_array_equal(one, listed)
    assert ENCODER.encode("He sat.", level="sentence", layers="top").shape == (32,)
    assert ENCODER.encode("", layers="top").shape == (0, 32)


def test_one_list_of_words_gives_one_array() -> None:
    words: Any
    for words in (["He", "sat", "."], ("He", "sat", "."), np.array(["He", "sat", "."])):
        one = ENCODER.encode(words, is_split_into_words=True)
        np.testing.assert_allclose(one, ENCODER.encode("He sat."), atol=1e-6)
    assert [each.shape[1] for each in ENCODER.encode(["He", "sat"])] == [1, 1]  # a list of texts stays one
    assert [each.shape[1] for each in ENCODER.encode([["He", "sat"]], is_split_into_words=True)] == [2]
    assert ENCODER.encode([], is_split_into_words=True) == []


def test_positions_of_one_sentence() -> None:
    whole = ENCODER.encode("The bank of the river", layers="top")
    for positions in ([1, -1], iter([1, -1]), [[1, -1]]):
        found = ENCODER.encode("The bank of the river", layers="top", positions=positions)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, whole[[1, -1]], atol=1e-6)


def test_lists_that_mix_texts_and_words() -> None:
    with pytest.raises(ValueError, match="expects lists of words; got the text 'b c'"):
        ENCODER.encode([["a"], "b c"], is_split_into_words=True)


def test_normalized_vectors() -> None:
    words = ENCODER.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(np.linalg.norm(words[1], axis=-1), 1, atol=1e-6)
    whole = ENCODER.encode(TEXTS, level="sentence", layers="top", normalize_embeddings=True)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=-1), [1, 1, 0], atol=1e-6)


def test_tensors() -> None:
    (one, *_), array = ENCODER.encode(TEXTS, convert_to_tensor=True), ENCODER.encode(TEXTS)[0]
    assert isinstance(one, torch.Tensor)
    assert str(one.device) == ENCODER.device == "cpu"
    np.testing.assert_array_equal(one.numpy(), array)
    whole = ENCODER.encode(TEXTS, convert_to_tensor=True, level="sentence", layers="top")
    assert whole.shape == (3, 32)


def test_output_value_names_the_level() -> None:
    whole = ENCODER.encode(TEXTS, output_value="sentence_embedding", layers="top")
    np.testing.assert_array_equal(whole, ENCODER.encode(TEXTS, level="sentence", layers="top"))
    words = ENCODER.encode(TEXTS, output_value="token_embeddings", layers="top")
    everything = ENCODER.encode((text for text in TEXTS), output_value=None, layers="top", pooling="max")
    rows = ENCODER.encode(TEXTS, level="sentence", layers="top", pooling="max")
    for each, vectors, row in zip(everything, words, rows, strict=True):
        np.testing.assert_array_equal(each["token_embeddings"], vectors)
        np.testing.assert_array_equal(each["sentence_embedding"], row)
    assert set(ENCODER.encode("He sat.", output_value=None)) == {"token_embeddings", "sentence_embedding"}
    with pytest.raises(ConfigError, match=r"Unknown output_value 'tokens'\. Expected 'sentence_embedding', 'token_emb"):
        ENCODER.encode("a", output_value="tokens")  # type: ignore[call-overload]


def test_precisions() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    assert quantized(vectors, "float32") is vectors
    for precision, low in (("uint8", 0), ("int8", -128)):
        narrow = quantized(vectors, precision)  # type: ignore[arg-type]
        assert (str(narrow.dtype), narrow.min(), narrow.max()) == (precision, low, low + 255)
        steps = (vectors.max(axis=0) - vectors.min(axis=0)) / 255
        assert np.abs((narrow.astype(float) - low) * steps + vectors.min(axis=0) - vectors).max() <= steps.max() + 1e-6
    bits = quantized(vectors, "ubinary")
    np.testing.assert_array_equal(np.unpackbits(bits, axis=1)[:, :10], vectors > 0)
    np.testing.assert_array_equal(quantized(vectors, "binary"), bits.astype(int) - 128)
    same = quantized(np.ones((3, 4), np.float32), "int8")
    assert (same == -128).all()


def test_precision_of_a_call(caplog: pytest.LogCaptureFixture) -> None:
    found = ENCODER.encode(TEXTS, level="sentence", layers="top", precision="int8")
    assert found.dtype == np.int8
    assert "only 3 texts" in caplog.text
    assert ENCODER.encode("a", level="sentence", layers="top", precision="binary").shape == (4,)
    for wrong, told in (
        ({"precision": "int4"}, r"Unknown precision 'int4'\. Expected one of: float32, int8"),
        ({"precision": "int8", "layers": "top"}, "'int8' is of sentence vectors"),
        ({"precision": "int8", "level": "sentence"}, "takes one vector per sentence"),
        ({"precision": "int8", "level": "sentence", "layers": "top"}, "expected at least 2, got 1"),
    ):
        with pytest.raises(ConfigError, match=told):
            ENCODER.encode("a", **wrong)  # type: ignore[call-overload]


def test_similarity() -> None:
    vectors = ENCODER.encode(TEXTS[:2], level="sentence", layers="top")
    expected = vectors @ vectors.T / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    np.testing.assert_allclose(ENCODER.similarity(vectors, vectors), expected, atol=1e-6)
    np.testing.assert_allclose(ENCODER.similarity(vectors[0], vectors), expected[:1], atol=1e-6)
    np.testing.assert_allclose(ENCODER.similarity(list(vectors), torch.from_numpy(vectors)), expected, atol=1e-6)
    np.testing.assert_allclose(ENCODER.similarity_pairwise(vectors, vectors[::-1]), expected[0, 1].repeat(2), atol=1e-6)
    with pytest.raises(ValueError, match=r"has the shape \(1, 3, 32\); expected vectors"):
        ENCODER.similarity(vectors, ENCODER.encode("a b c")[:1])
    with pytest.raises(ValueError, match="as many vectors on both sides"):
        ENCODER.similarity_pairwise(vectors, vectors[0])


def test_words_with_offsets() -> None:
    text = "  Mr. Smith can't\nstay."
    words = ENCODER.words(text, offsets=True)
    assert words[0] == Word("Mr.", 2, 5)
    assert [text[word.start : word.end] for word in words] == [word.text for word in words] == ENCODER.words(text)
    assert ENCODER.words(text, offsets=True, pre_split=True)[-1] == Word("stay.", 18, 23)
    cleaning = Encoder(ElmoModel(ElmoConfig.preset("tiny", text_steps=["lower_case"])))
    assert cleaning.words("A b") == ["a", "b"]
    with pytest.raises(ConfigError, match=r"cleans its text first \(lower_case\)"):
        cleaning.words("A b", offsets=True)


def test_devices() -> None:
    assert Encoder(ENCODER.model, device="cpu").device == "cpu"
    with pytest.raises(ConfigError, match=r"Unknown device 'tpu'\. Expected 'cpu', 'cuda', 'cuda:N' or 'mps'"):
        Encoder.from_pretrained("elmo-mini", device="tpu", backend="torch")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"no device 'cuda:1' that PyTorch can use here; there is: .*cpu"):
            Encoder.from_pretrained("elmo-mini", device="cuda:1", backend="torch")


def test_repr() -> None:
    assert repr(ENCODER) == "Encoder(layers=3, dim=32, state='zero', backend='torch', device='cpu')"
    named = repr(Encoder.from_pretrained("elmo-mini", backend="onnx"))
    assert re.fullmatch(r"Encoder\('elmo-mini', layers=3, dim=512, state='zero', backend='onnx', device='cpu'\)", named)


def test_folder_is_the_old_name_of_saved(tmp_path: Path) -> None:
    model = ElmoModel(ElmoConfig.preset("tiny"))
    model.save_pretrained(tmp_path)
    (tmp_path / "word_counts.txt").write_text("the\t5\nbank\t1\n")
    with pytest.warns(
        DeprecationWarning, match=r"Encoder\(folder=…\) is deprecated: pass saved=SavedModel\.open\(folder\)"
    ):
        encoder = Encoder(model, folder=tmp_path)
    assert encoder.default_pooling == "weighted"
