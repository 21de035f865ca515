import json

import numpy as np
import pytest

from elmokit.tasks.metrics import accuracy_and_f1, classification_scores

GOLD = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])


def test_scores_by_hand() -> None:
    scores = classification_scores(GOLD, PREDICTED, labels=["a", "b", "c"])
    assert scores["accuracy"] == pytest.approx(3 / 6)
    assert scores["confusion"] == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert scores["per_class"]["a"] == {
        "precision": 0.5,
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(4 / 7),
        "rows": 3,
    }
    assert scores["per_class"]["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "rows": 1}
    assert scores["macro"]["f1"] == pytest.approx((4 / 7 + 0.5 + 0) / 3)
    assert scores["weighted"]["recall"] == pytest.approx(scores["accuracy"])
    for figure in ("precision", "recall", "f1"):
        assert scores["micro"][figure] == pytest.approx(scores["accuracy"])


def test_a_class_that_does_not_occur_keeps_its_row() -> None:
    scores = classification_scores(GOLD, PREDICTED, labels=["a", "b", "c", "d"])
    assert scores["confusion"][3] == [0, 0, 0, 0]
    assert scores["per_class"]["d"]["rows"] == 0


def test_scores_are_plain_json() -> None:
    assert json.loads(json.dumps(classification_scores(GOLD, PREDICTED, labels=["a", "b", "c"])))["rows"] == 6


def test_accuracy_and_macro_f1() -> None:
    watched = accuracy_and_f1(GOLD, PREDICTED)
    assert watched == {"accuracy": 0.5, "macro_f1": pytest.approx((4 / 7 + 0.5 + 0) / 3)}
