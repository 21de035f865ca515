"""What can be judged: trained models, untrained ones of the same shape, static vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from elmokit import Encoder
from elmokit.errors import ModelError
from elmokit.interop.loading import load
from elmokit.interop.word_vectors import static_model
from elmokit.nn.network import ElmoNetwork
from elmokit.pretrained import located
from elmokit.static.vectors import WordVectors
from elmokit.whole_files import read_json_object

_SEED = 1


@dataclass(frozen=True)
class Candidate:
    """Vectors to be judged.

    Attributes:
        name: In the table.
        encoder: Gives the vectors of words in sentences; static vectors are one layer, zero for unknown words.
        vectors: The static vectors, where it is those.
        perplexity: On the held-out text of the model's own pretraining, where a run has left it.
    """

    name: str
    encoder: Encoder
    vectors: WordVectors | None = None
    perplexity: float | None = None


def trained(source: str) -> Candidate:
    """The model in a folder, or a shipped one by its name."""
    return Candidate(Path(source).name, Encoder.from_pretrained(source), perplexity=_held_out_perplexity(source))


def untrained(source: str) -> Candidate:
    """A model of the shape of another one, with random weights as at the start of pretraining."""
    found = load(source)
    torch.manual_seed(_SEED)
    encoder = Encoder(ElmoNetwork(found.model.config), rows=found.rows, preprocessing=found.preprocessing)
    return Candidate(f"{Path(source).name}, untrained", encoder)


def static_vectors(file: Path) -> Candidate:
    """A file of `elmo train vectors`, word2vec or GloVe."""
    vectors = WordVectors.load(file)
    found = static_model(vectors)
    return Candidate(
        file.name, Encoder(found.model, rows=found.rows, preprocessing=found.preprocessing), vectors=vectors
    )


def _held_out_perplexity(source: str) -> float | None:
    """That of the epoch whose weights a pretraining run has kept."""
    file = located(source) / "metrics.json"
    if not file.is_file():
        return None
    try:
        epochs = [row for row in read_json_object(file)["epochs"] if "valid_nll" in row]
        best = min(epochs, key=lambda row: row["valid_nll"], default=None)
        return None if best is None else float(best["valid_perplexity"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{file} is not the metrics.json of a run of elmo pretrain: {error!r}") from error
