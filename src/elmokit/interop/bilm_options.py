"""`options.json` of bilm-tf and AllenNLP to our configuration and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, ModelError
from elmokit.nn.config import NetworkConfig, NetworkFields
from elmokit.text.char_ids import N_CHARACTERS
from elmokit.whole_files import JsonObject, read_json_object

MOST_LAYERS = 100


def read_options(path: Path) -> JsonObject:
    """The file's content.

    Raises:
        ModelError: It is missing, no JSON, or has no section `lstm`.
    """
    options = read_json_object(path)
    if not isinstance(options.get("lstm"), dict):
        raise ModelError(f'{path} contains no options of an ELMo: expected an object with "lstm" and "char_cnn"')
    return options


def config_of(options: JsonObject, *, n_words: int | None = None) -> tuple[NetworkConfig, list[str]]:
    """Our configuration of a published model, and a sentence on everything that was repaired.

    Args:
        options: As read from `options.json`.
        n_words: Rows of the word table of a word-level model, padding not counted.

    Raises:
        ModelError: An option is missing or has no meaning.
    """
    notes: list[str] = []
    lstm, cnn = options["lstm"], options.get("char_cnn")
    values: NetworkFields = {
        "projection_dim": _needed(lstm, "projection_dim", "lstm"),
        "cell_dim": _needed(lstm, "dim", "lstm"),
        "n_layers": lstm.get("n_layers", 1),
        "use_skip_connections": bool(lstm.get("use_skip_connections", False)),
        "cell_clip": lstm.get("cell_clip") or None,
        "proj_clip": lstm.get("proj_clip") or None,
        "dropout": options.get("dropout", 0.1),
    }
    if isinstance(cnn, dict):
        values |= _char_cnn(cnn, notes)
    elif cnn is None:
        if n_words is None:
            raise ModelError('the options have no "char_cnn", and the weights no table of words ("embedding")')
        values |= {"token_encoder": "word", "n_words": n_words + 1, "n_characters": 0}
    else:
        raise ModelError(f'"char_cnn" of the options is {cnn!r}; expected an object')
    if not isinstance(values["projection_dim"], int) or not isinstance(values["cell_dim"], int):
        raise ModelError(f'"projection_dim" and "dim" are {values["projection_dim"]!r} and {values["cell_dim"]!r}')
    for name in ("n_layers", "n_highway"):
        if isinstance(values.get(name), int) and values[name] > MOST_LAYERS:
            raise ModelError(f"{name} is {values[name]}; expected at most {MOST_LAYERS}")
    if values["projection_dim"] > values["cell_dim"]:
        raise ModelError(
            f"projection_dim is {values['projection_dim']} and dim {values['cell_dim']}: the layers of such a model "
            "differ in size and cannot be mixed; expected a projection of at most dim"
        )
    try:
        return NetworkConfig.checked(values), notes
    except ConfigError as error:
        raise ModelError(f"the options make no model: {error}") from error


def _char_cnn(cnn: JsonObject, notes: list[str]) -> NetworkFields:
    found = cnn.get("n_characters", N_CHARACTERS)
    if found not in (N_CHARACTERS - 1, N_CHARACTERS):
        raise ModelError(f"n_characters is {found!r}; expected 261 (as in training) or 262 (with padding)")
    if found == N_CHARACTERS - 1:
        notes.append("n_characters 261 read as 262: the options were those of training, which do not count padding")
    embedding = cnn.get("embedding")
    if not isinstance(embedding, dict):
        raise ModelError('the options lack "embedding" in "char_cnn"')
    return {
        "n_characters": N_CHARACTERS,
        "max_characters_per_token": cnn.get("max_characters_per_token", 50),
        "char_embedding_dim": _needed(embedding, "dim", "char_cnn.embedding"),
        "filters": _needed(cnn, "filters", "char_cnn"),
        "n_highway": cnn.get("n_highway") or 0,
        "char_cnn_activation": cnn.get("activation", "relu"),
    }


def _needed(section: JsonObject, key: str, name: str) -> Any:
    if key not in section:
        raise ModelError(f'the options lack "{key}" in "{name}"')
    return section[key]


def options_of(config: NetworkConfig) -> JsonObject:
    """`options.json` for a model of ours, as the references read it.

    Raises:
        ModelError: They have no such model.
    """
    if config.directions != 2:
        raise ModelError("a forward language model has no backward half: the format of bilm-tf needs both directions")
    if config.context_layers:
        raise ModelError("the format of bilm-tf has no encoder of a translator (CoVe)")
    if not config.kind.in_bilm_tf:
        raise ModelError(
            f"the format of bilm-tf has no encoder of {config.kind.reads}: convert a model of characters alone "
            "(elmo pretrain --set token_encoder=char_cnn)"
        )
    options: JsonObject = {
        "lstm": {
            "use_skip_connections": config.use_skip_connections,
            "projection_dim": config.projection_dim,
            "cell_clip": config.cell_clip,
            "proj_clip": config.proj_clip,
            "dim": config.cell_dim,
            "n_layers": config.n_layers,
        },
        "bidirectional": True,
        "dropout": config.dropout,
    }
    if config.reads_characters:
        options["char_cnn"] = {
            "activation": config.char_cnn_activation,
            "filters": config.filters,
            "n_highway": config.n_highway,
            "embedding": {"dim": config.char_embedding_dim},
            "n_characters": config.n_characters,
            "max_characters_per_token": config.max_characters_per_token,
        }
    return options
