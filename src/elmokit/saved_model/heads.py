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
    """A task's network, and the fields that it is built from."""

    network: type[MixedNetwork]
    shape: type[MixedShape]


HEADS = {
    "ElmoForSequenceClassification": Head(SequenceClassificationNetwork, SequenceClassificationShape),
    "ElmoForTextPairs": Head(TextPairsNetwork, SequenceClassificationShape),
    "ElmoForTokenClassification": Head(TokenClassificationNetwork, TokenClassificationShape),
    "ElmoForQuestionAnswering": Head(QuestionAnsweringNetwork, QuestionAnsweringShape),
    "ElmoForTranslation": Head(TranslationNetwork, TranslationShape),
}
