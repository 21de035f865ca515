"""Question answering: one call to train (`train_question_answerer`), one class to predict (`QuestionAnswerer`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elmokit.tasks.question_answering.answers import FoundAnswer
    from elmokit.tasks.question_answering.config import QuestionAnsweringConfig
    from elmokit.tasks.question_answering.predict import QuestionAnswerer
    from elmokit.tasks.question_answering.task import train_question_answerer

_HOMES = {
    "FoundAnswer": "answers",
    "QuestionAnswerer": "predict",
    "QuestionAnsweringConfig": "config",
    "train_question_answerer": "task",
}

__all__ = ["FoundAnswer", "QuestionAnswerer", "QuestionAnsweringConfig", "train_question_answerer"]


def __getattr__(name: str) -> Any:
    """Import on first use: the config needs no torch, and a command line that is wrong should say so at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
