"""A head to train: the biLM of a saved folder under a new or an earlier head."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from elmokit.errors import ConfigError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import config_of, load, load_config, load_task_model, word_rows_of
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrained import located
from elmokit.saved_model import SavedModel
from elmokit.static.vectors import WordVectors
from elmokit.tasks.config import HEAD_FIELDS, HEAD_SHAPE, OPTIONAL_PARTS, HeadConfig, ProblemType
from elmokit.text.normalize import check_steps
from elmokit.text.word_rows import JoinedRows

log = logging.getLogger(__name__)

_Head = TypeVar("_Head", bound=ElmoMixedModel)
_Config = TypeVar("_Config", bound=HeadConfig)


def build_head(
    kind: type[_Head],
    config: HeadConfig,
    start: SavedModel,
    labels: list[str],
    vectors: WordVectors | None = None,
    *,
    problem_type: ProblemType | None = None,
    sizes: Mapping[str, int] | None = None,
) -> tuple[_Head, bool]:
    """The biLM of `start` under a head of class `kind` with these labels, and whether that head is fresh.

    The model is on a GPU where there is one.

    A folder of such a head with the same labels and sizes gives its head too: train frozen first, then fine-tune from
    there, also with other dropout; a reader of questions that all have an answer starts one for questions that may have
    none. Where it does not fit, a warning says why; that one and any other folder get a fresh head, drawn from torch's
    current seed. `sizes` are fields of `ElmoConfig` that the data decides. A head without classes has no labels.

    Raises ModelError for a folder that contains no ElmoModel.
    """
    saved = config_of(start)
    shape = _shape(saved, config, labels, vectors, problem_type, sizes or {})
    bilm = load(ElmoModel, start)
    model = kind(shape)
    model.elmo.load_state_dict(bilm.state_dict())
    if vectors is not None and model.static is not None:
        model.static.set_vectors(torch.from_numpy(vectors.matrix))
    elif model.static is not None:  # of whatever head stood on them
        before = load_task_model(start)
        if before is not None and before.static is not None:
            model.static.load_state_dict(before.static.state_dict())
    fresh = True
    if kind.__name__ in (saved.architectures or []):
        earlier = load(kind, start)
        same_labels = not labels or (earlier.config.id2label or {}) == dict(enumerate(labels))
        other = [] if same_labels else ["its labels differ"]
        added: tuple[str, ...] = ()
        for name in (*HEAD_SHAPE, "n_static_words", "n_target_pieces"):
            there, here = getattr(earlier.config, name), getattr(shape, name)
            if here and not there and name in OPTIONAL_PARTS:
                added += OPTIONAL_PARTS[name]
            elif there != here:
                other.append(f"{name} is {there} in that head, {here} in this run")
        if other:
            log.warning("the head in %s is not used, a new one is trained: %s", start.folder, "; ".join(other))
        else:
            new = f"; new in it: {', '.join(added)}" if added else ""
            log.info("starting from the head in %s%s", start.folder, new)
            drawn = {name: value for name, value in model.state_dict().items() if name.split(".")[0] in added}
            model.load_state_dict({**earlier.state_dict(), **drawn})
            fresh = False
    if config.vectors_learning_rate is not None:
        if model.static is None:
            raise ConfigError("vectors_learning_rate is for static vectors (--vectors FILE)")
        model.static.requires_grad_()
    if not config.finetune:
        model.freeze_bilm()
    model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))  # type: ignore[arg-type]
    return model, fresh


@torch.inference_mode()
def start_scale(model: ElmoMixedModel, batch: Mapping[str, Tensor]) -> float:
    """Scale the mix of a fresh head to its input: what the BiLSTM first sees varies with a deviation of about 1.

    biLM vectors vary by a tenth or less, and a BiLSTM given such numbers takes many epochs to wake up. Peters et al.
    (2018, §3.2) leave the scale to γ, "of practical importance to aid the optimization process"; here every mode, also
    those without a γ, starts right. Returns the factor, 1 / deviation.
    """
    model.train(False)
    inputs = {name: tensor.to(model.device) for name, tensor in batch.items()}
    layers, mask = model.hidden_layers(inputs.get("char_ids"), inputs["attention_mask"], inputs.get("layers"))
    return model.mix.set_scale(layers, mask)


def load_tokenizer(
    model: str | Path,
    vectors: WordVectors | None = None,
    *,
    spelled: bool = False,
    lower_case: bool = True,
    **changed: Any,
) -> ElmoTokenizer:
    """The tokenizer saved with a model, or one for the model's word length; it looks up `vectors`, too.

    `spelled`: also a word's bytes, for a model with char features. `lower_case`: words without a vector are looked up
    in lower case. `changed` are arguments of `ElmoTokenizer` that are to be others than the saved ones.
    """
    tokenizer: ElmoTokenizer
    folder = located(model)
    if (folder / "tokenizer_config.json").is_file():
        tokenizer = ElmoTokenizer.from_pretrained(folder, **changed)
    else:
        own = {"split": "whitespace"} if load_config(folder).pre_split else {}
        tokenizer = ElmoTokenizer(word_rows=word_rows_of(folder, whole=True), **{**own, **changed})
    rows = tokenizer.word_rows
    joined = rows if isinstance(rows, JoinedRows) else JoinedRows(rows)
    static, lowered = joined.static, joined.lower_case
    if vectors is not None:
        static, lowered = {word: number for number, word in enumerate(vectors.words)}, lower_case
    beside = static is not None or spelled
    tokenizer.word_rows = (
        JoinedRows(joined.first, static, spelled=spelled, lower_case=lowered) if beside else joined.first
    )
    return tokenizer


def task_tokenizer(config: HeadConfig, vectors: WordVectors | None = None, *, spelled: bool = False) -> ElmoTokenizer:
    """The tokenizer of a run, which goes into its folder; it cleans and splits as `with_preparation` settled it."""
    return load_tokenizer(
        config.model,
        vectors,
        spelled=spelled,
        lower_case=config.vectors_lower_case,
        split=config.split,
        text_steps=config.clean or (),
        by_word=config.cleaned_by_word,
        model_max_length=config.max_words,
    )


def with_preparation(config: _Config, start: SavedModel) -> _Config:
    """The settings with `clean` and `split` as in the pretraining of `start`, where they name none.

    Raises:
        ConfigError: A step that nobody knows.
    """
    saved = config_of(start)
    steps = list(saved.text_steps or []) if config.clean is None else config.clean
    check_steps(steps)
    split = config.split or ("whitespace" if saved.pre_split else load_tokenizer(config.model).split)
    return config.model_copy(update={"clean": steps, "split": split})


def with_head_of_start(config: _Config, kind: type[ElmoMixedModel], start: SavedModel) -> _Config:
    """The settings with sizes and dropout of the head of the model to start from, where they name none."""
    saved = config_of(start)
    if kind.__name__ not in (saved.architectures or []):
        return config
    names = {"head_hidden_dim", "head_layers", "head_dropout"} - config.model_fields_set
    return config.model_copy(update={name: getattr(saved, name) for name in names})


def _shape(
    saved: ElmoConfig,
    config: HeadConfig,
    labels: list[str],
    vectors: WordVectors | None,
    problem_type: ProblemType | None,
    sizes: Mapping[str, int],
) -> ElmoConfig:
    chosen = {name: getattr(config, name, None) for name in (*HEAD_FIELDS, "dropout")}
    values = saved.to_dict()
    values |= {name: value for name, value in chosen.items() if value is not None} | dict(sizes)
    if not hasattr(config, "char_features"):
        values |= {"char_features": 0, "mix_at": "input"}  # of a tagger alone
    if vectors is not None:
        values |= {"n_static_words": len(vectors) + 1, "static_dim": vectors.dim}
    for name in ("num_labels", "id2label", "label2id", "architectures", "transformers_version", "problem_type"):
        values.pop(name, None)
    kept = {name: value for name, value in values.items() if name in ElmoConfig.__dataclass_fields__}
    shape = ElmoConfig.checked({**kept, "text_steps": config.clean, "pre_split": config.split == "whitespace"})
    shape.id2label = dict(enumerate(labels))
    shape.label2id = {label: number for number, label in enumerate(labels)}
    shape.problem_type = problem_type
    return shape
