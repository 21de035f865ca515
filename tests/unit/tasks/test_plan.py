"""How long and how fast a head is trained by default."""

from __future__ import annotations

from typing import Any

import pytest

from elmokit.tasks import TASKS
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.plan import Schedule, schedule_for, with_head_of_few, with_schedule


def config(**values: Any) -> ClassifyConfig:
    return ClassifyConfig(model="m", train=["t"], test=["t"], output="o", **values)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (300, Schedule(100, 50, 16, 2e-3)),  # 19 updates an epoch: at most a hundred passes
        (1_000, Schedule(32, 16, 16, 2e-3)),
        (3_000, Schedule(22, 11, 32, 2e-3)),
        (30_000, Schedule(5, 3, 64, 1e-3)),
        (500_000, Schedule(4, 3, 64, 1e-3)),
    ],
)
def test_few_rows_get_smaller_batches_more_passes_and_a_higher_rate(rows: int, expected: Schedule) -> None:
    assert schedule_for(config(), rows) == expected


def test_what_is_set_stays_and_the_rest_follows_it() -> None:
    found = schedule_for(config(batch_size=8, learning_rate=0.5), 1_000)
    assert found == Schedule(16, 8, 8, 0.5)
    assert schedule_for(config(epochs=2, patience=9), 1_000) == Schedule(2, 9, 16, 2e-3)
    assert schedule_for(config(combine="function"), 1_000).learning_rate == 1e-3


def test_few_rows_of_classification_get_a_head_that_learns_less_by_heart() -> None:
    few = with_head_of_few(config(), 1_000)
    assert (few.head_layers, few.head_dropout) == (1, 0.5)
    many = with_head_of_few(config(), 10_001)
    assert (many.head_layers, many.head_dropout) == (None, None)  # the model's own
    own = with_head_of_few(config(head_layers=3), 1_000)
    assert (own.head_layers, own.head_dropout) == (3, 0.5)


@pytest.mark.parametrize("name", list(TASKS))
def test_every_task_trains_few_rows_for_a_thousand_updates_and_more(name: str) -> None:
    kind = TASKS[name].settings()
    needed = {key: ["x"] for key, field in kind.model_fields.items() if field.is_required()}
    settings = kind.model_validate({**needed, "model": "m", "output": "o"})
    found = schedule_for(settings, 800)
    assert found.epochs * 800 / found.batch_size >= 1_000
    resolved = with_schedule(settings, found)
    assert (resolved.epochs, resolved.batch_size) == (found.epochs, found.batch_size)
    assert schedule_for(resolved, 10**6) == found  # a recorded run is what it was, whatever the rule
