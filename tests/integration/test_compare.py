"""`elmo compare` from a config to a report, on a few synthetic rows."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.demo.synthetic import generate
from elmokit.experiments.cells import Cell, named
from elmokit.experiments.classification import ClassifyCell
from elmokit.experiments.running import run_cells
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.run_folder import single_writer
from helpers.compare_cells import Noted


def write_rows(path: Path, examples: list[Any]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("topic", "text"))
        writer.writerows((example.topic, example.text) for example in examples)


def compare(*words: object) -> Result:
    return CliRunner().invoke(app, ["compare", *(str(word) for word in words)])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows, a tiny model and a config."""
    folder = tmp_path_factory.mktemp("compare")
    examples = generate(180, 3)
    write_rows(folder / "train.csv", examples[:120])
    write_rows(folder / "test.csv", examples[120:])
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    (folder / "bad.txt").write_text("a 1 2\nb 1\n")
    study = {
        "title": "Topics <of> synthetic news",
        "output": str(folder / "out"),
        "cache": str(folder / "cache"),
        "data": {"train": [str(folder / "train.csv")], "test": [str(folder / "test.csv")], "valid_fraction": 0.2},
        "seeds": [1, 2],
        "processes": 1,
        "classifier": {"epochs": 2, "head_hidden_dim": 4, "head_layers": 1, "batch_size": 16, "learning_rate": 0.02},
        "vectors": {"dim": 8, "min_count": 2, "epochs": 1},
        "rows": [
            {"name": "TF-IDF", "kind": "tfidf"},
            {"name": "SVD", "kind": "svd", "note": "a | and <b>"},
            {"name": "broken", "kind": "vectors", "file": str(folder / "bad.txt")},
            {"name": "ELMo", "kind": "model", "model": str(folder / "model")},
            {"name": "both", "kind": "model", "model": str(folder / "model"), "vectors": "SVD", "seeds": [1]},
            {"name": "tuned", "kind": "model", "start": "ELMo", "settings": {"finetune": True, "epochs": 1}},
        ],
        "efficiency": {"fractions": [0.3], "rows": ["SVD", "ELMo"], "settings": {0.3: {"epochs": 1}}},
        "word_map": {"word": "bank", "rows": ["SVD", "ELMo"]},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> Path:
    """The study's folder after one run."""
    result = compare("--config", place / "study.yaml", "--quiet")
    assert result.exit_code == 0, result.output
    assert re.search(r"SVD +0\.\d{4}  0\.\d{4}–[01]\.\d{4} +0\.\d{4}", result.output)
    return place / "out"


def test_results_have_every_row_and_its_intervals(finished: Path) -> None:
    study = json.loads((finished / "results.json").read_text())
    assert study["data"] == {"train": 96, "validation": 24, "test": 60}
    rows = {row["name"]: row for row in study["rows"]}
    assert list(rows) == ["TF-IDF", "SVD", "broken", "ELMo", "both", "tuned"]
    test = rows["ELMo"]["metrics"]["test"]
    assert set(test) == {"accuracy", "precision", "recall", "f1"}
    assert set(test["accuracy"]) == {"mean", "low", "high", "seeds"}
    assert len(test["accuracy"]["seeds"]) == 2
    assert rows["both"]["metrics"]["test"]["accuracy"]["low"] is None  # one seed
    assert set(rows["TF-IDF"]["metrics"]) == {"train", "test"}  # it learns from the validation rows too
    assert rows["tuned"]["trained_parameters"] > rows["ELMo"]["trained_parameters"]
    assert rows["ELMo"]["words_per_second"] > 0
    assert sum(share["mean"] for share in rows["ELMo"]["lambdas"]) == pytest.approx(1, abs=1e-5)
    assert sum(map(sum, rows["SVD"]["confusion"]["test"])) == 60
    assert study["efficiency"]["shares"] == [0.3, 1.0]
    gain = study["efficiency"]["gains"][0]
    assert (gain["model"], gain["static"]) == ("ELMo", "SVD")
    curves = study["efficiency"]["curves"]
    assert gain["mean"] == pytest.approx(curves["ELMo"][0]["mean"] - curves["SVD"][0]["mean"])
    assert study["map"]["planes"]["SVD"]["explained"] == [0.0, 0.0]  # one point
    assert sum(study["map"]["planes"]["ELMo"]["explained"]) > 0
    assert {"first", "second", "difference", "low", "high", "mcnemar"} <= set(study["pairs"][0])
    gains = {gain["row"]: gain for gain in study["gains"]}
    assert list(gains) == ["SVD", "ELMo", "both", "tuned"]  # over the first row
    assert gains["SVD"]["mean"] == pytest.approx(
        rows["SVD"]["metrics"]["test"]["accuracy"]["mean"] - rows["TF-IDF"]["metrics"]["test"]["accuracy"]["mean"]
    )
    assert (gains["SVD"]["over"], gains["both"]["over"]) == ("seeds", "rows")
    assert rows["both"]["over_rows"]["low"] <= rows["both"]["metrics"]["test"]["accuracy"]["mean"]


def test_a_row_that_fails_is_marked_and_the_others_are_there(finished: Path) -> None:
    rows = {row["name"]: row for row in json.loads((finished / "results.json").read_text())["rows"]}
    assert rows["broken"]["metrics"] == {}
    assert "2 of 2 seeds: not begun: " in rows["broken"]["failed"]
    assert "bad.txt line 2" in rows["broken"]["failed"]
    assert "| broken | — |" in (finished / "report.md").read_text()


def test_the_report_says_how_the_classifiers_were_trained(finished: Path) -> None:
    study = json.loads((finished / "results.json").read_text())
    lines = (finished / "report.md").read_text().splitlines()
    assert study["classifier"]["epochs"]
    assert f"epochs = {study['classifier']['epochs']}" in next(line for line in lines if "all classifiers: " in line)
    started = next(row for row in study["rows"] if row["start"])
    line = next(line for line in lines if f"{started['name']}: " in line)
    assert f"continues from the classifiers of “{started['start']}”" in line


def test_the_tables_of_the_markdown_are_whole(finished: Path) -> None:
    lines = (finished / "report.md").read_text().splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("|---")]
    assert len(rules) == 4  # rows, gains, pairs, shares
    for number in rules:
        around = lines[number - 1 : number + 2]
        assert len({line.count(" | ") or line.count("|") - 2 for line in around}) == 1, around


class Page(HTMLParser):
    """Collects what a page would load, and its ids."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "href", "xlink:href", "data") if name in given]
        self.ids += [str(given["id"])] if "id" in given else []
        assert tag not in ("script", "iframe", "object")


def test_the_page_needs_nothing_else(finished: Path) -> None:
    text = (finished / "report.html").read_text()
    page = Page()
    page.feed(text)
    outside = [target for target in page.loads if not target.startswith(("#", "data:"))]
    assert outside == []
    assert {target[1:] for target in page.loads if target.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(http" not in text
    assert "Topics &lt;of&gt; synthetic news" in text
    assert "a | and &lt;b&gt;" in text
    assert "var(--series-0)" in text  # the pictures follow the theme
    assert text.count("<svg") == 6
    names = set(re.findall(r"\]\((pictures/[a-z_]+\.png)\)", (finished / "report.md").read_text()))
    assert len(names) == 6
    assert all((finished / name).is_file() for name in names)


def test_a_second_run_computes_nothing_and_a_new_row_costs_only_itself(
    place: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(ClassifyCell, "run", lambda cell: ran.append(cell.label))
    before = json.loads((finished / "results.json").read_text())
    assert compare("--config", place / "study.yaml", "--quiet").exit_code == 0
    assert ran == []
    assert json.loads((finished / "results.json").read_text()) == before
    study = yaml.safe_load((place / "study.yaml").read_text())
    study["rows"].append({"name": "more", "kind": "random", "seeds": [1]})
    study["word_map"]["word"] = None
    (place / "more.yaml").write_text(yaml.safe_dump(study))
    assert compare("--config", place / "more.yaml", "--quiet").exit_code == 0
    assert ran == ["more, seed 1"]


def test_data_that_cannot_be_used_is_told_before_any_work(place: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "test.csv", [])
    with (tmp_path / "test.csv").open("a") as file:
        file.write("Weather,It rains\n")
    words = ["--config", place / "study.yaml", "--output", tmp_path / "out"]
    result = compare(*words, "--set", f"data.test=[{tmp_path / 'test.csv'}]")
    assert result.exit_code == 2
    assert "the label 'Weather' (1 rows of --test), which the training rows lack" in result.stderr
    result = compare(*words, "--set", f"rows=[{{name: x, kind: model, model: {tmp_path}}}]", "--set", "efficiency={}",
                     "--set", "word_map={}")  # fmt: skip
    assert result.exit_code == 2
    assert f"row 'x': there is no model folder {tmp_path}" in result.stderr
    assert not (tmp_path / "out" / "results.json").exists()


def test_any_task_is_compared(place: Path, tmp_path: Path) -> None:
    """Two taggers: the report has F1 instead of accuracy, and no confusion matrix."""
    sentences = ["the O\nbank B-N\n", "to O\nbank B-V\n", "a O\nriver B-N\n", "banks B-N\nfail B-V\n"]
    (tmp_path / "tags.txt").write_text("\n".join(sentences * 6), encoding="utf-8")
    files = [str(tmp_path / "tags.txt")]
    study = {
        "title": "Tags", "task": "tag", "output": str(tmp_path / "out"), "cache": str(tmp_path / "cache"),
        "processes": 1, "data": {"train": files, "valid": files, "test": files},
        "settings": {"epochs": 1, "head_hidden_dim": 4, "head_layers": 1},
        "seeds": [1],
        "rows": [
            {"name": "ELMo", "model": str(place / "model")},
            {"name": "tuned", "start": "ELMo", "settings": {"finetune": True}},
        ],
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    result = compare("--config", tmp_path / "study.yaml", "--quiet")
    assert result.exit_code == 0, result.output
    assert re.search(r"ELMo +[01]\.\d{4}  [01]\.\d{4}–[01]\.\d{4} \(test rows\)", result.output)
    assert re.search(r"tuned over ELMo: [+-][01]\.\d{4} \([+-].* to [+-].*, rows\)", result.output)
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (found["task"], found["figure"], found["unit"]) == ("tag", "f1", "sentences")
    assert found["data"] == {"train": 24, "validation": 24, "test": 24}
    assert set(found["pairs"][0]) == {"first", "second", "difference", "low", "high"}
    report = (tmp_path / "out" / "report.md").read_text()
    assert "test f1" in report
    assert "Training files: tags.txt; validation files: tags.txt; test files: tags.txt." in report
    assert "Seed 1 draws start and order." in report
    assert "pictures/confusion.png" not in report


def test_cells_wait_for_what_they_need_and_survive_a_dying_process(tmp_path: Path) -> None:
    first, last = Noted(tmp_path / "a", "first", 1), Noted(tmp_path / "c", "last", 9, needs=(tmp_path / "a",))
    dies = Noted(tmp_path / "b", "dies", 5)
    after = Noted(tmp_path / "d", "after", 5, needs=(tmp_path / "b",))
    cells: dict[Path, Cell] = {cell.folder: cell for cell in (last, first, dies, after)}
    failures = run_cells(cells, processes=2, progress=False)
    assert set(failures) == {dies.folder, after.folder}
    assert "its process died" in failures[dies.folder]
    order = (tmp_path / "order").read_text().split()
    assert order.index("first") < order.index("last")
    assert first.done
    assert last.done


def test_folders_are_named_by_what_goes_in() -> None:
    home = Path("home")
    assert named(home, "a/B", {"x": 1}) == named(home, "a/B", {"x": 1})
    assert named(home, "a/B", {"x": 1}) != named(home, "a/B", {"x": 2})
    assert named(home, "a/B", 1).name.startswith("a-b-")


@pytest.mark.parametrize("target", ["number", "labels"])
def test_tf_idf_is_compared_whatever_is_learned(place: Path, tmp_path: Path, target: str) -> None:
    topics = sorted({example.topic for example in generate(180, 3)})
    for name, part in (("train", slice(0, 120)), ("test", slice(120, 180))):
        examples = [
            (topics.index(each.topic) * 2.5 if target == "number" else each.topic, each.text)
            for each in generate(180, 3)[part]
        ]
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("topic", "text"), *examples])
    study = {
        "output": str(tmp_path / "out"), "cache": str(tmp_path / "cache"), "processes": 1, "seeds": [1, 2],
        "data": {
            "train": [str(tmp_path / "train.csv")], "test": [str(tmp_path / "test.csv")], "label_column": "topic",
            "target": target, "valid_fraction": 0.2,
        },
        "settings": {"epochs": 1, "head_hidden_dim": 4, "head_layers": 1},
        "rows": [{"name": "TF-IDF", "kind": "tfidf"}, {"name": "ELMo", "model": str(place / "model")}],
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    result = compare("--config", tmp_path / "study.yaml", "--quiet")
    assert result.exit_code == 0, result.output
    rows = {
        row["name"]: row["metrics"]["test"] for row in json.loads((tmp_path / "out/results.json").read_text())["rows"]
    }
    assert set(rows) == {"TF-IDF", "ELMo"}
    assert rows["TF-IDF"]["pearson" if target == "number" else "micro_f1"]["mean"] > 0.4


def test_one_comparison_at_a_time_writes_to_an_output(place: Path, finished: Path) -> None:
    with single_writer(finished):
        result = compare("--config", place / "study.yaml", "--quiet")
    assert result.exit_code == 2
    assert "another process is writing" in result.stderr
