"""Where runs end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.run_length import decayed_steps, planned_steps


class Epochs:
    """Batches of 10, 20, 30 … predictions, one step more each epoch."""

    carries_state = False

    def __init__(self) -> None:
        self.planned: list[int] = []

    def steps(self, epoch: int) -> int:
        self.planned.append(epoch)
        return 3 + epoch

    def predictions(self, epoch: int) -> NDArray[np.int64]:
        return 10 * np.arange(1, 4 + epoch)

    def read(self, epoch: int, first: int = 0) -> Any:
        raise AssertionError


def planned(**changed: Any) -> int:
    config = PretrainConfig(**{"train": ["a"], "output": Path("b"), "epochs": 3, **changed})
    return planned_steps(config, cast(Any, Epochs()))


def test_all_epochs_count() -> None:
    assert planned() == 3 + 4 + 5


@pytest.mark.parametrize(("most", "steps"), [(2, 2), (3, 3), (8, 8), (12, 12), (99, 12)])
def test_a_bound_on_updates(most: int, steps: int) -> None:
    assert planned(max_steps=most) == steps


@pytest.mark.parametrize(
    ("words", "steps"), [(1, 1), (10, 1), (11, 2), (60, 3), (61, 4), (160, 7), (161, 8), (10_000, 12)]
)
def test_a_bound_on_words_is_reached_by_the_last_update(words: int, steps: int) -> None:
    """60 words in the first epoch, 100 in the second, 150 in the third."""
    assert planned(max_train_words=words) == steps


def test_the_first_bound_ends_a_run() -> None:
    assert planned(max_train_words=61, max_steps=2) == 2
    assert planned(max_train_words=11, max_steps=9) == 2


def test_epochs_behind_the_bound_are_not_planned() -> None:
    batches = Epochs()
    config = PretrainConfig(train=["a"], output=Path("b"), epochs=1000, max_steps=5)
    assert planned_steps(config, cast(Any, batches)) == 5
    assert batches.planned == [0, 1]


def test_a_decay_counts_from_where_it_began() -> None:
    config = PretrainConfig(train=["a"], output=Path("b"), decay_steps=30, max_steps=5, epochs=1)
    assert decayed_steps(config, 900) == 930
    config = PretrainConfig(train=["a"], output=Path("b"))
    assert decayed_steps(config, 900) == 1000  # a tenth of the whole
    assert decayed_steps(config, 1) == 2
