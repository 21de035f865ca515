"""Several labels per text, weights and numbers: reading, thresholds and scores against scikit-learn and SciPy."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, label_ranking_average_precision_score
from sklearn.utils.class_weight import compute_class_weight

from elmokit.errors import ConfigError, DataError
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import load_data, rarest_labels
from elmokit.tasks.classification.scores import row_scores_of, write_predictions
from elmokit.tasks.classification.thresholds import best_threshold, chosen_thresholds
from elmokit.tasks.classification.weights import class_weights
from elmokit.tasks.metrics import number_scores, pearson_of_sums, pearson_sums, several_label_scores

GOLD = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)
FOUND = np.array([[0.9, 0.2, 0.3], [0.4, 0.6, 0.1], [0.2, 0.7, 0.1], [0.8, 0.3, 0.4], [0.1, 0.9, 0.2]])


def write(path: Path, rows: list[dict[str, Any]]) -> list[str]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [str(path)]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    rows = [{"text": f"t {n}", "labels": own} for n, own in enumerate([["joy", "love"], ["anger"], [], ["joy"]] * 5)]
    return {
        "model": "", "output": tmp_path / "out", "target": "labels", "train": write(tmp_path / "train.jsonl", rows),
        "valid": write(tmp_path / "valid.jsonl", rows[:4]), "test": write(tmp_path / "test.jsonl", rows[:3]),
    }  # fmt: skip


def test_scores_are_those_of_scikit_learn() -> None:
    scores = several_label_scores(GOLD, FOUND, thresholds=np.array([0.5, 0.5, 0.35]), labels=list("abc"))
    given_labels = FOUND >= [0.5, 0.5, 0.35]
    for average, found in (("micro", scores["micro_f1"]), ("macro", scores["macro_f1"])):
        assert found == pytest.approx(f1_score(GOLD, given_labels, average=average, zero_division=0))
    assert scores["exact_match"] == pytest.approx(accuracy_score(GOLD, given_labels))
    some = GOLD.any(axis=1)
    assert scores["lrap"] == pytest.approx(label_ranking_average_precision_score(GOLD[some], FOUND[some]))
    each = f1_score(GOLD, given_labels, average=None, zero_division=0)
    assert [scores["per_class"][label]["f1"] for label in "abc"] == pytest.approx(each.tolist())
    assert [scores["per_class"][label]["rows"] for label in "abc"] == [2, 3, 1]


@given(
    arrays(np.float64, 12, elements=st.integers(0, 8).map(lambda n: n / 8)),
    arrays(np.int64, 12, elements=st.sampled_from([0, 1])),
)
def test_no_other_threshold_has_a_better_f1(found: np.ndarray, gold: np.ndarray) -> None:
    threshold = best_threshold(gold, found)
    reached = f1_score(gold, found >= threshold, zero_division=0)
    assert reached == pytest.approx(
        max(f1_score(gold, found >= other, zero_division=0) for other in np.arange(0, 1, 0.03))
    )


def test_labels_of_few_rows_share_a_threshold() -> None:
    gold = np.tile(GOLD, (5, 1))  # 10, 15 and 5 rows
    found = np.tile(FOUND, (5, 1))
    common = best_threshold(gold.ravel(), found.ravel())
    assert chosen_thresholds(gold, found).tolist() == pytest.approx(
        [best_threshold(gold[:, 0], found[:, 0]), best_threshold(gold[:, 1], found[:, 1]), common]
    )
    assert chosen_thresholds(gold, found, given=0.4).tolist() == [0.4] * 3
    assert best_threshold(np.zeros(3), np.array([0.1, 0.2, 0.9])) == 0.5


def test_numbers_are_scored_as_scipy_does() -> None:
    gold, found = np.array([1.0, 2.0, 4.0, 3.5]), np.array([0.5, 2.5, 3.0, 4.0])
    scores = number_scores(gold, found)
    assert scores["pearson"] == pytest.approx(pearsonr(gold, found).statistic)
    assert scores["spearman"] == pytest.approx(spearmanr(gold, found).statistic)
    assert pearson_of_sums(pearson_sums(gold, found).sum(axis=0)) == pytest.approx(scores["pearson"])
    assert number_scores(gold, np.ones(4))["pearson"] == 0.0


def test_rows_are_scored_again_from_their_file(tmp_path: Path) -> None:
    thresholds = np.array([0.5, 0.5, 0.35])
    labels = ['a, "b"', "c", "d"]
    given = {"ids": [f"id{row}" for row in range(len(GOLD))], "texts": ['say "now"'] * len(GOLD)}
    write_predictions(tmp_path / "f.csv", FOUND, GOLD, target="labels", labels=labels, thresholds=thresholds, **given)
    with (tmp_path / "f.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["id"], row["text"]) for row in csv.DictReader(file)] == list(zip(*given.values(), strict=True))
    rows = row_scores_of(tmp_path / "f.csv", "labels")
    wanted = several_label_scores(GOLD, FOUND, thresholds=thresholds, labels=labels)["micro_f1"]
    assert rows.score(rows.statistics.sum(axis=0)) == pytest.approx(wanted)
    gold, values = np.array([1.0, 2.0, 4.0]), np.array([[1.5], [1.0], [3.0]], dtype=np.float32)
    given = {"ids": ["a", "b", "c"], "texts": ["x", "y", "z"]}
    write_predictions(tmp_path / "n.csv", values, gold, target="number", labels=[], thresholds=None, **given)
    rows = row_scores_of(tmp_path / "n.csv", "number")
    assert rows.score(rows.statistics.sum(axis=0)) == pytest.approx(pearsonr(gold, values[:, 0]).statistic)


def test_lists_cells_and_marks_give_several_labels(files: dict[str, Any], tmp_path: Path) -> None:
    data = load_data(ClassifyConfig(**files))
    assert data.labels == ["anger", "joy", "love"]
    assert data.targets("test").tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert data.sources["test"].counts.troubles() == {"rows that have none of the labels": 1}
    (tmp_path / "t.csv").write_text("labels;text\njoy|love;t\nanger;u\n;v\n")
    files["test"] = [str(tmp_path / "t.csv")]
    assert (
        load_data(ClassifyConfig(**files, label_separator="|")).targets("test").tolist()
        == data.targets("test").tolist()
    )
    (tmp_path / "t.txt").write_text("__label__joy __label__love a text\n__label__anger an other\nno label\n")
    files["test"] = [str(tmp_path / "t.txt")]
    marked = load_data(ClassifyConfig(**files))
    assert marked.texts("test") == ["a text", "an other", "no label"]
    assert marked.targets("test").tolist() == data.targets("test").tolist()


def test_folders_named_after_classes(tmp_path: Path) -> None:
    for label, texts in {"neg": ["bad film", "dull\nfilm"], "pos": ["good film", "fine film"]}.items():
        (tmp_path / "train" / label).mkdir(parents=True)
        for number, text in enumerate(texts):
            (tmp_path / "train" / label / f"{number}_7.txt").write_text(text)
    config = {"model": "", "output": tmp_path / "out", "train": [str(tmp_path / "train")], "valid_fraction": 0.5}
    data = load_data(ClassifyConfig(**config, test=config["train"]))
    assert data.labels == ["neg", "pos"]
    assert data.texts("test") == ["bad film", "dull\nfilm", "good film", "fine film"]
    assert data.classes("test").tolist() == [0, 0, 1, 1]
    (tmp_path / "train" / "other").mkdir()
    with pytest.raises(DataError, match="other contains no texts; expected some of the class 'other'"):
        load_data(ClassifyConfig(**config, test=config["train"]))


def test_balanced_weights_are_those_of_scikit_learn(files: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"text": f"t {n}", "label": label} for n, label in enumerate("aaaaaaaabbbbc" * 2)]
    one = {**files, "target": "label", "train": write(tmp_path / "one.jsonl", rows)}
    one["valid"] = one["test"] = one["train"]
    config = ClassifyConfig(**one, class_weights="balanced")
    classes = load_data(config).classes("train")
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=classes)
    assert class_weights(config, load_data(config)) == pytest.approx(wanted)
    given_weights = ClassifyConfig(**one, class_weights="c=5,a=0.5")  # type: ignore[arg-type]
    assert class_weights(given_weights, load_data(config)).tolist() == [0.5, 1.0, 5.0]  # type: ignore[union-attr]
    several = ClassifyConfig(**files, class_weights="balanced")
    assert class_weights(several, load_data(several)) == pytest.approx([3.0, 1.0, 3.0])
    with pytest.raises(DataError, match="a weight for 'x', which no training row has; the labels are a, b, c"):
        class_weights(ClassifyConfig(**one, class_weights={"x": 2.0}), load_data(config))
    rare = [{"text": "u", "labels": ["rare"]}]
    files |= {
        "train": write(tmp_path / "few.jsonl", [{"text": "t", "labels": ["joy", "anger"]}] * 9 + rare),
        "valid": [],
    }
    files |= {"test": files["train"], "valid_fraction": 0.5}
    seeds = (
        seed for seed in range(20) if not load_data(ClassifyConfig(**files, seed=seed)).targets("train")[:, 2].any()
    )
    config = ClassifyConfig(**files, class_weights="balanced", seed=next(seeds))
    with pytest.raises(DataError, match="the label 'rare' occurs in none of the 5 rows that are trained on"):
        class_weights(config, load_data(config))


def test_the_same_share_of_each_label_is_held_out(files: dict[str, Any], tmp_path: Path) -> None:
    labels = [["often"]] * 40 + [["often", "rare"]] * 10 + [["rare", "rarer"]] * 5 + [[]] * 20 + [["often", "once"]]
    rows = [{"text": f"t {n}", "labels": own} for n, own in enumerate(labels)]
    files |= {"train": write(tmp_path / "more.jsonl", rows), "test": write(tmp_path / "some.jsonl", rows[:2])}
    for seed in range(5):
        held = load_data(ClassifyConfig(**{**files, "valid": []}, valid_fraction=0.2, seed=seed))
        found = dict(zip(held.labels, held.targets("validation").sum(axis=0).tolist(), strict=True))
        assert {name: found[name] for name in ("rare", "rarer")} == {"rare": 3, "rarer": 1}
        assert found["often"] in (10, 11)
        assert (~held.targets("validation").any(axis=1)).sum() in (3, 4)
    assert rarest_labels(np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1], [1, 1, 0]])).tolist() == [3, 0, 3, 0]


def test_labels_in_columns_of_their_own(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,text,rude,kind\n7,a b,1,0\n8,c d,0.0,1.0\n9,e f,,false\n10,g h,TRUE,1\n")
    as_json = [{"text": text, "rude": rude, "kind": kind} for text, rude, kind in (("a b", True, 0), ("c d", False, 1))]
    files |= {"label_column": "rude,kind", "valid": [str(tmp_path / "t.csv")], "train": [str(tmp_path / "t.csv")]}
    data = load_data(ClassifyConfig(**files | {"test": write(tmp_path / "t.jsonl", as_json)}))
    assert data.labels == ["kind", "rude"]
    assert data.targets("train").tolist() == [[0, 1], [1, 0], [0, 0], [1, 1]]
    assert data.targets("test").tolist() == [[0, 1], [1, 0]]
    assert data.texts("train") == ["a b", "c d", "e f", "g h"]
    assert data.ids("train") == ["7", "8", "9", "10"]
    datasets.Dataset.from_list(as_json).save_to_disk(tmp_path / "saved")
    saved = load_data(ClassifyConfig(**files | {"test": [str(tmp_path / "saved")]}))
    assert saved.targets("test").tolist() == [[0, 1], [1, 0]]
    (tmp_path / "bad.csv").write_text("text,rude,kind\na,1,0\nb,2,0\n")
    with pytest.raises(
        DataError, match=r"bad\.csv line 3: 'rude' is '2'; expected 1 or 0: several columns of --label-c"
    ):
        load_data(ClassifyConfig(**files | {"test": [str(tmp_path / "bad.csv")]}))
    with pytest.raises(DataError, match=r"t\.csv has no column 'mean'; it has id, text, rude, kind \(--label-column\)"):
        load_data(ClassifyConfig(**files | {"label_column": "rude,mean"}))
    with pytest.raises(
        ConfigError, match="--label-column 3,4: one column is expected; several are given by their names"
    ):
        load_data(ClassifyConfig(**files | {"label_column": "3,4"}))


@pytest.mark.parametrize(
    ("rows", "changes", "problem"),
    [
        ([{"text": "a", "labels": []}] * 3, {}, "none of the 3 training rows has a label"),
        ([{"text": "a", "labels": ["x"]}] * 3, {}, "have the label 'x'; two classes are needed"),
        ([{"text": "a", "labels": ["x"]}], {"target": "label"}, r"line 1: 'labels' is a list.* --target labels learns"),
        ([{"text": "a", "labels": [["x"]]}], {}, r"line 1: 'labels' is a list with \[\"x\"\]"),
        ([{"text": "a", "labels": "x"}], {"target": "number", "valid": []}, "line 1: 'x' is no number"),
        ([{"text": "a", "labels": ["joy", "love", "anger"]}], {"valid": []}, "--train has 1 training row; a"),
        ([{"text": "a", "labels": ["joy", "hate"]}], {"where": "test"}, "line 1: the label 'hate'"),
        ([{"text": "a", "labels": []}], {"where": "valid"}, "none of the 1 validation rows has a label, and thresh"),
    ],
)  # fmt: skip
def test_bad_rows_are_told(
    files: dict[str, Any], tmp_path: Path, rows: list[dict[str, Any]], changes: dict[str, Any], problem: str
) -> None:
    where = changes.get("where", "train")
    bad = write(tmp_path / "bad.jsonl", rows)
    files |= {name: value for name, value in changes.items() if name != "where"} | {where: bad}
    if files["target"] == "number":
        files["test"] = bad
    with pytest.raises(DataError, match=problem):
        load_data(ClassifyConfig(**files))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"target": "label", "threshold": 0.5}, "threshold needs target labels"),
        ({"target": "number", "class_weights": "balanced"}, "class_weights need target label or labels, got number"),
        ({"class_weights": "joy"}, "expected balanced, or a weight for each label as spam=5"),
        ({"class_weights": {"joy": 0.0}}, "class_weights must be above 0"),
        ({"best_by": "accuracy"}, "best_by of target labels is one of micro_f1, macro_f1, lrap, loss"),
    ],
)
def test_settings_that_contradict(files: dict[str, Any], changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ClassifyConfig(**files | changes)


def test_a_text_with_two_marks_has_two_labels(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("__label__a one\n__label__a __label__b two\n")
    with pytest.raises(DataError, match=r"t\.txt line 2 has 2 labels, a, b; expected one \(--target labels"):
        load_data(ClassifyConfig(**{**files, "target": "label", "train": [str(tmp_path / "t.txt")]}))


def test_lists_of_numbered_classes_in_datasets_get_their_names(
    files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = datasets.ClassLabel(names=["anger", "joy", "love"])
    features = datasets.Features({"text": datasets.Value("string"), "labels": datasets.Sequence(names)})
    rows = {"text": ["a", "b", "c"], "labels": [[1, 2], [0], []]}
    made = datasets.Dataset.from_dict(rows, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: made)
    data = load_data(ClassifyConfig(**files | {"test": ["emotions:test"]}))
    assert data.targets("test").tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
