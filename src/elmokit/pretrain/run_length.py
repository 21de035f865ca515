"""How many updates a run makes: all epochs, or what a bound on updates or words leaves of them."""

from __future__ import annotations

import numpy as np

from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.schedule import default_decay
from elmokit.pretrain.updates import Updates


def planned_steps(config: PretrainConfig, updates: Updates) -> int:
    """Updates of a whole run. ``max_train_words`` ends it with the update that reaches that number."""
    steps, words = 0, 0
    for epoch in range(config.epochs):
        if config.max_train_words is None:
            steps += updates.steps(epoch)
        else:
            seen = words + np.cumsum(updates.predictions(epoch))
            steps += min(int(np.searchsorted(seen, config.max_train_words)) + 1, len(seen))
            words = int(seen[-1]) if len(seen) else words
        if config.max_steps is not None and steps >= config.max_steps:
            return config.max_steps
        if config.max_train_words is not None and words >= config.max_train_words:
            break
    return steps


def decayed_steps(config: PretrainConfig, start: int) -> int:
    """Updates of a run that decays from the checkpoint of another at step ``start``, those of the other included.

    By default the decay is a tenth of the sum, as in a run of its own. The bounds of the other run do not count.
    """
    return start + (default_decay(start * 10 // 9) if config.decay_steps is None else config.decay_steps)
