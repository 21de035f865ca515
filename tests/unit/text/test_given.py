"""Texts as Python callers have them."""

from __future__ import annotations

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


def test_a_text_is_shown_on_one_line() -> None:
    assert in_a_line("rain\nfell\r\n here") == "rain fell here"
    assert in_a_line(["rain", "fell"]) == "rain fell"
