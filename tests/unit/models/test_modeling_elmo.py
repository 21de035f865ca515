"""`ElmoModel`: markers, padding, distinct words, loading and initialisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoModel

from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.text.char_ids import char_ids, marker_char_ids

pytestmark = pytest.mark.usefixtures("code_path")

TOKENIZER = ElmoTokenizer()
VOCABULARY = ["a", "the", "bank", "river", "Übermut", "x" * 80, "", "."]


def tiny(**overrides: object) -> ElmoModel:
    torch.manual_seed(3)
    return ElmoModel(ElmoConfig.preset("tiny", **overrides)).eval()


MODEL = tiny()


def encode(sentences: list[list[str]]) -> dict[str, Tensor]:
    return dict(TOKENIZER(sentences, is_split_into_words=True, padding=True, return_tensors="pt"))


def by_hand(model: ElmoModel, words: list[str]) -> list[Tensor]:
    """One sentence, every position through the char CNN, markers put on and taken off here."""
    begin, end = torch.from_numpy(marker_char_ids()).split(1)
    chars = torch.cat([begin, torch.from_numpy(char_ids(words)), end])
    tokens = model.token_vectors(chars)
    layers, _ = model.bilm(tokens[None], [len(chars)])
    return [torch.cat([tokens, tokens], dim=1)[1:-1], *(layer[0, 1:-1] for layer in layers)]


@given(st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=6), min_size=1, max_size=5))
def test_equals_each_sentence_alone_in_any_batch(sentences: list[list[str]]) -> None:
    with torch.no_grad():
        output = MODEL(**encode(sentences))
        for row, words in enumerate(sentences):
            expected = torch.stack(by_hand(MODEL, words))
            hidden = torch.stack(output.hidden_states)[:, row]
            torch.testing.assert_close(hidden[:, : len(words)], expected, atol=1e-5, rtol=0)
            assert not hidden[:, len(words) :].any()
            assert output.mask[row].sum() == len(words)


def test_shapes_and_layer_0_is_the_token_vector_twice() -> None:
    batch = encode([["a", "bank"], ["the", "river", "."]])
    output = MODEL(**batch)
    assert [tuple(layer.shape) for layer in output.hidden_states] == [(2, 3, 32)] * 3
    assert torch.equal(output.last_hidden_state, output.hidden_states[-1])
    tokens = MODEL.token_vectors(batch["char_ids"][1])
    torch.testing.assert_close(output.hidden_states[0][1], torch.cat([tokens, tokens], dim=1))


def test_one_direction() -> None:
    model = tiny(directions=1)
    assert [layer.shape[2] for layer in model(**encode([["a", "bank"]])).hidden_states] == [16, 16, 16]


def test_a_batch_of_empty_sentences_has_no_words() -> None:
    assert MODEL(torch.zeros(2, 0, 50, dtype=torch.long)).last_hidden_state.shape == (2, 0, 32)
    assert not MODEL(torch.zeros(2, 3, 50, dtype=torch.long)).mask.any()


def test_padding_may_stand_before_the_words() -> None:
    right = encode([["a", "bank"], ["the", "river", "."]])
    left = {key: value.clone() for key, value in right.items()}
    for value in left.values():
        value[0] = value[0].roll(1, dims=0)
    a, b = MODEL(**right).last_hidden_state, MODEL(**left).last_hidden_state
    torch.testing.assert_close(b[0, 1:], a[0, :2])
    torch.testing.assert_close(b[1], a[1])


def test_each_distinct_word_goes_through_the_char_cnn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen = tiny(), []
    original = model.network.token_vectors
    monkeypatch.setattr(model.network, "token_vectors", lambda chars: seen.append(len(chars)) or original(chars))
    model(**encode([["a", "the", "a"], ["a", "the"]]))
    assert seen == [2 + 2]


def test_gradients_of_repeated_words_are_summed() -> None:
    model = tiny(dropout=0.0)
    sentence = ["bank", "a", "bank"]
    model(**encode([sentence])).last_hidden_state.square().sum().backward()
    ours = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    model.zero_grad()
    by_hand(model, sentence)[-1].square().sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, atol=1e-6, rtol=1e-4, msg=name)


@pytest.mark.parametrize("cell_dim", [16, 32])
def test_saved_and_loaded_bit_for_bit(tmp_path: Path, cell_dim: int) -> None:
    model = tiny(cell_dim=cell_dim)
    assert (cell_dim == 16) == (model.bilm.layers[0].weight_projection is None)  # as wide as the cell: left out
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert isinstance(loaded, ElmoModel)
    _same_weights(loaded, model)
    batch = encode([["a", "bank"]])
    torch.testing.assert_close(loaded(**batch).last_hidden_state, model(**batch).last_hidden_state, rtol=0, atol=1e-6)


def _same_weights(one: nn.Module, other: nn.Module) -> None:
    """Bit for bit. What is computed from them may differ in the last bit with their place in memory (AMD)."""
    theirs = other.state_dict()
    assert one.state_dict().keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_loads_in_half_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    MODEL.save_pretrained(tmp_path)
    loaded = ElmoModel.from_pretrained(tmp_path, dtype=dtype)
    batch = encode([["a", "bank", "river"]])
    output = loaded(**batch).last_hidden_state
    assert output.dtype == dtype
    torch.testing.assert_close(output.float(), MODEL(**batch).last_hidden_state, atol=5e-3, rtol=2e-2)


def test_nothing_is_lost_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = ElmoModel(ElmoConfig.preset("tiny"))
    assert all(tensor.is_meta for tensor in model.state_dict().values())
    persistent = set(model.state_dict())
    assert {name for name, _ in model.named_buffers()} <= persistent
    plain = [
        name
        for module in model.modules()
        for name, value in vars(module).items()
        if isinstance(value, Tensor) and name not in ("_parameters", "_buffers")
    ]
    assert plain == []


def test_initialised_by_the_recipe_of_the_reference() -> None:
    model = tiny(filters=[[1, 64], [3, 128]], n_highway=1)
    encoder = model.token_encoder
    assert not encoder.embedding.weight[0].any()
    assert 0.9 < encoder.embedding.weight.abs().max() <= 1
    assert 0.045 < encoder.convolutions[1].weight.abs().max() <= 0.05
    assert (encoder.highways[0].carry.bias == -2).all()
    assert encoder.highways[0].carry.weight.std().item() == pytest.approx(192**-0.5, rel=0.1)
    assert encoder.projection.weight.std().item() == pytest.approx(192**-0.5, rel=0.1)
    lstm = model.bilm.layers[0]
    assert isinstance(lstm, ProjectedLSTM)
    assert (lstm.bias[:, 64:96] == 1).all()  # gates o, i, f, g


def test_only_what_the_file_lacks_is_drawn(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = tiny()
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    lacking = ("bilm.layers.1.bias", "token_encoder.highways.0.carry.bias")
    for name in lacking:
        weights.pop(name)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded, found = cast(Any, ElmoModel).from_pretrained(tmp_path, output_loading_info=True)
    assert found["missing_keys"] == set(lacking)
    for name, tensor in loaded.state_dict().items():
        if name in weights:
            assert torch.equal(tensor, weights[name]), name
    assert (loaded.bilm.layers[1].bias[:, 64:96] == 1).all()
    assert (loaded.token_encoder.highways[0].carry.bias == -2).all()


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"char_ids is \(2, 3, 40\); expected .* max_characters=50"):
        MODEL(torch.zeros(2, 3, 40, dtype=torch.long))
    with pytest.raises(ValueError, match=r"attention_mask is \(2, 4\); expected \(2, 3\)"):
        MODEL(torch.zeros(2, 3, 50, dtype=torch.long), attention_mask=torch.ones(2, 4))


def test_the_arguments_of_other_models_of_transformers() -> None:
    model = ElmoModel(ElmoConfig.preset("tiny")).eval()
    ids = torch.from_numpy(char_ids(["a", "b"]))[None].long()
    whole = model(ids, output_hidden_states=True, return_dict=True)
    assert len(whole.hidden_states) == model.config.n_layers + 1
    assert model(ids, output_hidden_states=False).hidden_states is None
    top, hidden, mask = model(ids, return_dict=False)
    assert (top == whole.last_hidden_state).all() and len(hidden) == len(whole.hidden_states) and mask.all()
