"""The drop-in for AllenNLP: its shapes, its mixes, its carried state."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from elmokit import Encoder
from elmokit.errors import ConfigError, ModelError
from elmokit.integrations.allennlp import Elmo, batch_to_ids
from elmokit.integrations.elmo_embedder import ElmoEmbedder
from helpers.published_files import bilm_arrays, bilm_options, write_bilm_files

OPTIONS = bilm_options()
SENTENCES = [["The", "bank"], ["A", "b", "c", "d"], ["x"]]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    folder = write_bilm_files(tmp_path / "m", OPTIONS, bilm_arrays(OPTIONS))
    return folder / "options.json", folder / "weights.hdf5"


def test_ids_of_a_batch() -> None:
    ids = batch_to_ids([["<S>", "th"], [], ["a"]])
    assert (ids.shape, ids.dtype) == ((3, 2, 50), torch.int64)
    assert ids[0, 0, :4].tolist() == [259, 257, 260, 261]
    assert ids[0, 1, :5].tolist() == [259, 117, 105, 260, 261]
    assert not ids[1].any()
    assert not ids[2, 1].any()
    assert batch_to_ids([]).shape == (0, 0, 50)


def test_one_mix_is_the_mean_of_the_layers(files: tuple[Path, Path]) -> None:
    elmo = Elmo(*files, 2, dropout=0.0)
    found = elmo(batch_to_ids(SENTENCES))
    first, second = found["elmo_representations"]
    assert first.shape == (3, 4, elmo.get_output_dim()) == (3, 4, 8)
    assert torch.equal(first, second)
    assert found["mask"].sum(dim=1).tolist() == [2, 4, 1]
    encoder = Encoder.from_pretrained(files[1].parent, state="zero")
    for row, array in zip(first, encoder.encode(SENTENCES, layers="average", is_split_into_words=True), strict=True):
        np.testing.assert_allclose(row[: len(array)].detach(), array, atol=1e-6)
        assert not row[len(array) :].any()


def test_given_weights_go_through_a_softmax_and_stay(files: tuple[Path, Path]) -> None:
    given = [0.5, -1.0, 2.0]
    elmo = Elmo(*files, 1, dropout=0.0, scalar_mix_parameters=given)
    assert not any(parameter.requires_grad for parameter in elmo.parameters())
    weights = np.exp(given) / np.exp(given).sum()
    (layers,) = Encoder.from_pretrained(files[1].parent, state="zero").encode([SENTENCES[0]], is_split_into_words=True)
    (row,) = elmo(batch_to_ids([SENTENCES[0]]))["elmo_representations"][0]
    np.testing.assert_allclose(row, np.einsum("l,lwd->wd", weights, layers), atol=1e-6)


def test_a_wrong_number_of_weights(files: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="Got 2 scalar mix parameters; expected 3"):
        Elmo(*files, scalar_mix_parameters=[0.0, 1.0])


def test_what_learns(files: tuple[Path, Path]) -> None:
    ids = batch_to_ids(SENTENCES)
    for requires_grad in (False, True):
        elmo = Elmo(*files, 1, requires_grad=requires_grad)
        for _ in range(2):  # the carried state does not tie one step to the next
            elmo(ids)["elmo_representations"][0].sum().backward()
        assert elmo.mixes[0].w.grad is not None
        assert (elmo.bilm.bilm.layers[0].bias.grad is not None) is requires_grad


def test_a_frozen_bilm_is_not_noisy_in_training(files: tuple[Path, Path]) -> None:
    elmo = Elmo(*files, 1, dropout=0.0, state="zero").train()
    ids = batch_to_ids(SENTENCES)
    assert torch.equal(elmo(ids)["elmo_representations"][0], elmo(ids)["elmo_representations"][0])


def test_more_dimensions_and_repeated_words(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    elmo = Elmo(*files, 1, dropout=0.0, state="zero")
    flat = elmo(batch_to_ids(SENTENCES * 2))
    deep = elmo(batch_to_ids(SENTENCES * 2).view(2, 3, 4, 50))
    assert deep["elmo_representations"][0].shape == (2, 3, 4, 8)
    torch.testing.assert_close(deep["elmo_representations"][0].flatten(0, 1), flat["elmo_representations"][0])
    assert deep["mask"].shape == (2, 3, 4)
    seen: list[int] = []
    original = elmo.bilm.token_vectors
    monkeypatch.setattr(elmo.bilm, "token_vectors", lambda rows: seen.append(len(rows)) or original(rows))
    elmo(batch_to_ids([["word"] * 200]))
    assert seen == [3]


def test_state_is_carried_row_by_row(files: tuple[Path, Path]) -> None:
    elmo = Elmo(*files, 1, dropout=0.0)
    encoder = Encoder.from_pretrained(files[1].parent, state="carry")
    with torch.no_grad():
        for batch in (SENTENCES, SENTENCES[:1], [["y"], ["z", "z"], [], ["new", "row"]]):
            rows = elmo(batch_to_ids(batch))["elmo_representations"][0]
            arrays = encoder.encode(batch, layers="average", is_split_into_words=True)
            for row, array in zip(rows, arrays, strict=True):
                np.testing.assert_allclose(row[: len(array)], array, atol=1e-6)
        first = elmo(batch_to_ids([["y"]]))["elmo_representations"][0]
        elmo.reset_state()
        again = elmo(batch_to_ids([["y"]]))["elmo_representations"][0]
        assert (first - again).abs().max() > 1e-3
    with pytest.raises(ConfigError, match="Unknown state"):
        Elmo(*files, state="cold")  # type: ignore[arg-type]


def test_sentence_boundaries_and_layer_norm(files: tuple[Path, Path]) -> None:
    elmo = Elmo(*files, 1, dropout=0.0, keep_sentence_boundaries=True, do_layer_norm=True, state="zero")
    found = elmo(batch_to_ids(SENTENCES))
    assert found["elmo_representations"][0].shape == (3, 6, 8)
    assert found["mask"].sum(dim=1).tolist() == [4, 6, 3]
    plain = Elmo(*files, 1, dropout=0.0, keep_sentence_boundaries=True, state="zero")
    ids = batch_to_ids(SENTENCES)
    mask = plain(ids)["mask"].unsqueeze(2).double()
    layers = []
    for layer in _layers(plain, ids):
        numbers = mask.sum() * layer.shape[2]
        mean = (layer * mask).sum() / numbers
        layers.append((layer - mean) / (((layer - mean) * mask).square().sum() / numbers + 1e-12).sqrt())
    expected = torch.stack(layers).mean(dim=0) * mask
    torch.testing.assert_close(found["elmo_representations"][0].double(), expected, atol=1e-5, rtol=0)


def _layers(elmo: Elmo, ids: torch.Tensor) -> list[torch.Tensor]:
    """Every layer with its boundaries: the mix with all its weight on one after the other."""
    hidden = []
    for layer in range(3):
        (mix,) = elmo.mixes
        mix.w.data = torch.full((3,), -100.0)
        mix.w.data[layer] = 100.0
        hidden.append(elmo(ids)["elmo_representations"][0].double())
    return hidden


def test_the_references_stored_outputs(elmokit_data: Path) -> None:
    """An old snippet with its import changed gives what bilm-tf stored."""
    folder = elmokit_data / "elmo_tiny"
    elmo = Elmo(
        str(folder / "options.json"), str(folder / "lm_weights.hdf5"), 1, dropout=0.0,
        scalar_mix_parameters=[-9e10, -9e10, 1],  # as old code picks a layer
    )  # fmt: skip
    lists = json.loads((folder / "sentences.json").read_text())
    for batch in range(10):
        sentences = [texts[batch].split() for texts in lists]
        rows = elmo(batch_to_ids(sentences))["elmo_representations"][0]
        for number, row in enumerate(rows):
            with h5py.File(folder / f"lm_embeddings_{number}.hdf5") as file:
                stored = np.concatenate(list(file[str(batch)][...]), axis=1)
            np.testing.assert_allclose(row[: len(stored)].detach(), stored, rtol=0, atol=2e-6)


def test_what_is_no_sentence_or_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="sentence 0 is the text 'i'"):
        batch_to_ids(["i", "am"])
    with pytest.raises(ValueError, match="Sentence 1 has an empty word at place 1: leave out what only pads"):
        batch_to_ids([["i", "am"], ["so", ""]])


def test_ids_that_are_no_characters_are_refused(files: tuple[Path, Path]) -> None:
    ids = batch_to_ids([["i", "am"]])
    ids[0, 0, 3] = 300
    with pytest.raises(ValueError, match=r"inputs of shape \(1, 2, 50\) are not character ids, .* from 0 to 261"):
        Elmo(*files)(ids)
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 50\) are not character ids"):
        Elmo(*files)(batch_to_ids([["i", "am"]])[0])


class Tagger(torch.nn.Module):
    """Somebody's model around an `Elmo`."""

    def __init__(self, files: tuple[Path, Path], **settings: bool) -> None:
        super().__init__()
        self._elmo = Elmo(*files, 1, dropout=0.0, **settings)  # type: ignore[arg-type]
        self.output = torch.nn.Linear(8, 2)


def old_checkpoint(tagger: Tagger, *, layers: int = 3) -> dict[str, torch.Tensor]:
    """As AllenNLP names it."""
    mix = {f"_elmo.scalar_mix_0.scalar_parameters.{layer}": torch.tensor([0.3 * layer]) for layer in range(layers)}
    own = {name: tensor for name, tensor in tagger.state_dict().items() if name.startswith("output.")}
    bilm = {"_elmo._elmo_lstm._token_embedder._char_embedding_weights": torch.zeros(2, 2)}
    return {**mix, **own, **bilm, "_elmo.scalar_mix_0.gamma": torch.tensor([2.5])}


def test_checkpoints_of_allennlp(files: tuple[Path, Path]) -> None:
    tagger = Tagger(files)
    tagger.load_state_dict(old_checkpoint(tagger))
    lambdas, gamma = tagger._elmo.mixes[0].weights()
    np.testing.assert_allclose(lambdas, np.exp([0, 0.3, 0.6]) / np.exp([0, 0.3, 0.6]).sum(), atol=1e-6)
    assert gamma == 2.5
    again = Tagger(files)
    again.load_state_dict(tagger.state_dict())  # and of ours
    assert again._elmo.mixes[0].weights() == (lambdas, gamma)


def test_checkpoints_that_do_not_fit(files: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match=r"has 2 weights in _elmo\.scalar_mix_0\..*; this model mixes 3"):
        Tagger(files).load_state_dict(old_checkpoint(Tagger(files), layers=2))
    tuned = Tagger(files, requires_grad=True)
    with pytest.raises(ModelError, match="a biLM that AllenNLP fine-tuned"):
        tuned.load_state_dict(old_checkpoint(tuned))


def test_a_model_with_a_word_table_says_so() -> None:
    elmo = Elmo("elmo-mini", state="zero")
    with pytest.raises(ValueError, match="reads a table of words next to their letters, 51 numbers a word"):
        elmo(batch_to_ids([["The", "bank"]]))


def test_the_embedder(files: tuple[Path, Path]) -> None:
    embedder = ElmoEmbedder(*files)
    encoder = Encoder.from_pretrained(files[1].parent, state="carry")
    for batch in (SENTENCES, SENTENCES[::-1]):
        expected = encoder.encode(batch, is_split_into_words=True)
        for one, other in zip(embedder.embed_batch(batch), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    alike = ElmoEmbedder(*files, state="zero")
    for one, words in zip(alike.embed_sentences(iter(SENTENCES), batch_size=2), SENTENCES, strict=True):
        np.testing.assert_allclose(one, alike.embed_sentence(words), atol=1e-6)
    assert alike.embed_sentence([]).shape == (3, 0, 8)
