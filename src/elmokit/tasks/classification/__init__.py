"""Text classification: one call to train (`train_classifier`), one class to predict (`Classifier`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elmokit.tasks.classification.config import ClassifyConfig
    from elmokit.tasks.classification.predict import Classifier, Label
    from elmokit.tasks.classification.task import train_classifier

_HOMES = {"ClassifyConfig": "config", "Classifier": "predict", "Label": "predict", "train_classifier": "task"}

__all__ = ["Classifier", "ClassifyConfig", "Label", "train_classifier"]


def __getattr__(name: str) -> Any:
    """Import on first use: the config needs no torch, and a command line that is wrong should say so at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
