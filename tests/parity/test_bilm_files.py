"""Files of bilm-tf and AllenNLP through `Encoder`, against the NumPy oracle and the stored outputs of bilm-tf."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elmokit.encode.encoder import Encoder
from elmokit.interop.bilm_hdf5 import shapes, write_bilm
from elmokit.interop.bilm_options import config_of, options_of, read_options
from elmokit.interop.loading import load, save
from elmokit.models.configuration_elmo import PRESETS, ElmoConfig
from helpers import oracle
from helpers.published_files import bilm_arrays, bilm_options, read_arrays, write_bilm_files

SENTENCES = [["The", "bank", "of", "the", "río"], ["銀行"], ["a" * 60, "€" * 20, "x"], []]
PUBLISHED = {"small": 13_593_296, "medium": 28_027_728, "original": 93_600_848}
STORED_TOLERANCE = 2e-6


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    filters = draw(st.sampled_from([((1, 3), (3, 4)), ((2, 4),), ((1, 2), (5, 2))]))
    cell = draw(st.sampled_from([4, 6]))
    return bilm_options(
        projection=4, cell=cell, n_layers=draw(st.integers(1, 3)), skip=draw(st.booleans()),
        clip=draw(st.sampled_from([None, 0.3, 3])), filters=filters, n_highway=draw(st.integers(0, 2)),
        activation=draw(st.sampled_from(["relu", "tanh"])), max_characters=draw(st.sampled_from([6, 12, 50])),
        n_characters=draw(st.sampled_from([261, 262])),
    )  # fmt: skip


def close(ours: np.ndarray, reference: np.ndarray) -> None:
    np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-5)


@given(options(), st.integers(0, 9))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_option_gives_the_oracles_layers(tmp_path_factory: Any, options: dict[str, Any], seed: int) -> None:
    arrays = bilm_arrays(options, seed=seed)
    folder = write_bilm_files(tmp_path_factory.mktemp("published"), options, arrays)
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    encoder = Encoder.from_pretrained(folder, state="zero")
    for words, ours in zip(SENTENCES, encoder.encode(SENTENCES, is_split_into_words=True), strict=True):
        reference, _ = oracle.embed_sentence(words, weights=weights, options=options)
        close(ours, reference.reshape(ours.shape))


def test_carried_state_goes_from_call_to_call_row_by_row(tmp_path: Path) -> None:
    made = bilm_options()
    arrays = bilm_arrays(made)
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    encoder = Encoder.from_pretrained(write_bilm_files(tmp_path, made, arrays), state="carry")
    states: list[Any] = [None, None, None]
    # The second batch is smaller: the third row keeps its state for the batch after that.
    for batch in ([["a", "b"], ["c"], ["d", "e", "f"]], [["g"], ["h", "i"]], [["j"], [], ["k"]]):
        for row, ours in enumerate(encoder.encode(batch, is_split_into_words=True)):
            reference, states[row] = oracle.embed_sentence(batch[row], weights=weights, options=made, state=states[row])
            close(ours, reference.reshape(ours.shape))
    encoder.reset_state()
    fresh, _ = oracle.embed_sentence(["a"], weights=weights, options=made)
    close(encoder.encode([["a"]], is_split_into_words=True)[0], fresh)


def test_word_level_models(tmp_path: Path) -> None:
    made = {"lstm": bilm_options()["lstm"]}
    words = ["<S>", "</S>", "<UNK>", "bank", "río", "the"]
    arrays = bilm_arrays(made, n_words=len(words))
    encoder = Encoder.from_pretrained(write_bilm_files(tmp_path / "theirs", made, arrays, words=words), state="zero")
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    sentence = ["the", "río", "unheard-of", "bank"]
    ids = [0, 5, 4, 2, 3, 1]
    layers, _ = oracle.run_sentence(weights["embedding"][ids], weights=weights, options=made)
    ours = encoder.encode([sentence], is_split_into_words=True)[0]
    close(ours, np.stack(layers)[:, 1:-1])
    found = load(tmp_path / "theirs", warm=False)
    save(found, tmp_path / "ours")
    again = Encoder.from_pretrained(tmp_path / "ours")
    np.testing.assert_array_equal(again.encode([sentence], is_split_into_words=True)[0], ours)
    write_bilm(found.model, found.rows, tmp_path / "back")
    assert (tmp_path / "back" / "vocab.txt").read_text(encoding="utf-8").split() == words


@pytest.mark.parametrize("made", [bilm_options(), bilm_options(projection=6, n_highway=0, activation="tanh")])
def test_import_export_import_is_byte_equal(tmp_path: Path, made: dict[str, Any]) -> None:
    arrays = bilm_arrays(made)
    first = load(write_bilm_files(tmp_path / "published", made, arrays), warm=False)
    write_bilm(first.model, first.rows, tmp_path / "exported")
    second = load(tmp_path / "exported", warm=False)
    for name, tensor in first.model.state_dict().items():
        assert tensor.numpy().tobytes() == second.model.state_dict()[name].numpy().tobytes(), name
    exported = read_arrays(tmp_path / "exported" / "weights.hdf5")
    assert exported.keys() == arrays.keys()
    for name, array in arrays.items():
        if not name.endswith("/B"):  # the forget bias of 1.0 is added and subtracted: rounded once
            assert exported[name].tobytes() == array.tobytes(), name
        np.testing.assert_allclose(exported[name], array, rtol=0, atol=1.2e-7)
    given_options, back = made["char_cnn"], options_of(second.model.config)["char_cnn"]
    assert {key: back[key] for key in given_options} == given_options


def test_a_model_trained_here_goes_out_and_comes_back(tmp_path: Path) -> None:
    from elmokit.models.modeling_elmo import ElmoModel
    from elmokit.text.word_rows import ByteRows

    model = ElmoModel(ElmoConfig.preset("tiny"))
    write_bilm(model, ByteRows(50), tmp_path / "out")
    encoder, back = Encoder(model), Encoder.from_pretrained(tmp_path / "out", state="zero")
    for ours, theirs in zip(encoder.encode(["The bank .", ""]), back.encode(["The bank .", ""]), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameter_counts(name: str) -> None:
    assert sum(math.prod(shape) for shape in shapes(ElmoConfig.preset(name)).values()) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("elmo_2x1024_128_2048cnn_1xhighway_options.json", "small"),
        ("elmo_2x4096_512_2048cnn_2xhighway_options.json", "original"),
    ],
)
def test_published_options(elmokit_data: Path, file: str, name: str) -> None:
    config, _ = config_of(read_options(elmokit_data / "elmo_options" / file))
    for field in PRESETS[name]:
        assert getattr(config, field) == PRESETS[name][field], field


@pytest.fixture(scope="module")
def tiny(elmokit_data: Path) -> Path:
    return elmokit_data / "elmo_tiny"


def stored_batches(folder: Path) -> tuple[list[list[list[str]]], list[list[Any]]]:
    """Ten batches of three sentences, and of each sentence the top layer (words, 32)."""
    lists = json.loads((folder / "sentences.json").read_text())
    batches = [[text.split() for text in batch] for batch in zip(*lists, strict=True)]
    stored = []
    for number in range(3):
        with h5py.File(folder / f"lm_embeddings_{number}.hdf5") as file:
            stored.append([np.concatenate(list(file[str(index)][...]), axis=1) for index in range(len(file))])
    return batches, [list(batch) for batch in zip(*stored, strict=True)]


def worst(encoder: Encoder, folder: Path) -> float:
    batches, stored = stored_batches(folder)
    errors = []
    for sentences, references in zip(batches, stored, strict=True):
        tops = encoder.encode(sentences, layers="top", is_split_into_words=True)
        errors += [float(np.abs(top - reference).max()) for top, reference in zip(tops, references, strict=True)]
    assert len(errors) == 30
    return max(errors)


def test_the_references_stored_outputs(tiny: Path, tmp_path: Path) -> None:
    assert worst(Encoder.from_pretrained(tiny, state="carry"), tiny) <= STORED_TOLERANCE
    save(load(tiny), tmp_path / "ours")
    assert worst(Encoder.from_pretrained(tmp_path / "ours", state="carry"), tiny) <= STORED_TOLERANCE


def test_the_references_token_vectors(tiny: Path) -> None:
    with h5py.File(tiny / "elmo_token_embeddings.hdf5") as file:
        reference = file["embedding"][...]
    words = (tiny / "vocab_test.txt").read_text(encoding="utf-8").splitlines()
    encoder = Encoder.from_pretrained(tiny)
    ours = encoder.encode([words], layers=0, is_split_into_words=True)[0]
    real = [number for number, word in enumerate(words) if word not in ("<S>", "</S>")]
    assert np.abs(ours[real, :16] - reference[real]).max() <= STORED_TOLERANCE


def test_a_warm_state_is_nearer_to_the_reference_than_none(tiny: Path, tmp_path: Path) -> None:
    """Published weights never saw a zero state; the vectors of the first words show it most."""
    batches, stored = stored_batches(tiny)
    sentences = [words for batch in batches[1:] for words in batch]
    references = [array for batch in stored[1:] for array in batch]
    save(load(tiny), tmp_path / "ours")
    errors = {}
    for state in ("zero", "warm"):
        tops = Encoder.from_pretrained(tmp_path / "ours", state=state).encode(
            sentences, layers="top", is_split_into_words=True
        )
        errors[state] = np.mean([np.abs(top[0] - array[0]).max() for top, array in zip(tops, references, strict=True)])
    assert Encoder.from_pretrained(tmp_path / "ours").state == "warm"
    assert errors["warm"] < errors["zero"] / 3
