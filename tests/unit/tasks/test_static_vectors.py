"""Static vectors of a run: of the words of its data, with what they cover."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from elmokit.models import ElmoConfig
from elmokit.saved_model import SavedModel
from elmokit.static.vectors import WordVectors
from elmokit.tasks.classification import ClassifyConfig
from elmokit.tasks.static_vectors import Coverage, read_vectors
from elmokit.text.word_rows import ByteRows, JoinedRows, load_word_rows, save_lexicon

TEXTS = [["The", "boat", "was", "wet"], ["Boat", "boat", "zork"]]
WORDS = ["boat", "the", "Boat", "sun", "moon"]


@pytest.fixture
def config(tmp_path: Path) -> ClassifyConfig:
    ElmoConfig.preset("tiny", architectures=["ElmoModel"]).save_pretrained(tmp_path / "model")
    WordVectors(WORDS, np.arange(10, dtype=np.float32).reshape(5, 2)).save(tmp_path / "v.txt")
    return ClassifyConfig(
        model=str(tmp_path / "model"), train=["a"], test=["b"], output=tmp_path / "out", vectors=tmp_path / "v.txt"
    )


def read(config: ClassifyConfig) -> tuple[list[str], Coverage]:
    assert config.vectors is not None
    vectors, coverage = read_vectors(config, config.vectors, SavedModel.open(config.model), iter(TEXTS))
    return vectors.words, coverage


def test_only_words_of_the_data_are_kept(config: ClassifyConfig) -> None:
    assert read(config) == (["boat", "the", "Boat"], Coverage(7, 4, 6, 3))


def test_without_lower_case(config: ClassifyConfig) -> None:
    words, coverage = read(config.model_copy(update={"vectors_lower_case": False}))
    assert words == ["boat", "Boat"]
    assert coverage == Coverage(7, 3, 6, 2)


def test_all_words_of_the_file(config: ClassifyConfig) -> None:
    assert read(config.model_copy(update={"vectors_kept": "all"})) == (WORDS, Coverage(7, 4, 6, 3))


def test_coverage_is_told(config: ClassifyConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    read(config)
    assert "3 vectors are kept; they cover 57.1 % of 7 words, 3 of 6 distinct ones" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    WordVectors(["мост"], np.ones((1, 2), dtype=np.float32)).save(tmp_path / "other.txt")
    words, coverage = read(config.model_copy(update={"vectors": tmp_path / "other.txt"}))
    assert (words, coverage.share) == ([], 0.0)
    assert "other.txt covers only 0.0 % of the words of the data" in caplog.text
    assert coverage.as_dict() == {"words": 7, "words_found": 0, "types": 6, "types_found": 0, "share": 0.0}


@pytest.mark.parametrize("lower_case", [True, False])
def test_the_lexicon_keeps_how_words_are_looked_up(tmp_path: Path, lower_case: bool) -> None:
    rows = JoinedRows(ByteRows(), {"boat": 0, "Sun": 1}, lower_case=lower_case)
    save_lexicon(rows, tmp_path / "lexicon.json")
    again = load_word_rows(tmp_path / "lexicon.json")
    for each in (rows, again):
        assert each(["boat", "Boat", "Sun", "sun"])[:, 50].tolist() == [1, 1 if lower_case else 0, 2, 0]
