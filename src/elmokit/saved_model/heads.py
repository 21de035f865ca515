"""The networks that a model folder may hold, by the name that its `config.json` has for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from elmokit.nn.heads.shapes import (
    MixedShape,
    QuestionAnsweringShape,
    SequenceClassificationShape,
    TokenClassificationShape,
    TranslationShape,
)

if TYPE_CHECKING:
    from elmokit.nn.heads.mixed import MixedNetwork

BILM = "ElmoModel"
LANGUAGE_MODEL = "ElmoForPreTraining"


class Head(NamedTuple):
    """A task's network: its module in `elmokit.nn.heads` and its name there, the fields that it is built from, and what
    its models are called in a sentence."""

    module: str
    name: str
    shape: type[MixedShape]
    noun: str

    @property
    def network(self) -> type[MixedNetwork]:
        """The network, which needs PyTorch; the rest of the table does not."""
        found: type[MixedNetwork] = getattr(import_module(f"elmokit.nn.heads.{self.module}"), self.name)
        return found


HEADS = {
    "ElmoForSequenceClassification": Head(
        "sequence_classification", "SequenceClassificationNetwork", SequenceClassificationShape, "a text classifier"
    ),
    "ElmoForTextPairs": Head("text_pairs", "TextPairsNetwork", SequenceClassificationShape, "a model of text pairs"),
    "ElmoForTokenClassification": Head(
        "token_classification", "TokenClassificationNetwork", TokenClassificationShape, "a tagger"
    ),
    "ElmoForQuestionAnswering": Head(
        "question_answering", "QuestionAnsweringNetwork", QuestionAnsweringShape, "a question-answering model"
    ),
    "ElmoForTranslation": Head("translation", "TranslationNetwork", TranslationShape, "a translator"),
}
