"""Text classification: one call to train (`train_classifier`), one class to predict (`Classifier`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elmokit.tasks import on_use

if TYPE_CHECKING:
    from elmokit.tasks.classification.config import ClassifyConfig
    from elmokit.tasks.classification.predict import Classifier, Label
    from elmokit.tasks.classification.task import train_classifier

_HOMES = {"ClassifyConfig": "config", "Classifier": "predict", "Label": "predict", "train_classifier": "task"}

__all__ = ["Classifier", "ClassifyConfig", "Label", "train_classifier"]

__getattr__ = on_use(__name__, _HOMES)
