"""Text pairs: what is read from files, numbers as targets, and what is told of bad rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit.errors import DataError
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.tasks.inputs.numbers import numbers_of
from elmokit.tasks.metrics import number_scores
from elmokit.tasks.pairs import PairClassifier, PairsConfig, train_pairs
from elmokit.tasks.pairs.predict import PairResult, read_pairs


def test_well_known_columns_are_found_in_every_format(tmp_path: Path) -> None:
    (tmp_path / "snli.tsv").write_text('label\tpremise\thypothesis\nneutral\ta dog\tit\'s "big"\n')
    (tmp_path / "sick.txt").write_text(
        "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n1\ta dog\ta cat\t4.5\tNEUTRAL\n"
    )
    (tmp_path / "rows.jsonl").write_text('{"sentence1": "a", "sentence2": "b", "label": "same"}\n')
    found = read_pairs([tmp_path / "snli.tsv"], flag="train", target="label")
    assert (found.first, found.second, found.labels) == (["a dog"], ['it\'s "big"'], ["neutral"])
    for target, label in (("label", "NEUTRAL"), ("number", "4.5")):
        found = read_pairs([tmp_path / "sick.txt"], flag="train", target=target)
        assert (found.first, found.second, found.labels) == (["a dog"], ["a cat"], [label])
    assert read_pairs([tmp_path / "rows.jsonl"], flag="train", target="label").labels == ["same"]
    assert read_pairs([tmp_path / "rows.jsonl"], flag="file", target=None).second == ["b"]


def test_bad_rows_are_told_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("premise,hypothesis,label\na,b,x\na,,x\n")
    with pytest.raises(DataError, match=r"rows\.csv line 3: no second; expected one \(--second-column, --train\)"):
        read_pairs([file], flag="train", target="label")
    file.write_text("premise,hypothesis,label\n")
    with pytest.raises(DataError, match=r"contains no pairs \(--test\)"):
        read_pairs([file], flag="test", target="label")
    with pytest.raises(DataError, match=r"place: 'high' is no number"):
        numbers_of([("high", "place")], flag="train")


def test_correlations_are_those_of_scipy() -> None:
    values, gold = np.array([[1.0], [2.0], [4.0]], dtype=np.float32), np.array([1.0, 3.0, 2.0])
    scores = number_scores(gold, values[:, 0])
    assert scores["pearson"] == pytest.approx(np.corrcoef(values[:, 0], gold)[0, 1])
    assert scores["spearman"] == pytest.approx(0.5)
    assert scores["mse"] == pytest.approx(5 / 3)
    assert number_scores(gold, np.ones(3, dtype=np.float32))["pearson"] == 0.0  # no spread, no correlation


def test_numbers_are_learned(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "model")
    ElmoTokenizer().save_pretrained(tmp_path / "model")
    draw = random.Random(1)
    words = ["dog", "cat", "tree", "sun", "moon"]
    for name, count in (("train", 200), ("test", 40)):
        rows = [(draw.choice(words), draw.choice(words)) for _ in range(count)]
        lines = [f"{first},{second},{103.0 if first in words[:2] else 97.0}\n" for first, second in rows]
        (tmp_path / f"{name}.csv").write_text("premise,hypothesis,score\n" + "".join(lines))
    files: dict[str, Any] = {name: [str(tmp_path / f"{name}.csv")] for name in ("train", "test")}
    more: dict[str, Any] = {
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 0.01,
        "head_hidden_dim": 16,
        "head_dropout": 0.0,
    }
    config = load_settings(
        PairsConfig, None, model=str(tmp_path / "model"), output=tmp_path / "out", target="number", threads=1,
        cache=tmp_path / "cache", progress=False, precision="float32", **files, **more,
    )  # fmt: skip
    metrics = train_pairs(config)
    assert metrics["test"]["pearson"] > 0.6
    assert metrics["figure"] == "pearson"
    classifier = PairClassifier.from_pretrained(tmp_path / "out")
    high, low = classifier.predict([("dog", "sun"), ("sun", "dog")])
    assert high.label is None
    assert high.score > low.score
    assert classifier.score(files["test"])["pearson"] == pytest.approx(metrics["test"]["pearson"], abs=1e-3)


def test_ids_of_a_file_are_in_its_records(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,premise,hypothesis\nx7,a dog,a cat\n,a sun,a tree\n", encoding="utf-8")
    model = PairClassifier.__new__(PairClassifier)  # reading and showing need no network
    model.columns = {}
    pairs = model.read(tmp_path / "a.csv")
    assert pairs == [("a dog", "a cat", "x7"), ("a sun", "a tree")]
    result = PairResult("same", 0.5, {"same": 0.5, "other": 0.5})
    assert [model.record(pair, result).get("id") for pair in pairs] == ["x7", None]
