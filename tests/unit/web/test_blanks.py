"""Words for a blank by lift, and without function words."""

from __future__ import annotations

import math

import pytest
from fastapi.testclient import TestClient

from elmokit.encode.encoder import Encoder
from elmokit.web.blanks import is_content

COUNTS = {"the": 1000, "bank": 10, "of": 500, "river": 5, "was": 300, "wet": 2, "and": 400, "cell": 1}


@pytest.fixture
def counted(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """The encoder, its words counted in another text."""
    assert encoder.word_weights is not None
    monkeypatch.setattr(encoder.word_weights, "counts", COUNTS)
    return encoder


def test_lift_is_probability_over_frequency(client: TestClient, counted: Encoder) -> None:
    body = {"sentence": "The ___ was wet.", "k": 8}
    found = client.post("/api/substitutes", json={**body, "rank": "lift"}).json()["substitutes"]
    asked = {each.word: each for each in counted.substitutes(["The", "___", "was", "wet", "."], 1, 8)}
    share = {word: count / sum(COUNTS.values()) for word, count in COUNTS.items()}
    assert set(asked) == set(COUNTS)
    for each in found:
        likely = math.sqrt(asked[each["word"]].forward * asked[each["word"]].backward)
        assert each["lift"] == pytest.approx(likely / share[each["word"]], rel=1e-3)
    assert [each["lift"] for each in found] == sorted((each["lift"] for each in found), reverse=True)
    few = client.post("/api/substitutes", json={**body, "k": 3, "rank": "lift"}).json()["substitutes"]
    ranked = sorted(asked, key=lambda word: 0.75 * math.log(share[word]) - asked[word].score / 2)
    assert {each["word"] for each in few} == set(ranked[:3])
    likeliest = client.post("/api/substitutes", json=body).json()["substitutes"]
    assert [each["word"] for each in likeliest] == list(asked)


def test_content_words_alone(client: TestClient, counted: Encoder) -> None:
    body = {"sentence": "The ___ was wet.", "k": 8, "words": "content"}
    found = client.post("/api/substitutes", json=body).json()["substitutes"]
    assert {each["word"] for each in found} == {"bank", "river", "wet", "cell"}


@pytest.mark.parametrize(
    ("word", "content"), [("river", True), ("The", False), ("1990", False), (",", False), ("n't", False), ("Zoë", True)]
)
def test_function_words_numbers_and_marks_are_no_content(word: str, content: bool) -> None:
    assert is_content(word) is content
