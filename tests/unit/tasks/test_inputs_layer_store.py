import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from elmokit.errors import ConfigError, ModelError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.tasks.inputs import layer_store as store_module
from elmokit.tasks.inputs.batches import CharDataset, LayerDataset, LengthGroupedSampler, LongestFirstSampler
from elmokit.tasks.inputs.layer_store import layer_store, store_key
from elmokit.tasks.inputs.tokens import tokenize

TEXTS = ["A bank of the river.", "one", "the bank, the bank again and again !", "Zürich 東京"]


@pytest.fixture(scope="module", params=[2, 1], ids=["bilm", "forward-only"])
def model(request: pytest.FixtureRequest) -> ElmoModel:
    torch.manual_seed(0)
    return ElmoModel(ElmoConfig.preset("tiny", directions=request.param)).eval()


def test_tokens_are_cut_and_numbered() -> None:
    tokens = tokenize([*TEXTS, " \x7f "], max_words=4)
    assert tokens.cut == 2
    assert tokens.words(0) == ["A", "bank", "of", "the"]
    assert tokens.words(2) == ["the", "bank", ",", "the"]
    assert tokens.lengths.min() == 1  # a row without words has one too
    assert len(tokens.types) == len(set(tokens.types)) == len(tokens.rows)


def test_the_store_gives_what_the_model_gives(model: ElmoModel, tmp_path: Path) -> None:
    tokens = tokenize(TEXTS, max_words=8)
    store = layer_store(model, tokens, cache=tmp_path, progress=False)
    picked = np.array([2, 0, 1, 3])
    layers, mask = store.batch(picked)
    batch = CharDataset(tokens, rows=picked).__getitems__(range(4))
    with torch.inference_mode():
        expected = torch.stack(model(batch["char_ids"], batch["attention_mask"]).hidden_states, dim=1)
    assert torch.equal(mask, batch["attention_mask"])
    torch.testing.assert_close(layers.float() * mask[:, None, :, None], expected, atol=1e-3, rtol=1e-3)


def test_a_store_is_cut_at_other_places(model: ElmoModel, tmp_path: Path) -> None:
    tokens = tokenize(TEXTS, max_words=8)
    store = layer_store(model, tokens, cache=tmp_path, progress=False)
    words = len(tokens.ids)
    cut = store.cut_at(np.array([0, 1, words]))
    first, _ = store.batch(np.array([0]))
    assert torch.equal(cut.batch(np.array([0]))[0], first[:, :, :1])
    assert torch.equal(cut.batch(np.array([1]))[0][:, :, : first.shape[2] - 1], first[:, :, 1:])
    assert cut.lengths.tolist() == [1, words - 1]
    assert len(store) == len(TEXTS)
    with pytest.raises(ValueError, match=f"The store has {words} words; expected offsets up to there, got 5"):
        store.cut_at(np.array([0, 5]))


def test_products_in_bfloat16_make_a_store_of_their_own(model: ElmoModel, tmp_path: Path) -> None:
    tokens, picked = tokenize(TEXTS, max_words=8), np.arange(4)
    exact = layer_store(model, tokens, cache=tmp_path, progress=False).batch(picked)[0].float()
    rounded = layer_store(model, tokens, cache=tmp_path, precision="bfloat16", progress=False).batch(picked)[0].float()
    assert len(list(tmp_path.iterdir())) == 2
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, atol=0.02 * exact.abs().max().item(), rtol=0.02)


def test_a_store_is_computed_once_and_known_by_what_it_depends_on(
    model: ElmoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = tokenize(TEXTS, max_words=8)
    layer_store(model, tokens, cache=tmp_path, progress=False)
    monkeypatch.delattr(store_module, "_compute")  # a second computation would fail
    assert len(layer_store(model, tokens, cache=tmp_path, progress=False)) == len(TEXTS)
    assert [path.name for path in tmp_path.iterdir()] == [store_key(model, tokens)]
    wider = replace(tokens, rows=tokens.rows.astype(np.int32))  # as beside static vectors
    assert wider.rows.dtype != tokens.rows.dtype
    assert store_key(model, wider) == store_key(model, tokens)
    assert store_key(model, tokenize(TEXTS, max_words=3)) != store_key(model, tokens)
    torch.manual_seed(1)
    assert store_key(ElmoModel(model.config), tokens) != store_key(model, tokens)


def test_a_broken_computation_leaves_nothing(model: ElmoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_chunk_rows", lambda *args, **kwargs: np.full((2, 2), np.nan, np.float16))
    with pytest.raises(ModelError, match="not finite"):
        layer_store(model, tokenize(TEXTS, max_words=8), cache=tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_is_known_before(
    model: ElmoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10))
    with pytest.raises(ConfigError, match=r"need .* GB, .* free: give --cache"):
        layer_store(model, tokenize(TEXTS, max_words=8), cache=tmp_path, progress=False)


def test_batches_carry_the_labels_of_their_rows(model: ElmoModel, tmp_path: Path) -> None:
    tokens = tokenize(TEXTS, max_words=8)
    store = layer_store(model, tokens, cache=tmp_path, progress=False)
    rows, classes = np.array([3, 1]), np.array([7, 5])
    for data in (LayerDataset(store, labels=classes, rows=rows), CharDataset(tokens, labels=classes, rows=rows)):
        batch = data.__getitems__([1, 0])
        assert batch["labels"].tolist() == [5, 7]
        assert batch["attention_mask"].sum(dim=1).tolist() == tokens.lengths[[1, 3]].tolist()


def test_length_groups_are_a_function_of_seed_and_epoch() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 1003)
    sampler = LengthGroupedSampler(lengths, batch_size=8, seed=3)
    first = list(sampler)
    assert sorted(first) == list(range(1003))
    assert list(LengthGroupedSampler(lengths, batch_size=8, seed=3)) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    spread = np.mean([np.ptp(lengths[first[start : start + 8]]) for start in range(0, 1000, 8)])
    assert spread < 10  # of a random order: about 77
    assert list(LongestFirstSampler(np.array([2, 9, 9, 4]))) == [1, 2, 3, 0]


def test_a_limit_keeps_the_newest_layers(
    model: ElmoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first, second = (tokenize([text], max_words=8) for text in TEXTS[:2])
    layer_store(model, first, cache=tmp_path, progress=False)
    assert "has 1 sets of layers now" in caplog.text
    monkeypatch.setenv("ELMOKIT_CACHE_LIMIT", "10B")
    store = layer_store(model, second, cache=tmp_path, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == [store_key(model, second)]  # the own one stays in any case
    assert store.batch(np.array([0]))[1].shape == (1, 1)
    monkeypatch.setenv("ELMOKIT_CACHE_LIMIT", "plenty")
    with pytest.raises(ConfigError, match="ELMOKIT_CACHE_LIMIT is 'plenty'; expected a number of bytes"):
        layer_store(model, first, cache=tmp_path, progress=False)
