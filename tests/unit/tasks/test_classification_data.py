from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ConfigError, DataError
from elmokit.settings import load_settings
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import load_data, seen_in_training
from elmokit.tasks.splits import hold_out, sample


def files(folder: Path, train: str, test: str = "a,t one\nb,t two\n", **settings: object) -> ClassifyConfig:
    (folder / "train.csv").write_text(train)
    (folder / "test.csv").write_text(test)
    flags = {"model": "m", "train": [str(folder / "train.csv")], "test": [str(folder / "test.csv")], "output": "o"}
    return load_settings(ClassifyConfig, **cast(Any, {**flags, **settings}))


TRAIN = "".join(f"{'ab'[number % 2]},text {number}\n" for number in range(40))


def test_labels_splits_and_order(tmp_path: Path) -> None:
    data = load_data(files(tmp_path, TRAIN))
    assert data.labels == ["a", "b"]
    assert {name: len(part.rows) for name, part in data.splits.items()} == {"train": 38, "validation": 2, "test": 2}
    assert data.texts("test") == ["t one", "t two"]
    assert data.classes("test").tolist() == [0, 1]
    assert sorted(data.texts("train") + data.texts("validation")) == sorted(f"text {n}" for n in range(40))


def test_the_split_goes_by_the_seed_alone(tmp_path: Path) -> None:
    config = files(tmp_path, TRAIN, valid_fraction=0.3)
    first, again = load_data(config), load_data(config)
    other = load_data(config.model_copy(update={"seed": 2}))
    assert first.texts("validation") == again.texts("validation") != other.texts("validation")


def test_numbers_are_sorted_as_numbers_and_named_by_a_file(tmp_path: Path) -> None:
    train = "".join(f"{number % 11 + 1},text\n" for number in range(44))
    data = load_data(files(tmp_path, train, test="10,x\n"))
    assert data.labels == [str(number) for number in range(1, 12)]
    (tmp_path / "names.txt").write_text("\n".join(f"class {number}" for number in range(1, 12)))
    data = load_data(files(tmp_path, train, test="10,x\n", label_names=tmp_path / "names.txt"))
    assert data.labels[9] == "class 10"
    assert data.classes("test").tolist() == [9]


def test_a_validation_file_and_a_part_of_train(tmp_path: Path) -> None:
    (tmp_path / "valid.csv").write_text("a,v one\n")
    data = load_data(files(tmp_path, TRAIN, valid=[str(tmp_path / "valid.csv")], train_fraction=0.25))
    assert data.texts("validation") == ["v one"]
    assert np.bincount(data.classes("train")).tolist() == [5, 5]


def test_clean_up_and_empty_texts(tmp_path: Path) -> None:
    data = load_data(files(tmp_path, TRAIN + "a,\nb,  \n", test="a,Kerry #39;s\n", clean=["clean_markup"]))
    assert data.sources["train"].counts.empty == 2
    assert data.texts("test") == ["Kerry's"]


def test_leaks_are_counted(tmp_path: Path) -> None:
    assert seen_in_training(load_data(files(tmp_path, TRAIN * 3, test="a,text 2\na,new\n"))) == 1


@pytest.mark.parametrize(
    ("train", "test", "problem"),
    [
        ("a,x\na,y\n", "a,x\n", "all 2 training rows have the label 'a'"),
        (
            TRAIN,
            "c,x\nc,y\nd,z\n",
            r"test\.csv line 1: the label 'c' \(2 rows of --test\) and 1 more labels, which the training rows lack",
        ),
        (TRAIN + "c,only\n", "a,x\n", r"class 'c' has 1 training row.*\(--valid\)"),
        (TRAIN, "a,\n", r"test\.csv contains no labelled text \(--test\)"),
        ("".join(f"word {n},1\n" for n in range(60)), "a,x\n", "60 different labels in 60 training rows"),
    ],
)
def test_bad_labels(tmp_path: Path, train: str, test: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        load_data(files(tmp_path, train, test))


def test_label_names_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("one\n")
    with pytest.raises(DataError, match=r"names 1 classes, the rows have 2 \(a, b\)"):
        load_data(files(tmp_path, TRAIN, label_names=tmp_path / "names.txt"))
    with pytest.raises(DataError, match=r"does not exist \(--label-names\)"):
        load_data(files(tmp_path, TRAIN, label_names=tmp_path / "none.txt"))


@given(st.lists(st.integers(2, 40), min_size=2, max_size=6), st.floats(0.01, 0.9), st.integers(0, 9))
def test_every_class_is_on_both_sides(sizes: list[int], fraction: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    kept, out = hold_out(
        np.arange(len(classes)), fraction=fraction, seed=seed, strata=classes, few=lambda number, count: "few"
    )  # fmt: skip
    assert sorted([*kept, *out]) == list(range(len(classes)))
    for rows in (kept, out):
        assert set(classes[rows]) == set(range(len(sizes)))


def test_a_smaller_sample_is_part_of_a_larger() -> None:
    classes = np.arange(300) % 3
    rows = np.arange(0, 300, 2)
    small, large = (sample(np.arange(300), rows, fraction=part, seed=4, strata=classes) for part in (0.1, 0.5))
    assert set(small) <= set(large) <= set(rows)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"epoch": 3}, r"unknown setting 'epoch' \(did you mean 'epochs'\?\); known here: model, output"),
        ({"epochs": 0}, r"setting 'epochs': expected a whole number of at least 1 \(or null\), got 0"),
        ({"combine": "sum"}, "setting 'combine': expected one of trainable, frozen, function, got 'sum'"),
    ],
)
def test_bad_settings(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_settings(ClassifyConfig, model="m", train=["t"], test=["t"], output="o", **cast(Any, settings))


def test_phrases_of_a_sentence_never_stand_on_both_sides(tmp_path: Path) -> None:
    trees = tmp_path / "trees.txt"
    trees.write_text("(3 (2 It) (4 good))\n(1 (2 It) (0 bad))\n" * 3)
    config = files(tmp_path, TRAIN).model_copy(update={"train": [str(trees)], "test": [str(trees)]})
    with pytest.raises(DataError, match="--valid"):
        load_data(config)
    assert len(load_data(config.model_copy(update={"phrases": False})).sources["train"].texts) == 6
    data = load_data(config.model_copy(update={"valid": [str(trees)]}))
    assert {name: len(part.rows) for name, part in data.splits.items()} == {"train": 9, "validation": 6, "test": 6}
