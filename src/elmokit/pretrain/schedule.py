"""Learning rates as a pure function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math
from typing import Literal

Shape = Literal["cosine", "linear", "constant", "wsd"]


def learning_rate_factor(
    step: int, *, total: int, warmup: int, shape: Shape, final: float, decay_steps: int | None = None
) -> float:
    """The factor of the peak learning rate at ``step`` (0-based).

    It rises in a line over ``warmup`` steps (at most a tenth of the run), then falls in the given shape to ``final``.
    "wsd" (warm-up, stable, decay: Hu et al. 2024) stays at the peak and falls in the last ``decay_steps`` alone, by
    default a tenth of the run, as 1 − √ of the share of them that is done (Hägele et al. 2024).
    """
    warmup = min(warmup, max(total // 10, 1))
    if step < warmup:
        return (step + 1) / warmup
    if shape == "constant":
        return 1.0
    if shape == "wsd":
        decay = default_decay(total) if decay_steps is None else min(decay_steps, total)
        done = min(max((step - (total - decay)) / max(decay, 1), 0.0), 1.0)
        return final + (1 - final) * (1 - math.sqrt(done))
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    falling = 1 - done if shape == "linear" else (1 + math.cos(math.pi * done)) / 2
    return final + (1 - final) * falling


def default_decay(total: int) -> int:
    """Steps in which "wsd" decays unless told otherwise: a tenth of the run."""
    return max(total // 10, 1)
