"""What `precision: auto` means on this machine."""

from __future__ import annotations

import torch

from elmokit.nn.precision import Precision, faster_precision
from elmokit.tasks.config import HeadConfig


def decided_precision(config: HeadConfig) -> Precision:
    """The type of the products; `auto` is measured."""
    if config.precision != "auto":
        return config.precision
    return faster_precision(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
