"""The report of a comparison in a real browser: network off, at desk and phone width, light, dark and printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from elmokit.report.study import Study
from elmokit.report.study_page import write_report

LABELS = ["calm", "storm"]


def value(mean: float, *, spread: float | None = 0.01) -> dict[str, Any]:
    low, high = (None, None) if spread is None else (mean - spread, mean + spread)
    return {"mean": mean, "low": low, "high": high, "seeds": [mean]}


def row(name: str, kind: str, accuracy: float, **more: Any) -> dict[str, Any]:
    scores = {metric: value(accuracy) for metric in ("accuracy", "precision", "recall", "f1")}
    confusion = [[40, 10], [8, 42]]
    epochs = [{"epoch": n, "validation_accuracy": accuracy - 0.1 / n, "validation_loss": 1 / n} for n in (1, 2)]
    return {
        "name": name, "kind": kind, "note": "", "start": None, "settings": {},
        "metrics": {split: scores for split in ("train", "validation", "test")},
        "parameters": 12_345, "trained_parameters": 345, "seconds": 3.2, "words_per_second": 4567.8,
        "confusion": {"test": confusion}, "history": epochs if kind != "tfidf" else [], **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three rows and one that failed."""
    shares = [value(0.3), value(0.3), value(0.4, spread=None)]
    pair = {"first": "ELMo", "second": "SVD", "difference": -0.01, "low": -0.03, "high": 0.01, "mcnemar": 0.0004}
    planes = {"ELMo": {"points": [[0, 1], [1, 0], [1, 1]], "classes": [0, 1, 1], "explained": [0.6, 0.2]}}
    broken: dict[str, Any] = {
        "name": "broken",
        "kind": "vectors",
        "note": "",
        "start": None,
        "settings": {},
        "metrics": {},
        "failed": "no file",
    }
    study = {
        "title": "A <b>study</b>", "labels": LABELS, "data": {"train": 100, "validation": 10, "test": 100},
        "files": {"train": ["train.csv"], "test": ["test.csv"], "text": []}, "seen_in_training": 3, "seeds": [1, 2],
        "settings": {"epochs": 2}, "gains": [],
        "task": "classify", "figure": "accuracy", "highest": 1.0, "unit": "rows",
        "rows": [
            row("TF-IDF", "tfidf", 0.85), row("SVD", "svd", 0.8, note="<script>alert(1)</script>"),
            row("ELMo", "model", 0.9, lambdas=shares), broken,
        ],
        "pairs": [{**pair, "only_first": 4, "only_second": 6}],
        "efficiency": {
            "shares": [0.1, 1.0], "curves": {"SVD": [value(0.5), value(0.8)], "ELMo": [None, value(0.9)]},
            "gains": [None, {"share": 1.0, "model": "ELMo", "static": "SVD", **value(0.1)}],
        },
        "map": {"word": "gale", "planes": planes}, "versions": {"python": "3"},
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("report")
    write_report(cast(Study, study), folder)
    return folder / "report.html"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_with_the_network_off(report: Path, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page = context.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(report.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert troubles == []
    assert page.title() == "A <b>study</b>"
    assert page.locator("h1").inner_text() == "A <b>study</b>"
    assert page.get_by_text("<script>alert(1)</script>").count() == 1  # as text
    assert page.locator("figure svg").count() == 6
    assert all(page.locator("figure svg").nth(n).bounding_box()["height"] > 100 for n in range(6))
    assert page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )  # wide tables scroll by themselves
    page.get_by_role("link", name="Confusion matrices").click()
    assert page.evaluate("document.querySelector('#confusion').getBoundingClientRect().top") < 400
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (sum(_channels(ink)) > sum(_channels(paper))) == (scheme == "dark")
    drawn = page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    assert (sum(_channels(drawn)) > 380) == (scheme == "dark")  # the pictures follow
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    context.close()


def test_every_picture_says_what_it_shows(report: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.get_by_role("img").count() == 6
    assert page.get_by_role("img", name="Accuracy. Test accuracy of every row.").count() == 1
    assert page.get_by_role("rowheader", name="broken").count() == 1
    page.close()


def _channels(colour: str) -> list[int]:
    return [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
