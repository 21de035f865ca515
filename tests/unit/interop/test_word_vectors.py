"""Static vectors as a model of one layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.errors import DataError
from elmokit.interop.loading import load, save
from elmokit.static.vectors import WordVectors
from elmokit.tasks.classification import Classifier, ClassifyConfig, train_classifier

WORDS = ["the", "bank", "<UNK>", "river", "money"]
MATRIX = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    WordVectors(WORDS, MATRIX).save(tmp_path / "v.txt")
    return tmp_path / "v.txt"


def test_every_word_has_its_vector(vectors: Path, tmp_path: Path) -> None:
    save(load(vectors), tmp_path / "model")
    for source in (vectors, tmp_path / "model"):
        encoder = Encoder.from_pretrained(source)
        assert (encoder.n_layers, encoder.dim, encoder.state) == (1, 8, "zero")
        array, empty, long = encoder.encode(
            [["bank", "the", "unheard-of"], [], ["river"] * 20_000], is_split_into_words=True
        )
        np.testing.assert_array_equal(array[0], MATRIX[[1, 0, 2]])  # this file has a vector for the unknown
        assert empty.shape == (1, 0, 8)
        np.testing.assert_array_equal(long[0, [0, -1]], MATRIX[[3, 3]])
    WordVectors(["a", "b"], MATRIX[:2]).save(vectors)
    assert not Encoder.from_pretrained(vectors).encode([["c"]], is_split_into_words=True)[0].any()


def test_the_same_classifier_runs_on_it(vectors: Path, tmp_path: Path) -> None:
    save(load(vectors), tmp_path / "model")
    rows = "".join(f"{1 + number % 2},the {('bank money', 'river')[number % 2]} of the\n" for number in range(60))
    (tmp_path / "rows.csv").write_text(rows)
    for finetune in (False, True):
        output = tmp_path / f"out{finetune}"
        metrics = train_classifier(
            ClassifyConfig(
                model=str(tmp_path / "model"), train=[str(tmp_path / "rows.csv")], test=[str(tmp_path / "rows.csv")],
                output=output, cache=tmp_path / "cache", epochs=12, batch_size=32, head_hidden_dim=4,
                learning_rate=0.05, finetune=finetune, progress=False, clean=[],
            )
        )  # fmt: skip
        assert metrics["test"]["accuracy"] == 1.0
        assert metrics["lambdas"] == [1.0]
        found = Classifier.from_pretrained(output).predict(["the river of the", "the bank money of the"])
        assert [labels[0].label for labels in found] == ["2", "1"]


def test_a_damaged_file_is_told_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text("a 1 2\nb 1\n")
    with pytest.raises(DataError, match="line 2"):
        load(tmp_path / "v.vec")
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "v.vec")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
