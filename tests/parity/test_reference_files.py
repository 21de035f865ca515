"""A real file pair of bilm-tf with the outputs bilm-tf stored for it: both our model and the oracle must give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
import torch
from numpy.typing import NDArray
from published_layout import load_bilm, load_char_cnn

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.nn.bilm import State
from elmokit.text.char_ids import char_ids, marker_char_ids

h5py = pytest.importorskip("h5py", reason="pip install h5py to compare with the reference's stored outputs")

TOLERANCE = 2e-6
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def folder(elmokit_data: Path) -> Path:
    path = elmokit_data / "elmo_tiny"
    if not path.is_dir():
        pytest.skip(f"{path} is not there")
    return path


@pytest.fixture(scope="module")
def options(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "options.json").read_text()))


@pytest.fixture(scope="module")
def arrays(folder: Path) -> Arrays:
    found: Arrays = {}
    with h5py.File(folder / "lm_weights.hdf5") as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.fixture(scope="module")
def model(arrays: Arrays, options: dict[str, Any]) -> ElmoModel:
    cnn, lstm = options["char_cnn"], options["lstm"]
    config = ElmoConfig(
        filters=cnn["filters"], char_embedding_dim=cnn["embedding"]["dim"], n_highway=cnn["n_highway"],
        char_cnn_activation=cnn["activation"], projection_dim=lstm["projection_dim"], cell_dim=lstm["dim"],
        n_layers=lstm["n_layers"], cell_clip=lstm["cell_clip"], proj_clip=lstm["proj_clip"],
        use_skip_connections=lstm["use_skip_connections"],
    )  # fmt: skip
    model = ElmoModel(config).eval()
    load_char_cnn(model.token_encoder, arrays)
    load_bilm(model.bilm, arrays)
    return model


@pytest.fixture(scope="module")
def batches(folder: Path) -> list[list[list[str]]]:
    """Ten batches of three sentences: sentence i of each of the three lists."""
    lists = json.loads((folder / "sentences.json").read_text())
    return [[text.split() for text in batch] for batch in zip(*lists, strict=True)]


@pytest.fixture(scope="module")
def stored(folder: Path) -> list[list[NDArray[Any]]]:
    """Of each batch and sentence the top layer, (2, T, 16): forward and backward half."""
    lists = []
    for number in range(3):
        with h5py.File(folder / f"lm_embeddings_{number}.hdf5") as file:
            lists.append([file[str(index)][...] for index in range(len(file))])
    return [list(batch) for batch in zip(*lists, strict=True)]


def worst(halves: list[NDArray[Any]], reference: NDArray[Any]) -> float:
    ours = np.stack(halves)
    assert ours.shape == reference.shape
    return float(np.abs(ours - reference).max())


@torch.inference_mode()
def run(model: ElmoModel, sentences: list[list[str]], state: State | None) -> tuple[list[list[NDArray[Any]]], State]:
    """Top layers of one batch, markers off, and the state after it."""
    words = [word for sentence in sentences for word in sentence]
    table = model.token_vectors(torch.from_numpy(np.concatenate([marker_char_ids(), char_ids(words)])))
    lengths = [len(sentence) + 2 for sentence in sentences]
    index, place = torch.zeros(len(sentences), max(lengths), dtype=torch.long), 2
    for row, sentence in zip(index, sentences, strict=True):
        row[1 : len(sentence) + 1] = torch.arange(place, place + len(sentence))
        row[len(sentence) + 1], place = 1, place + len(sentence)
    layers, state = model.run(table, index, lengths, state=state)
    tops = [layers[-1][row, 1 : length - 1].numpy() for row, length in enumerate(lengths)]
    return [np.split(top, 2, axis=1) for top in tops], state


def test_model_gives_the_stored_outputs_with_carried_state(
    model: ElmoModel, batches: list[list[list[str]]], stored: list[list[NDArray[Any]]]
) -> None:
    """The references carry the state of every batch row into the next batch."""
    state, errors = None, []
    for sentences, references in zip(batches, stored, strict=True):
        tops, state = run(model, sentences, state)
        errors += [worst(halves, reference) for halves, reference in zip(tops, references, strict=True)]
    assert len(errors) == 30
    assert max(errors) <= TOLERANCE


def test_first_batch_needs_no_state_and_the_second_does(
    model: ElmoModel, batches: list[list[list[str]]], stored: list[list[NDArray[Any]]]
) -> None:
    first, _ = run(model, batches[0], None)
    second, _ = run(model, batches[1], None)
    assert max(map(worst, first, stored[0])) <= TOLERANCE
    assert max(map(worst, second, stored[1])) > 0.1


def test_oracle_gives_the_stored_outputs(
    arrays: Arrays, options: dict[str, Any], batches: list[list[list[str]]], stored: list[list[NDArray[Any]]]
) -> None:
    """What the other parity tests lean on; two batches, for it is slow."""
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    for row in range(3):
        state = None
        for batch in range(2):
            layers, state = oracle.embed_sentence(batches[batch][row], weights=weights, options=options, state=state)
            assert worst(np.split(layers[-1], 2, axis=1), stored[batch][row]) <= TOLERANCE


def test_token_vectors(model: ElmoModel, folder: Path) -> None:
    """The context-free vectors of the fixture's vocabulary."""
    with h5py.File(folder / "elmo_token_embeddings.hdf5") as file:
        reference = file["embedding"][...]
    words = (folder / "vocab_test.txt").read_text(encoding="utf-8").splitlines()
    ids = np.concatenate(
        [
            marker_char_ids()[:1] if w == "<S>" else marker_char_ids()[1:] if w == "</S>" else char_ids([w])
            for w in words
        ]
    )
    with torch.inference_mode():
        ours = model.token_vectors(torch.from_numpy(ids)).numpy()
    assert ours.shape == reference.shape
    assert np.abs(ours - reference).max() <= TOLERANCE
