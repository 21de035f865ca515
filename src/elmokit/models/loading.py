"""Loading a model folder, with every mistake told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from elmokit.errors import ModelError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel, ElmoPreTrainedModel
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_question_answering import ElmoForQuestionAnswering
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.models.quiet import quiet_transformers
from elmokit.nn.layer_mix import LayerMix
from elmokit.pretrained import located
from elmokit.text.word_rows import LEXICON_FILE, ByteRows, JoinedRows, WordRows, check_table_sizes, load_word_rows
from elmokit.whole_files import read_json_object

_Model = TypeVar("_Model", bound=ElmoPreTrainedModel)
_HEADS: dict[str, type[ElmoPreTrainedModel]] = {
    kind.__name__: kind
    for kind in (
        ElmoForPreTraining, ElmoForSequenceClassification, ElmoForTokenClassification, ElmoForQuestionAnswering,
        ElmoForTranslation,
    )
}  # fmt: skip
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


def load(kind: type[_Model], path: str | Path, *, dtype: str = "float32") -> _Model:
    """A model of class `kind` from a folder, in eval mode, all its weights found there; other heads are passed over.

    Raises:
        ModelError: No such folder, not a model of elmokit, or weights that are damaged, missing or of another shape.
    """
    folder = located(path)
    load_config(folder)
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise ModelError(f"{folder} has no weights; expected model.safetensors beside config.json.")
    try:
        with quiet_transformers():
            loaded: Any = kind.from_pretrained(
                folder, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True, local_files_only=True
            )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(f"The weights in {folder} cannot be read: {' '.join(str(error).split())[:300]}") from error
    model: _Model
    model, found = loaded
    if found["mismatched_keys"]:
        name, given, wanted = sorted(found["mismatched_keys"])[0]
        raise ModelError(f"{folder}: {name} is {tuple(given)}; its config.json asks for {tuple(wanted)}.")
    if found["missing_keys"]:
        missing = sorted(found["missing_keys"])
        raise ModelError(f"{folder} lacks {len(missing)} tensors of {kind.__name__}, the first is {missing[0]}.")
    model.train(False)
    return model


def head_of(path: str | Path) -> type[ElmoPreTrainedModel] | None:
    """The class of the model with a head in a folder; None for a bare biLM."""
    return next((_HEADS[name] for name in load_config(path).architectures or [] if name in _HEADS), None)


def load_task_model(path: str | Path, *, dtype: str = "float32") -> ElmoMixedModel | None:
    """The model of a task in a folder of ours, with its head; None where it holds no such model."""
    head = head_of(path)
    return load(head, path, dtype=dtype) if head is not None and issubclass(head, ElmoMixedModel) else None


def load_with_mix(path: str | Path, *, dtype: str = "float32") -> tuple[ElmoModel, LayerMix | None]:
    """The biLM of any folder of ours, and the trained layer mix where the model of a task was saved."""
    trained = load_task_model(path, dtype=dtype)
    if trained is not None:
        return trained.elmo, trained.mix
    return load(ElmoModel, path, dtype=dtype), None


def word_rows_of(path: str | Path, *, whole: bool = False) -> WordRows:
    """How the biLM in a folder reads words; with `whole`, how the model does that has more beside its biLM.

    Raises:
        ModelError: No model there, or its `lexicon.json` is missing, damaged or does not fit.
    """
    config = load_config(path)
    if config.token_encoder == "char_cnn" and not (whole and config.input_width > config.row_width):
        return ByteRows(config.max_characters_per_token)
    width = config.max_pieces_per_token if config.token_encoder == "subword" else config.max_characters_per_token
    rows = load_word_rows(located(path) / LEXICON_FILE, max_characters=width)
    check_lexicon(config, rows)
    return rows.first if isinstance(rows, JoinedRows) and not whole else rows


def check_lexicon(config: ElmoConfig, rows: WordRows) -> None:
    """Every id that `rows` can give has a row in the model's tables.

    Raises:
        ModelError: It has not.
    """
    check_table_sizes(rows, words=config.n_words, characters=config.n_characters, static=config.n_static_words)


def load_config(path: str | Path) -> ElmoConfig:
    """The configuration in a model folder.

    Raises:
        ModelError: No such folder, no config.json in it, or one that is damaged or not of an elmokit model.
        ConfigError: A setting this version does not know.
    """
    folder = located(path)
    if not folder.exists():
        raise ModelError(
            f"There is no model folder {folder}; expected a folder with config.json and model.safetensors."
        )
    file = folder / "config.json"
    if not file.is_file():
        raise ModelError(f"{folder} is no model folder: it has no config.json.")
    kind = read_json_object(file).get("model_type")
    if kind != "elmo":
        raise ModelError(f"{file} describes a model of type {kind!r}; expected 'elmo'.")
    try:
        return ElmoConfig.from_pretrained(folder, local_files_only=True)
    except StrictDataclassError as error:
        raise ModelError(f"{file}: {error.__cause__ or error}") from error
