"""The oracle that the other parity tests lean on gives the outputs which bilm-tf stored for a real file pair."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from helpers import oracle
from helpers.published_files import read_arrays


def test_oracle_gives_the_stored_outputs(elmokit_data: Path) -> None:
    """Two batches of three sentences, states carried; more would be slow."""
    folder = elmokit_data / "elmo_tiny"
    weights = {name: array.astype(np.float64) for name, array in read_arrays(folder / "lm_weights.hdf5").items()}
    options = json.loads((folder / "options.json").read_text())
    for row, sentences in enumerate(json.loads((folder / "sentences.json").read_text())):
        state = None
        with h5py.File(folder / f"lm_embeddings_{row}.hdf5") as file:
            for batch in range(2):
                words = sentences[batch].split()
                layers, state = oracle.embed_sentence(words, weights=weights, options=options, state=state)
                reference = np.concatenate(list(file[str(batch)][...]), axis=1)  # forward and backward half
                assert np.abs(layers[-1] - reference).max() <= 2e-6
