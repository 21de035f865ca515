"""A task's model that keeps the language model it began with: what reads which."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.errors import ModelError
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.saved_model import BILM_FOLDER, SavedModel, language_model_folder
from elmokit.tasks.classification.predict import Classifier
from helpers.web_models import save_bilm, save_classifier

TEXT = "the bank"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A language model, a classifier without one, the same with it."""
    bilm = save_bilm(tmp_path_factory.mktemp("bilm"))
    alone = save_classifier(tmp_path_factory.mktemp("alone"))
    both = tmp_path_factory.mktemp("both") / "model"
    shutil.copytree(alone, both)
    shutil.copytree(bilm, both / BILM_FOLDER)
    return bilm, alone, both


def test_vectors_and_scores_are_those_of_the_kept_language_model(folders: tuple[Path, Path, Path]) -> None:
    bilm, alone, both = folders
    assert language_model_folder(both) == both / BILM_FOLDER
    assert language_model_folder(alone) == alone
    plain, kept = Encoder.from_pretrained(bilm), Encoder.from_pretrained(both)
    np.testing.assert_array_equal(kept.encode([TEXT])[0], plain.encode([TEXT])[0])
    assert kept.score([TEXT])[0].perplexity == plain.score([TEXT])[0].perplexity
    assert kept.substitutes(TEXT, 1, 2) == plain.substitutes(TEXT, 1, 2)
    with pytest.raises(ModelError, match="has no language-model head"):
        Encoder.from_pretrained(alone).score([TEXT])


def test_perplexity_is_that_of_the_kept_language_model(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(f"{TEXT}\n", encoding="utf-8")
    bilm, _, both = folders
    found = [evaluate_text(folder, tmp_path / "text.txt").perplexity for folder in (bilm, both)]
    assert found[0] == found[1]


def test_labels_are_those_of_the_task(folders: tuple[Path, Path, Path]) -> None:
    _, alone, both = folders
    found = [Classifier.from_pretrained(folder).predict(["The bank."]) for folder in (alone, both)]
    assert found[0] == found[1]
    assert SavedModel.open(both).head_class is not None


def test_a_converted_folder_keeps_both(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    bilm, _, both = folders
    for target, more in (("copy", ()), ("exported", ("--to", "bilm"))):
        result = CliRunner().invoke(app, ["convert", str(both), str(tmp_path / target), *more])
        assert result.exit_code == 0, result.output
    assert Classifier.from_pretrained(tmp_path / "copy").predict([TEXT]) == Classifier.from_pretrained(both).predict(
        [TEXT]
    )
    wanted = Encoder.from_pretrained(bilm).encode([TEXT])[0]
    for target in ("copy", "exported"):
        found = Encoder.from_pretrained(tmp_path / target, state="zero").encode([TEXT])[0]
        np.testing.assert_allclose(found, wanted, atol=1e-6)
