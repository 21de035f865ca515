"""Translation: one call to train (`train_translator`), one class to translate (`Translator`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elmokit.tasks import on_use

if TYPE_CHECKING:
    from elmokit.tasks.translation.config import TranslationConfig
    from elmokit.tasks.translation.predict import Translator
    from elmokit.tasks.translation.task import train_translator

_HOMES = {"TranslationConfig": "config", "Translator": "predict", "train_translator": "task"}

__all__ = ["TranslationConfig", "Translator", "train_translator"]

__getattr__ = on_use(__name__, _HOMES)
