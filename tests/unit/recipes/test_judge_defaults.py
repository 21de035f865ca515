"""The table of defaults: means over draws, runs behind TF-IDF counted, and a whole small run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import judge_defaults
from elmokit.tasks.run import run_task
from helpers.web_models import save_bilm
from judge_defaults import Outcome, table_row


def test_a_row_counts_the_runs_behind_by_a_point_and_those_that_say_so() -> None:
    found = [Outcome(0.80, 0.70, told=False), Outcome(0.70, 0.72, told=True), Outcome(0.70, 0.72, told=False)]
    assert table_row("CR", 1000, found) == "| CR | 1,000 | 0.733 | 0.713 | +0.020 | 2 of 3, 1 told |"
    level = [Outcome(0.715, 0.72, told=True)]
    assert table_row("CR", 300, level) == "| CR | 300 | 0.715 | 0.720 | -0.005 | none |"


def test_rows_of_the_training_file_are_drawn_and_others_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def briefly(task: Any, config: Any) -> None:
        run_task(task, config.model_copy(update={"epochs": 1}))

    monkeypatch.setattr(judge_defaults, "run_task", briefly)
    (tmp_path / "data" / "ag_news").mkdir(parents=True)
    with gzip.open(tmp_path / "data" / "ag_news" / "train.csv.gz", "wt", encoding="utf-8") as file:
        for number in range(60):
            file.write(f'"{1 + number % 2}","Title {number}","A {("cat", "dog")[number % 2]} of day {number}"\n')
    bilm, runs = save_bilm(tmp_path / "bilm"), tmp_path / "runs"
    sizes = ["--sets", "AG News", "--sizes", "40", "1000", "--draws", "1"]
    assert judge_defaults.main([str(bilm), str(tmp_path / "data"), str(runs), *sizes]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert printed[2].startswith("| AG News | 40 | ")
    rows = json.loads((runs / "AG News" / "40-0" / "metrics.json").read_text(encoding="utf-8"))["rows"]
    assert rows["test"] == 12
    assert rows["train"] + rows["validation"] == 40
    trained, judged = (
        set((runs / "AG News" / name).read_text(encoding="utf-8").splitlines()[1:])
        for name in ("40-0.csv", "judged.csv")
    )
    assert not trained & judged
