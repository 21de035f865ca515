"""Texts as Python callers have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from elmokit.text.given import given_texts, in_a_line

TEXTS = ["rain fell", "we rowed"]


@pytest.mark.parametrize(
    "given",
    [
        TEXTS, tuple(TEXTS), iter(TEXTS), pd.Series(TEXTS, index=[7, 3]), pd.DataFrame({"text": TEXTS}),
        np.array(TEXTS),
        np.array(TEXTS)[:, None], dict.fromkeys(TEXTS).keys(),
    ],
)  # fmt: skip
def test_any_iterable_and_a_table_of_one_column(given: Any) -> None:
    assert list(given_texts(given)) == TEXTS


def test_one_text_is_a_list_of_one() -> None:
    assert list(given_texts("rain fell")) == ["rain fell"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": TEXTS}, "got a mapping, 'text': pass one value"),
        (
            pd.DataFrame({"text": TEXTS, "label": [1, 2]}),
            r"a table of shape \(2, 2\), columns 'text', 'label',: pass one",
        ),
        (np.array([TEXTS, TEXTS]), r"a table of shape \(2, 2\): pass one column"),
    ],
)
def test_what_does_not_say_which_texts(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        given_texts(given)


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
@pytest.mark.parametrize("is_split_into_words", [None, True, False])
def test_missing_texts_are_told_with_their_number(missing: Any, is_split_into_words: bool | None) -> None:
    texts = [["a"] if is_split_into_words else "a", missing]
    with pytest.raises(ValueError, match=rf"^text 2 is missing \({missing}\): fill or drop it first\.$"):
        list(given_texts(texts, is_split_into_words=is_split_into_words))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"^Expected a list of texts, got 'None' \(NoneType\)"),
        (5, r"^Expected a list of texts, got '5' \(int\)"),
        (np.array("a b"), r"^Expected a list of texts, got 'a b' \(ndarray\)"),
        (Path("x.txt"), r"^Expected a list of texts, got the path 'x\.txt': read the file first"),
        (b"abc", "^Expected a list of texts, got bytes: decode them first"),
        ([b"abc"], "^text 1 is bytes: decode it first"),
        (["a", 3], r"^text 2 is '3' \(int\); expected a text"),
        ([{"a": 1}], r"^text 1 is .* \(dict\); expected a text"),
    ],
)
def test_what_contains_no_texts(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(given_texts(given))


def test_rows_of_an_array_of_words_are_texts() -> None:
    rows = [list(row) for row in given_texts(np.array([["A", "b"], ["c", "d"]]), is_split_into_words=True)]
    assert rows == [["A", "b"], ["c", "d"]]
    assert [list(row) for row in given_texts(np.array([["A"], ["c"]]), is_split_into_words=True)] == [["A"], ["c"]]
    column = pd.DataFrame({"words": [["A", "b"], ["c"]]})
    assert list(given_texts(column, is_split_into_words=True)) == [["A", "b"], ["c"]]


def test_a_text_is_shown_on_one_line() -> None:
    assert in_a_line("rain\nfell\r\n here") == "rain fell here"
    assert in_a_line(["rain", "fell"]) == "rain fell"
