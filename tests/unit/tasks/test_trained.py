"""What a trained model remembers of its training, and says of texts that it was not trained for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.models import ElmoTokenizer
from elmokit.nn.heads.shapes import TokenClassificationShape
from elmokit.nn.heads.token_classification import TokenClassificationNetwork
from elmokit.tasks.classification import Classifier
from elmokit.tasks.tagging import Tagger
from elmokit.tasks.trained import TrainedOn
from elmokit.text.records import FileOptions
from helpers.web_models import save_classifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A classifier that was trained on a table with semicolons and two columns chosen by name."""
    folder = save_classifier(tmp_path / "topic")
    settings = {"max_words": 4, "text_column": "Satz", "label_column": "Thema", "delimiter": ";", "header": None}
    (folder / "training.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps({"label_keys": ["1", "2", "3"]}), encoding="utf-8")
    return folder


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_columns_delimiter_and_names_need_not_be_said_again(folder: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("Nr;Satz;Thema\n7;the bank;1\n8;the river;2\n", encoding="utf-8")
    result = elmo("evaluate", folder, "--test", test, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 2
    result = elmo("predict", folder, "--file", test, "--json")
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["the bank", "the river"]


def test_predictors_take_what_the_encoder_takes(folder: Path) -> None:
    """A Series, a generator, a table of one column, one text; not a mapping or a table of several columns."""
    texts = ["the bank", "the river was wet"]
    classifier = Classifier.from_pretrained(folder)
    expected = classifier.predict(texts)
    for given in (pd.Series(texts), (text for text in texts), pd.DataFrame({"any": texts}), np.array(texts)):
        assert classifier.predict(given) == expected
    (alone,) = classifier.predict(texts[0])
    assert dict(alone) == pytest.approx(dict(expected[0]), abs=1e-5)
    for wrong in ({"text": texts}, pd.DataFrame({"one": texts, "two": texts})):
        with pytest.raises(ValueError, match=r"Expected a list of texts|columns"):
            classifier.predict(wrong)


def test_other_files_are_read_as_they_are(folder: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("label;text\nwater;the river\n", encoding="utf-8")
    assert json.loads(elmo("evaluate", folder, "--test", test, "--json").stdout)["rows"] == 1
    test.write_text("label,text\nwater,the river\n", encoding="utf-8")
    result = elmo("evaluate", folder, "--test", test, "--json", "--delimiter", ",")
    assert json.loads(result.stdout)["rows"] == 1
    result = elmo("evaluate", folder, "--test", test, "--delimiter", ",", "--text-column", "Satz")
    assert result.exit_code == 2 and "has no column 'Satz'" in result.stderr


def test_settings_of_old_folders() -> None:
    assert TrainedOn.of({}) == TrainedOn()
    assert TrainedOn.of({"text_column": "2", "encoding": "cp1252"}) == TrainedOn(
        "2", None, FileOptions(encoding="cp1252")
    )


def test_texts_that_are_cut_are_told_of_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    classifier = Classifier.from_pretrained(folder)
    classifier.predict(["the bank", "the river"])
    assert not caplog.records
    for _ in range(2):
        classifier.predict(["the bank", "the bank of the river was wet"])
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert told[0].startswith("1 of 2 texts are longer than the 4 words that the model was trained for")


def test_blank_texts_are_told_of_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    classifier = Classifier.from_pretrained(folder)
    for _ in range(2):
        assert len(classifier.predict(["the bank", "", "   "])) == 3
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told == ["2 of 3 texts are blank: what is predicted for them says nothing, also in what follows"]


def test_missing_texts_are_told_by_every_predictor(folder: Path) -> None:
    classifier = Classifier.from_pretrained(folder)
    with pytest.raises(ValueError, match=r"^text 2 is missing \(nan\): fill or drop it first"):
        classifier.predict(pd.Series(["a b", np.nan]))
    with pytest.raises(ValueError, match=r"^text 2 is missing \(None\)"):
        list(classifier.stream(["a", None], chunk=1))  # type: ignore[list-item]
    network = TokenClassificationNetwork(TokenClassificationShape.preset("tiny", id2label={0: "O", 1: "B-X"}))
    tagger = Tagger(network, ElmoTokenizer())
    for read in (tagger.predict, tagger.tag):
        with pytest.raises(ValueError, match=r"^text 1 is missing \(None\): fill or drop it first"):
            read([None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^word 2 of text 1 is missing \(None\)"):
        tagger.tag([["a", None]])  # type: ignore[list-item]


def test_the_shipped_classifier_knows_the_labels_of_its_rows(tmp_path: Path) -> None:
    rows = tmp_path / "test.csv"
    rows.write_text('"2","The striker scored twice."\n"3","Shares fell as banks reported losses."\n', encoding="utf-8")
    result = elmo("evaluate", "elmo-mini-news", "--test", rows, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["accuracy"] == 1.0
