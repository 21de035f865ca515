"""Question answering: one call to train (`train_question_answerer`), one class to predict (`QuestionAnswerer`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elmokit.tasks import on_use

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

__getattr__ = on_use(__name__, _HOMES)
