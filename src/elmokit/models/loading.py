"""Loading a model folder into the classes of transformers, with every mistake told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from huggingface_hub.errors import StrictDataclassError

from elmokit.errors import ModelError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel, ElmoPreTrainedModel
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_question_answering import ElmoForQuestionAnswering
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.undrawn import Undrawn
from elmokit.saved_model import SavedModel
from elmokit.saved_model.fields import CONFIG_FILE
from elmokit.text.word_rows import WordRows

_Model = TypeVar("_Model", bound=ElmoPreTrainedModel)
_HEADS: dict[str, type[ElmoPreTrainedModel]] = {
    kind.__name__: kind
    for kind in (
        ElmoForPreTraining,
        ElmoForSequenceClassification,
        ElmoForTokenClassification,
        ElmoForQuestionAnswering,
        ElmoForTranslation,
    )
}


def load(kind: type[_Model], source: str | Path | SavedModel, *, dtype: str = "float32") -> _Model:
    """A model of class `kind` from a folder, in eval mode, all its weights found there; other heads are passed over.

    Raises:
        ModelError: No such folder, not a model of elmokit, or weights that are damaged, missing or of another shape.
    """
    saved = opened(source)
    with Undrawn():
        model = kind(config_of(saved))
    saved.fill(model, name=kind.__name__, dtype=dtype)
    model.train(False)
    return model


def opened(source: str | Path | SavedModel) -> SavedModel:
    """The folder itself where it is open already."""
    return source if isinstance(source, SavedModel) else SavedModel.open(source)


def head_of(source: str | Path | SavedModel) -> type[ElmoPreTrainedModel] | None:
    """The class of the model with a head in a folder; None for a bare biLM."""
    return _HEADS.get(opened(source).architecture or "")


def load_task_model(source: str | Path | SavedModel, *, dtype: str = "float32") -> ElmoMixedModel | None:
    """The model of a task in a folder of ours, with its head; None where it contains no such model."""
    head = head_of(source)
    return load(head, source, dtype=dtype) if head is not None and issubclass(head, ElmoMixedModel) else None


def load_with_mix(path: str | Path, *, dtype: str = "float32") -> tuple[ElmoModel, LayerMix | None]:
    """The biLM of any folder of ours, and the trained layer mix where the model of a task was saved."""
    saved = opened(path)
    return load(ElmoModel, saved, dtype=dtype), saved.mix(dtype=dtype)


def word_rows_of(source: str | Path | SavedModel, *, whole: bool = False) -> WordRows:
    """How the biLM in a folder reads words; with `whole`, how the model does that has more than its biLM.

    Raises:
        ModelError: No model there, or its `lexicon.json` is missing, damaged or does not fit.
    """
    saved = opened(source)
    return saved.whole_word_rows if whole else saved.word_rows


def load_config(path: str | Path) -> ElmoConfig:
    """The configuration in a model folder.

    Raises:
        ModelError: No such folder, no config.json in it, or one that is damaged or not of an elmokit model.
        ConfigError: A setting this version does not know.
    """
    return config_of(SavedModel.open(path))


def config_of(saved: SavedModel) -> ElmoConfig:
    """The configuration of an open folder, as transformers has it.

    Raises:
        ModelError: A value is of the wrong type or out of range.
    """
    try:
        found: ElmoConfig = ElmoConfig.from_dict(dict(saved.values))
    except StrictDataclassError as error:
        raise ModelError(f"{saved.folder / CONFIG_FILE}: {error.__cause__ or error}") from error
    return found
