"""Named entities and chunks: one call to train (`train_tagger`), one class to predict (`Tagger`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elmokit.tasks.tagging.config import TagConfig
    from elmokit.tasks.tagging.predict import Entity, Tagger
    from elmokit.tasks.tagging.task import train_tagger

_HOMES = {"TagConfig": "config", "Tagger": "predict", "Entity": "predict", "train_tagger": "task"}

__all__ = ["Entity", "TagConfig", "Tagger", "train_tagger"]


def __getattr__(name: str) -> Any:
    """Import on first use: the config needs no torch, and a command line that is wrong should say so at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
