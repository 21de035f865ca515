"""The TF-IDF baseline on texts that have few terms."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from elmokit.tasks.classification.baseline import tfidf_svm
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import load_data


@pytest.mark.parametrize(
    ("good", "bad", "least"),
    [("fine {} film", "poor {} film", 2), ("好{}片", "差{}片", 1), ("👍 👍", "👎", 1)],
    ids=["words", "without blanks", "emoji"],
)
def test_texts_of_any_script_have_terms(tmp_path: Path, good: str, bad: str, least: int) -> None:
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(label, form.format(n)) for n in range(80) for label, form in (("good", good), ("bad", bad))]
        csv.writer(file).writerows([("label", "text"), *rows])
    files = [str(tmp_path / "a.csv")]
    config = ClassifyConfig(model="m", output=tmp_path / "out", train=files, test=files)
    found = tfidf_svm(load_data(config)).scores
    assert f"min_df {least}" in found["method"]
    assert found["test"]["accuracy"] == 1.0
