"""Metrics in types: what is written is read back, and what a reader should know is said."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from elmokit.tasks.notes import notes_on
from elmokit.tasks.plan import Schedule
from elmokit.tasks.report import EpochRecord, RunMetrics, Scores, best_of, score_table

SCHEDULE = Schedule(epochs=3, patience=3, batch_size=16, learning_rate=1e-3)


def metrics(accuracy: float, **changes: Any) -> RunMetrics:
    test = Scores({"rows": 100}, {"accuracy": accuracy}, {"macro": {"f1": 0.5}})
    records = [EpochRecord(epoch, 1.0, {"loss": 1.0 / epoch, "accuracy": 0.1 * epoch}, 2.0, 9.0) for epoch in (1, 2, 3)]
    found = RunMetrics(
        task="classify", model="m", combine="trainable", finetune=False, vectors=None, seed=1, precision="float32",
        parameters={"total": 2, "trained": 1}, epochs=3, best_epoch=2, texts_per_second=9.0, rows={"test": 100},
        scores={"test": test}, history=records, versions={"torch": "2"}, facts={"labels": ["a", "b"]},
        figure="accuracy",
    )  # fmt: skip
    return replace(found, **changes)


def test_metrics_are_read_back_by_the_type_that_wrote_them() -> None:
    mixed = [EpochRecord(1, None, {"loss": 0.5}, gamma=1.5, lambdas=[0.2, 0.8])]
    for whole in (metrics(0.7), metrics(0.7, history=mixed, lambdas=[0.2, 0.8], gamma=1.5, notes=["near chance"])):
        written = json.loads(json.dumps(whole.to_json()))
        assert RunMetrics.from_json(written) == whole
        assert RunMetrics.from_json(written).to_json() == written


def test_a_figure_is_found_by_its_path() -> None:
    scores = metrics(0.7).scores["test"]
    assert (scores.figure("accuracy"), scores.figure("macro.f1")) == (0.7, 0.5)
    with pytest.raises(KeyError, match="recall"):
        scores.figure("macro.recall")


def test_the_best_epoch_is_that_of_the_highest_score_or_the_lowest_loss() -> None:
    records = [EpochRecord(1, 1.0, {"loss": 0.3, "f1": 0.5}), EpochRecord(2, 1.0, {"loss": 0.4, "f1": 0.6})]
    assert (best_of(records, "f1").epoch, best_of(records, "loss").epoch) == (2, 1)


def test_of_equal_scores_that_with_the_lowest_loss_is_best_and_of_equal_epochs_the_first() -> None:
    losses = [0.5, 0.3, 0.3, 0.4]
    records = [EpochRecord(epoch, 1.0, {"loss": loss, "f1": 0.6}) for epoch, loss in enumerate(losses, start=1)]
    assert best_of(records, "f1").epoch == 2


def test_a_table_of_scores() -> None:
    lines = score_table(metrics(0.7).scores, {"accuracy": "accuracy", "macro.f1": "macro F1"}, unit="rows").splitlines()
    assert lines[1].split() == ["test", "100", "0.7000", "0.5000"]
    assert len(lines[0]) == len(lines[1])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (metrics(0.9), []),
        (metrics(0.55), ["near chance"]),
        (metrics(0.9, rows={"train": 45, "validation": 3}), ["3 validation rows .*the lowest loss wins.; give more"]),
        (metrics(0.9, best_epoch=3), ["the last of 3 epochs was the best: .*try --epochs 6"]),
        (
            metrics(0.7, baseline={"method": "TF-IDF (1-2-grams) + SVM", "test": {"accuracy": 0.8}}),
            ["TF-IDF scores higher: test accuracy 0.8000, this model 0.7000; try --finetune"],
        ),
    ],
)
def test_what_the_reader_of_scores_should_know_is_said(found: RunMetrics, said: list[str]) -> None:
    notes = notes_on(found, SCHEDULE, figure="accuracy", chance=0.6, finetuned=False)
    assert len(notes) == len(said)
    for note, pattern in zip(notes, said, strict=True):
        assert re.search(pattern, note)
