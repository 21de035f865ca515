"""A study's settings: what does not fit is told by name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from elmokit.errors import ConfigError
from elmokit.experiments.config import CompareConfig
from elmokit.settings import load_settings

ROWS: list[dict[str, Any]] = [
    {"name": "floor", "kind": "tfidf"},
    {"name": "sg", "kind": "skipgram"},
    {"name": "elmo", "kind": "model", "model": "m"},
]


def study(rows: list[dict[str, Any]] | None = None, **more: Any) -> CompareConfig:
    values = {"output": "out", "data": {"train": ["a.csv"], "test": ["b.csv"]}, "rows": rows or ROWS} | more
    return load_settings(CompareConfig, **values)


def test_rows_may_build_on_rows_above_them() -> None:
    found = study([*ROWS, {"name": "both", "kind": "model", "model": "m", "vectors": "sg"},
                   {"name": "tuned", "kind": "model", "start": "elmo", "settings": {"finetune": True}}])  # fmt: skip
    assert found.row("both").vectors == "sg"
    assert found.seeds == [1, 2, 3]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            [{"name": "x", "kind": "bert"}],
            "'rows.0.kind': expected one of tfidf, random, svd, cbow, skipgram, vectors, model, got 'bert'",
        ),
        ([ROWS[0], ROWS[0]], "two rows have the name 'floor'"),
        ([{"name": "x", "kind": "vectors"}], "a row of kind vectors, and no other, has a `file`"),
        ([{"name": "x", "kind": "model"}], "a row of kind model has one of `model`, `pretrain` and `start`"),
        ([{"name": "x", "kind": "svd", "model": "m"}], "only rows of kind model"),
        (
            [{"name": "x", "kind": "model", "model": "m", "vectors": "sg"}],
            "vectors 'sg' is no static row above it, and no file",
        ),
        ([{"name": "x", "kind": "model", "start": "y"}], "start 'y' is no row of kind model above it"),
        (
            [
                ROWS[1],
                {"name": "x", "kind": "skipgram", "start": "sg"},
                {"name": "y", "kind": "model", "model": "m", "vectors": "x"},
            ],
            "vectors 'x' learns within its classifiers",
        ),
        ([ROWS[1], {"name": "x", "kind": "svd", "start": "sg"}], "start 'sg' is no row of kind svd above it"),
        ([ROWS[0], {"name": "x", "kind": "tfidf", "start": "floor"}], "a row of kind tfidf has no `start`"),
        ([{"name": "x", "kind": "svd", "settings": {"hidden": 3}}], "'hidden' is no setting of elmo train classify"),
        ([{"name": "x", "kind": "svd", "settings": {"seed": 3}}], "'seed' is set by the study"),
        ([{"name": "x", "kind": "svd", "dim": 3}], "unknown setting 'rows.0.dim'"),
    ],
)
def test_rows_that_do_not_fit(rows: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        study(rows)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"classifier": {"epoch": 3}}, "'epoch' is no setting"),
        ({"efficiency": {"rows": ["what"]}}, "efficiency.rows names 'what'; the rows are floor, sg, elmo"),
        ({"efficiency": {"fractions": [0.5, 0.1]}}, "rising shares between 0 and 1"),
        ({"efficiency": {"settings": {0.3: {}}}}, "0.3 is none of the fractions"),
        ({"word_map": {"word": "bank", "rows": ["what"]}}, "word_map.rows names 'what'"),
        ({"seeds": []}, "setting 'seeds'"),
        ({"baselines": ["what"]}, "baselines names 'what'"),
        ({"task": "parse"}, "setting 'task': expected one of classify, tag"),
        ({"data": {"train": ["a.csv"], "tests": ["b.csv"]}}, "'tests' is no setting of elmo train classify"),
        ({"settings": {"test": ["b.csv"]}}, "'test' belongs to `data`"),
        ({"settings": {}, "common": {}}, "'common' is another name of 'settings'"),
        ({"task": "tag"}, "row 'floor': kind tfidf is for the task classify"),
        ({"task": "tag", "rows": ROWS[1:]}, "`text` is missing"),
        ({"task": "tag", "rows": ROWS[2:], "word_map": {"word": "bank"}}, "word_map is for the task classify"),
        ({"output": "$NO_SUCH_FOLDER/out"}, "$NO_SUCH_FOLDER/out: set NO_SUCH_FOLDER"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        study(**more)


def test_variables_of_the_environment_and_old_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_DATA", "/data")
    found = study(data={"train": ["$SOME_DATA/a.csv"], "test": ["b.csv"]}, classifier={"epochs": 3})
    assert found.data["train"] == ["/data/a.csv"]
    assert found.settings == {"epochs": 3}
