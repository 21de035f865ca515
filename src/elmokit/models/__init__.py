"""The model classes that transformers sees. Importing this package registers them with the Auto classes:

import elmokit.models
classify = transformers.pipeline("text-classification", model=folder)
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForPreTraining,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from elmokit.models.configuration_elmo import PRESETS, ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel, ElmoModelOutput, ElmoPreTrainedModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_question_answering import ElmoForQuestionAnswering
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.models.tokenization_elmo import ElmoTokenizer

AutoConfig.register("elmo", ElmoConfig, exist_ok=True)
AutoModel.register(ElmoConfig, ElmoModel, exist_ok=True)
AutoModelForPreTraining.register(ElmoConfig, ElmoForPreTraining, exist_ok=True)
AutoModelForQuestionAnswering.register(ElmoConfig, ElmoForQuestionAnswering, exist_ok=True)
AutoModelForSeq2SeqLM.register(ElmoConfig, ElmoForTranslation, exist_ok=True)
AutoModelForSequenceClassification.register(ElmoConfig, ElmoForSequenceClassification, exist_ok=True)
AutoModelForTokenClassification.register(ElmoConfig, ElmoForTokenClassification, exist_ok=True)
AutoTokenizer.register(ElmoConfig, tokenizer_class=ElmoTokenizer, exist_ok=True)  # type: ignore[no-untyped-call]

__all__ = [
    "PRESETS",
    "ElmoConfig",
    "ElmoForPreTraining",
    "ElmoForQuestionAnswering",
    "ElmoForSequenceClassification",
    "ElmoForTokenClassification",
    "ElmoForTranslation",
    "ElmoModel",
    "ElmoModelOutput",
    "ElmoPreTrainedModel",
    "ElmoTokenizer",
]
