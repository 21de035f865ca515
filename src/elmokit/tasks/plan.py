"""How long and how fast a head is trained, where the settings do not say: counted in updates, not in epochs.

A head needs a few thousand updates, however many rows there are. Few rows get smaller batches, more passes and a higher
rate, and where a task says so a head that learns less by heart; many rows get fewer passes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TypeVar

from elmokit.tasks.config import HeadConfig

MOST_EPOCHS = 100
SMALL_BATCHES = ((2_000, 16), (10_000, 32))
"""Up to so many training rows, so many rows are a batch at most."""
FEW_ROWS = 10_000
RATE_OF_FEW, RATE_OF_MANY = 2e-3, 1e-3

_Config = TypeVar("_Config", bound=HeadConfig)


@dataclass(frozen=True)
class Schedule:
    """A training in numbers: passes at most, passes without a better score, rows per update, the rate of the head."""

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float


def schedule_for(config: HeadConfig, rows: int) -> Schedule:
    """What the settings say, and for the rest what suits so many training rows.

    The epochs make `config.planned_updates` updates, and are at least `config.fewest_epochs`. The rate falls to zero
    over them, so that the last ones are usually the best: training stops early only after half of them brought nothing.
    """
    batch = config.batch_size or min(
        config.largest_batch, next((size for most, size in SMALL_BATCHES if rows <= most), config.largest_batch)
    )
    wanted = math.ceil(config.planned_updates / math.ceil(rows / batch))
    epochs = config.epochs or min(max(wanted, config.fewest_epochs), MOST_EPOCHS)
    rate = RATE_OF_FEW if rows <= FEW_ROWS and config.combine != "function" else RATE_OF_MANY
    return Schedule(
        epochs=epochs,
        patience=config.patience or max(3, math.ceil(epochs / 2)),
        batch_size=batch,
        learning_rate=config.learning_rate or rate,
    )


def with_head_of_few(config: _Config, rows: int) -> _Config:
    """The settings with `config.head_of_few` where there are few training rows, for what they do not say."""
    if rows > FEW_ROWS:
        return config
    unset = {name: value for name, value in config.head_of_few.items() if getattr(config, name) is None}
    return config.model_copy(update=unset)


def with_schedule(config: _Config, schedule: Schedule) -> _Config:
    """The settings with the numbers of a schedule."""
    return config.model_copy(update=asdict(schedule))
