"""The networks that a model folder may hold, by the name that its `config.json` has for them."""

from __future__ import annotations

from typing import NamedTuple

from elmokit.nn.heads.mixed import MixedNetwork, MixedShape
from elmokit.nn.heads.question_answering import QuestionAnsweringNetwork, QuestionAnsweringShape
from elmokit.nn.heads.sequence_classification import SequenceClassificationNetwork, SequenceClassificationShape
from elmokit.nn.heads.text_pairs import TextPairsNetwork
from elmokit.nn.heads.token_classification import TokenClassificationNetwork, TokenClassificationShape
from elmokit.nn.heads.translation import TranslationNetwork, TranslationShape

BILM = "ElmoModel"
LANGUAGE_MODEL = "ElmoForPreTraining"


class Head(NamedTuple):
    """A task's network, the fields that it is built from, and what its models are called in a sentence."""

    network: type[MixedNetwork]
    shape: type[MixedShape]
    noun: str


HEADS = {
    "ElmoForSequenceClassification": Head(
        SequenceClassificationNetwork, SequenceClassificationShape, "a text classifier"
    ),
    "ElmoForTextPairs": Head(TextPairsNetwork, SequenceClassificationShape, "a model of text pairs"),
    "ElmoForTokenClassification": Head(TokenClassificationNetwork, TokenClassificationShape, "a tagger"),
    "ElmoForQuestionAnswering": Head(QuestionAnsweringNetwork, QuestionAnsweringShape, "a question-answering model"),
    "ElmoForTranslation": Head(TranslationNetwork, TranslationShape, "a translator"),
}
