"""Task heads on a biLM. `TASKS` lists them; everything that works with any task reads it here.

A row names modules, which are imported on use: a command line that is wrong should say so without loading torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elmokit.tasks.config import HeadConfig
    from elmokit.tasks.task import Predictor, Task


@dataclass(frozen=True)
class Entry:
    """A task in the table.

    Attributes:
        config: Where its settings are, as `module:name`. The module needs no torch.
        task: Where the `Task` is.
        predictor: Where the class is that predicts; its module loads nothing that trains.
        head: The class of its models, as in their `config.json`.
        noun: What it is called in a sentence.
        unit: What its rows are called.
        summary: What `elmo train` does for it, in a line.
        inputs: The parts of an input by name, with their help, where it is not one text: options of `elmo predict`.
    """

    config: str
    task: str
    predictor: str
    head: str
    noun: str
    unit: str
    summary: str
    inputs: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> type[HeadConfig]:
        """The class of its settings."""
        found: type[HeadConfig] = _named(self.config)
        return found

    def predictor_class(self) -> type[Predictor]:
        """The class that predicts with its models."""
        found: type[Predictor] = _named(self.predictor)
        return found

    def load(self) -> Task[Any, Any]:
        """The task itself."""
        found: Task[Any, Any] = _named(self.task)
        return found


TASKS: dict[str, Entry] = {
    "classify": Entry(
        "elmokit.tasks.classification.config:ClassifyConfig",
        "elmokit.tasks.classification.task:TASK",
        "elmokit.tasks.classification.predict:Classifier",
        "ElmoForSequenceClassification",
        "classification",
        "rows",
        "Train a text classifier on a biLM's layers and score it on test rows.",
    ),
    "tag": Entry(
        "elmokit.tasks.tagging.config:TagConfig",
        "elmokit.tasks.tagging.task:TASK",
        "elmokit.tasks.tagging.predict:Tagger",
        "ElmoForTokenClassification",
        "tagging",
        "sentences",
        "Train a tagger (named entities, chunks, parts of speech) on a biLM's layers and score it on test sentences.",
    ),
    "qa": Entry(
        "elmokit.tasks.question_answering.config:QuestionAnsweringConfig",
        "elmokit.tasks.question_answering.task:TASK",
        "elmokit.tasks.question_answering.predict:QuestionAnswerer",
        "ElmoForQuestionAnswering",
        "question answering",
        "questions",
        "Train question answering (SQuAD 1.1, 2.0) on a biLM's layers and score it on test questions.",
        {"question": "A question about PASSAGE.", "passage": "The text that has the answer."},
    ),
    "translate": Entry(
        "elmokit.tasks.translation.config:TranslationConfig",
        "elmokit.tasks.translation.task:TASK",
        "elmokit.tasks.translation.predict:Translator",
        "ElmoForTranslation",
        "translation",
        "pairs",
        "Train a translator on a biLM's layers and score it on test sentences.",
    ),
    "pairs": Entry(
        "elmokit.tasks.pairs:PairsConfig",
        "elmokit.tasks.pairs.task:TASK",
        "elmokit.tasks.pairs.predict:PairClassifier",
        "ElmoForTextPairs",
        "text pairs",
        "pairs",
        "Train a model of text pairs (entailment, relatedness) on a biLM's layers and score it on test pairs.",
        {"first": "The first text of a pair.", "second": "The second text of a pair."},
    ),
}


def task_of(heads: list[str] | None) -> str | None:
    """The task whose models have one of these classes (`architectures` of a `config.json`); None for a bare biLM."""
    return next((name for name, entry in TASKS.items() if entry.head in (heads or [])), None)


def on_use(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a task's package: names are imported from their modules (`homes`) when they are first used.

    The settings need no torch, and a command line that is wrong should say so at once.
    """

    def imported(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return _named(f"{package}.{homes[name]}:{name}")

    return imported


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
