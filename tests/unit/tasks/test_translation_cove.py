"""CoVe is the translator's encoder: the same states, wherever the vectors are asked for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from elmokit import Encoder
from elmokit.cli.inspect import facts_of
from elmokit.errors import ConfigError, ModelError
from elmokit.interop.bilm_hdf5 import write_bilm
from elmokit.interop.loading import load as load_any
from elmokit.interop.onnx import export_onnx
from elmokit.interop.word_vectors import static_model
from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoModel, ElmoTokenizer
from elmokit.models.loading import load_config
from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.static.vectors import WordVectors
from elmokit.tasks.inputs.layer_store import layer_store
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.translation.cove import save_cove
from helpers.engines import engine_of

WORDS = ["ein", "Hund", "rennt", "."]
SENTENCES = [["ein", "Hund", "rennt", "."], ["Hund"], [], ["ein", "Neuling", "rennt"]]


def translator(folder: Path, **overrides: Any) -> ElmoForTranslation:
    """A translator on static vectors, its mix away from 1."""
    found = static_model(WordVectors(WORDS, np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)))
    values = {**asdict(found.model.config), "head_hidden_dim": 6, "head_layers": 2, "n_target_pieces": 9}
    torch.manual_seed(0)
    model = ElmoForTranslation(ElmoConfig.checked({**values, **overrides})).eval()
    model.elmo.load_state_dict(found.model.state_dict())
    with torch.no_grad():
        model.mix.scale.fill_(1.7)
        model.mix.gamma.fill_(0.6)
    model.save_pretrained(folder)
    ElmoTokenizer(word_rows=found.rows).save_pretrained(folder)
    return model


def states(model: ElmoForTranslation, tokenizer: ElmoTokenizer) -> list[np.ndarray[Any, Any]]:
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt", is_split_into_words=True)
    with torch.no_grad():
        memory, _ = model.network._read(batch["char_ids"], batch["attention_mask"], None, None)
    return [row[: len(words)].numpy() for row, words in zip(memory.states, SENTENCES, strict=True)]


def test_the_top_layer_is_the_encoder_of_the_translator(tmp_path: Path) -> None:
    model = translator(tmp_path / "translator")
    save_cove(tmp_path / "translator", tmp_path / "cove")
    encoder = Encoder.from_pretrained(tmp_path / "cove")
    assert (encoder.n_layers, encoder.dim) == (2, 12)
    tops = encoder.encode(SENTENCES, layers="top", is_split_into_words=True)
    for top, expected in zip(tops, states(model, ElmoTokenizer.from_pretrained(tmp_path / "translator")), strict=True):
        np.testing.assert_allclose(top, expected, atol=1e-6)
    words = encoder.encode(SENTENCES, layers=0, is_split_into_words=True)
    table = model.elmo.token_encoder.embedding.weight[1:5].detach().numpy()
    np.testing.assert_allclose(words[0], np.concatenate([table, table], axis=1))


def test_every_reader_of_models_agrees(tmp_path: Path) -> None:
    translator(tmp_path / "translator")
    save_cove(tmp_path / "translator", tmp_path / "cove")
    found = load_any(tmp_path / "cove")
    expected = Encoder.from_pretrained(tmp_path / "cove").encode(SENTENCES, is_split_into_words=True)
    model = ElmoModel.from_pretrained(tmp_path / "cove").eval()
    batch = ElmoTokenizer.from_pretrained(tmp_path / "cove")(
        SENTENCES, padding=True, return_tensors="pt", is_split_into_words=True
    )
    with torch.no_grad():
        layers = model(**batch).hidden_states
    tokens = tokenize([SENTENCES[0], SENTENCES[1], SENTENCES[3]], max_words=9, word_rows=found.rows)
    stored, _ = layer_store(found.model, tokens, cache=tmp_path, progress=False).batch(np.arange(3))
    for row, cached in ((0, 0), (1, 1), (3, 2)):
        count = len(SENTENCES[row])
        for layer in range(2):
            np.testing.assert_allclose(layers[layer][row, :count].numpy(), expected[row][layer], atol=1e-6)
            np.testing.assert_allclose(stored[cached, layer, :count].float().numpy(), expected[row][layer], atol=2e-3)


def test_a_text_of_any_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator(tmp_path / "translator")
    save_cove(tmp_path / "translator", tmp_path / "cove")
    encoder = Encoder.from_pretrained(tmp_path / "cove")
    text = WORDS * 20
    (whole,) = encoder.encode([text], layers="top", is_split_into_words=True)
    monkeypatch.setattr(engine_of(encoder), "words_per_batch", 10)
    (again,) = encoder.encode([text], layers="top", is_split_into_words=True)
    np.testing.assert_allclose(again, whole, atol=1e-6)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"head_hidden_dim": 5}, r"has 5 units a direction, its word vectors 6 numbers: .*head_hidden_dim=6"),
        ({"mix_layer_norm": True}, "reads more than word vectors: CoVe needs one on a model of static vectors"),
    ],
)
def test_what_cannot_be_kept_is_told(tmp_path: Path, overrides: dict[str, Any], problem: str) -> None:
    translator(tmp_path / "translator", **overrides)
    with pytest.raises(ConfigError, match=problem):
        save_cove(tmp_path / "translator", tmp_path / "cove")
    assert not (tmp_path / "cove").exists()


def test_no_translator_no_place_and_no_carried_state(tmp_path: Path) -> None:
    model = translator(tmp_path / "translator")
    assert isinstance(model, nn.Module)
    save_cove(tmp_path / "translator", tmp_path / "cove")
    with pytest.raises(ModelError, match="cove exists"):
        save_cove(tmp_path / "translator", tmp_path / "cove")
    with pytest.raises(ModelError, match="contains no translator"):
        save_cove(tmp_path / "cove", tmp_path / "other")
    with pytest.raises(ConfigError, match="carries no state"):
        Encoder.from_pretrained(tmp_path / "cove", state="carry")
    with pytest.raises(ConfigError, match="expected n_layers 1"):
        ElmoConfig.checked({"context_layers": 2, "n_layers": 2})
    assert load_config(tmp_path / "cove").context_layers == 2


def test_what_wants_a_language_model_refuses_it(tmp_path: Path) -> None:
    translator(tmp_path / "translator")
    save_cove(tmp_path / "translator", tmp_path / "cove")
    found = load_any(tmp_path / "cove")
    with pytest.raises(ConfigError, match="export to ONNX takes a biLM"):
        export_onnx(found.model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="the format of bilm-tf has no encoder of a translator"):
        write_bilm(found.model, found.rows, tmp_path / "bilm")
    with pytest.raises(ConfigError, match="carries no state: leave out --warm-text"):
        load_any(tmp_path / "cove", warm_text=[["Hund"]])
    config = load_config(tmp_path / "cove")
    config.vocab_size = 20
    with pytest.raises(ModelError, match="is no language model"):
        _ = ElmoForPreTraining(config).bilm
    assert facts_of(found)["layers"] == "the encoder of a translator (2 LSTM layers) and the token layer"
