"""The bars of a comparison: where their figures stand, and what is said of a cut axis."""

from __future__ import annotations

from typing import Any, cast

import pytest

from elmokit.report.study import RowResult
from elmokit.report.study_plots import score_bars


def row(name: str, test: float, *, validation: float | None = None, spread: float = 0.002) -> dict[str, Any]:
    metrics: dict[str, Any] = {"test": {"accuracy": {"mean": test, "low": test - spread, "high": test + spread}}}
    if validation is not None:
        metrics["validation"] = {"accuracy": {"mean": validation, "low": None, "high": None}}
    return {"name": name, "kind": "model", "metrics": metrics}


def texts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (axis,) = score_bars(cast(list[RowResult], rows), score="accuracy", highest=None).axes
    return {text.get_text(): text for text in axis.texts}


def test_the_test_figure_stands_at_the_end_of_its_bar_and_not_at_the_validation_mark() -> None:
    found = texts([row("long", 0.99, validation=0.995), row("short", 0.83, validation=0.9)])
    inside, outside = found["0.9900"], found["0.8300"]
    assert inside.xy[0] == pytest.approx(0.988) and inside.get_ha() == "right"  # before the interval
    assert outside.xy[0] == pytest.approx(0.90) and outside.get_ha() == "left"  # too short to hold it


def test_a_cut_axis_is_said_on_the_picture() -> None:
    assert "axis cut: it starts at 0.85, not at 0" in texts([row("a", 0.93), row("b", 0.88)])
    assert not any(text.startswith("axis cut") for text in texts([row("a", 0.03), row("b", 0.02)]))
