"""Progress where nobody redraws a bar: a line per minute."""

from __future__ import annotations

import time

import pytest

from elmokit import progress


def test_a_line_per_minute_in_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress.rate_bar("embedding", 9000, unit="words", show=True) as advance:
        for _ in range(6):
            now[0] += 25
            advance(1000)
    assert capsys.readouterr().err.splitlines() == [
        "embedding: 3,000 words, 40.0 words/s, 33%, about 2 min left",
        "embedding: 6,000 words, 40.0 words/s, 67%, about 1 min left",
    ]
    with progress.parts_bar("preparing", 4, done=2, show=True) as advance:
        now[0] += 90
        advance(500)
    assert capsys.readouterr().err == "preparing: 3 parts, 0.0 parts/s, 75%, about 2 min left\n"
    with progress.rate_bar("training", 400, unit="texts", show=True, done=100) as advance:
        now[0] += 60
        advance(60)
    assert capsys.readouterr().err == "training: 160 texts, 1.0 texts/s, 40%, about 4 min left\n"
    with progress.rate_bar("embedding", None, unit="words", show=True) as advance:
        now[0] += 60
        advance(60)
    assert capsys.readouterr().err == "embedding: 60 words, 1.0 words/s\n"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.rate_bar("embedding", 1, unit="words", show=False) as advance:
        advance(1)
    assert capsys.readouterr().err == ""
