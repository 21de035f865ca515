"""Named entities and chunks: one call to train (`train_tagger`), one class to predict (`Tagger`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elmokit.tasks import on_use

if TYPE_CHECKING:
    from elmokit.tasks.tagging.config import TagConfig
    from elmokit.tasks.tagging.predict import Entity, Tagger
    from elmokit.tasks.tagging.task import train_tagger

_HOMES = {"TagConfig": "config", "Tagger": "predict", "Entity": "predict", "train_tagger": "task"}

__all__ = ["Entity", "TagConfig", "Tagger", "train_tagger"]

__getattr__ = on_use(__name__, _HOMES)
