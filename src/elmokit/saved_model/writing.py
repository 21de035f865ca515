"""`write_model`: the files of a model folder, as transformers would write them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

from elmokit.nn.config import NetworkConfig
from elmokit.saved_model.fields import CONFIG_FILE
from elmokit.saved_model.remote_code import AUTO_MAP, TOKENIZER_AUTO_MAP, write_remote_file
from elmokit.saved_model.weight_files import WEIGHTS_FILE
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_encoding import PAD_TOKEN, UNKNOWN_TOKEN
from elmokit.text.word_rows import LEXICON_FILE, save_lexicon
from elmokit.text.word_tokenizer import TOKENIZER_CONFIG_FILE, UNLIMITED, WordTokenizer
from elmokit.whole_files import JsonObject, share_weights

TOKENIZER_FILE = "tokenizer.json"


def write_model(
    folder: Path,
    network: nn.Module,
    config: NetworkConfig,
    *,
    architecture: str,
    preprocessing: Preprocessing,
    tokenizer: WordTokenizer,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Write `config.json`, the weights and the tokenizer into a folder, which is made.

    Args:
        folder: See above.
        network: Its weights are written under its own names.
        config: Its shape.
        architecture: Which of our models it is, as transformers calls them.
        preprocessing: How the text of its pretraining was prepared.
        tokenizer: How it reads text.
        beside: Further values of `config.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtype = str(next(network.parameters()).dtype).removeprefix("torch.")
    about = {"architectures": [architecture], "auto_map": AUTO_MAP, "dtype": dtype, "model_type": "elmo"}
    values = {**(beside or {}), **dataclasses.asdict(config), **dataclasses.asdict(preprocessing), **about}
    _write_json(folder / CONFIG_FILE, values)
    state = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    share_weights(folder)
    write_tokenizer(tokenizer, folder)


def write_tokenizer(tokenizer: WordTokenizer, folder: Path) -> None:
    """Write a tokenizer's files, which `ElmoTokenizer` and `SavedModel` read."""
    settings = {
        "auto_map": TOKENIZER_AUTO_MAP,
        "backend": "tokenizers",
        "by_word": tokenizer.by_word,
        "max_characters": tokenizer.word_rows.max_characters,
        "model_max_length": tokenizer.max_words or UNLIMITED,
        "pad_token": PAD_TOKEN,
        "split": tokenizer.split,
        "text_steps": list(tokenizer.text_steps),
        "tokenizer_class": "ElmoTokenizer",
        "unk_token": UNKNOWN_TOKEN,
    }
    _write_json(folder / TOKENIZER_CONFIG_FILE, settings)
    (folder / TOKENIZER_FILE).write_text(json.dumps(_TOKENIZER, indent=2), encoding="utf-8")
    write_remote_file(folder)
    if tokenizer.word_rows.lexicon():
        save_lexicon(tokenizer.word_rows, folder / LEXICON_FILE)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _special(number: int, content: str) -> JsonObject:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, **flags, "special": True}


_TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [_special(0, PAD_TOKEN), _special(1, UNKNOWN_TOKEN)],
    "normalizer": None,
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {PAD_TOKEN: 0, UNKNOWN_TOKEN: 1}, "unk_token": UNKNOWN_TOKEN},
}
"""Words are never looked up: the file tells tools that there is a tokenizer."""
