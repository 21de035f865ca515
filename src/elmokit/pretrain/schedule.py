"""Learning rates as a pure function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math
from typing import Literal

Shape = Literal["cosine", "linear", "constant"]


def learning_rate_factor(step: int, *, total: int, warmup: int, shape: Shape, final: float) -> float:
    """The factor of the peak learning rate at ``step`` (0-based).

    It rises in a line over ``warmup`` steps (at most a tenth of the run), then falls in the given shape to ``final``.
    """
    warmup = min(warmup, max(total // 10, 1))
    if step < warmup:
        return (step + 1) / warmup
    if shape == "constant":
        return 1.0
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    falling = 1 - done if shape == "linear" else (1 + math.cos(math.pi * done)) / 2
    return final + (1 - final) * falling
