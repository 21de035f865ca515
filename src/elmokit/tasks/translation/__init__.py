"""Translation: one call to train (`train_translator`), one class to translate (`Translator`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elmokit.tasks.translation.config import TranslationConfig
    from elmokit.tasks.translation.predict import Translator
    from elmokit.tasks.translation.task import train_translator

_HOMES = {"TranslationConfig": "config", "Translator": "predict", "train_translator": "task"}

__all__ = ["TranslationConfig", "Translator", "train_translator"]


def __getattr__(name: str) -> Any:
    """Import on first use: the config needs no torch, and a command line that is wrong should say so at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
