"""A module for sentence-transformers: `SentenceTransformer(modules=[Elmo("elmo-mini"), Pooling(512)])`.

The model is encoded, saved, loaded and trained as any other of theirs; `model.save_pretrained(folder)` writes a folder
that `Encoder.from_pretrained` opens as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from sentence_transformers.base.modules import InputModule

from elmokit.errors import ConfigError
from elmokit.saved_model import SavedModel, language_model_folder
from elmokit.saved_model.heads import BILM
from elmokit.saved_model.writing import write_model
from elmokit.text.given import given_text

Layers = Literal["average", "top", "concat"] | int
_NAMES = ("average", "top", "concat")


class Elmo(InputModule):
    """The layers of a biLM as token embeddings (B, W, dim), for a pooling module to follow.

    Args:
        model: A folder of elmokit, or a model that comes with the package.
        layers: "average", "top", "concat" or the number of a layer, 0 the token layer.
        max_seq_length: Words that longer texts are cut to; None: they are not cut.

    Raises:
        ModelError: No such folder, or a damaged one.
        ConfigError: An unknown value of `layers`.
    """

    config_file_name = "elmo_module.json"  # config.json is that of the model
    config_keys = ["layers", "max_seq_length"]  # noqa: RUF012 (sentence-transformers' own)

    def __init__(self, model: str | Path, layers: Layers = "average", max_seq_length: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._saved = SavedModel.open(language_model_folder(model))
        count = self._saved.config.n_layers + 1
        if layers not in _NAMES and not (isinstance(layers, int) and -count <= layers < count):
            raise ConfigError(
                f"Unknown layers {layers!r}. Expected {', '.join(map(repr, _NAMES))} or a number from 0 to {count - 1}."
            )
        self.layers, self.max_seq_length = layers, max_seq_length
        self.rows, self.words = self._saved.word_rows, self._saved.preprocessing.words
        self.network = self._saved.network()

    def get_embedding_dimension(self) -> int:
        """Size of a token embedding."""
        config = self._saved.config
        return config.hidden_size * (config.n_layers + 1 if self.layers == "concat" else 1)

    get_word_embedding_dimension = get_embedding_dimension  # its name in older versions

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """`input_ids` (B, W, L), the row of each word, and `attention_mask` (B, W).

        Raises:
            ValueError: An input is no text.
        """
        texts = [given_text(each, f"text {number}") for number, each in enumerate(inputs, 1)]
        sentences = [self.words((prompt or "") + text)[: self.max_seq_length] for text in texts]
        longest = max([1, *map(len, sentences)])
        ids = np.zeros((len(sentences), longest, self._saved.config.row_width), dtype=np.int64)
        mask = np.zeros((len(sentences), longest), dtype=np.int64)
        for row, words in enumerate(sentences):
            if words:
                ids[row, : len(words)], mask[row, : len(words)] = self.rows(words), 1
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Adds `token_embeddings` (B, W, dim), zero in the padding."""
        layers = self.network(features["input_ids"], features["attention_mask"]).hidden_states
        if self.layers == "concat":
            chosen = torch.cat(list(layers), dim=-1)
        elif self.layers == "average":
            chosen = torch.stack(list(layers)).mean(dim=0)
        else:
            chosen = layers[-1 if self.layers == "top" else int(self.layers)]
        features["token_embeddings"] = chosen
        return features

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """A model folder of elmokit, and `elmo_module.json`."""
        folder, saved = Path(output_path), self._saved
        write_model(
            folder,
            self.network,
            saved.config,
            architecture=BILM,
            preprocessing=saved.preprocessing,
            tokenizer=saved.tokenizer(word_rows=self.rows),
        )
        (folder / self.config_file_name).write_text(json.dumps(self.get_config_dict(), indent=2), encoding="utf-8")

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        init_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """What `save` wrote, from a folder or the hub."""
        where: dict[str, Any] = {
            "token": token,
            "cache_folder": cache_folder,
            "revision": revision,
            "local_files_only": local_files_only,
        }
        folder = cls.load_dir_path(model_name_or_path, subfolder=subfolder, **where)
        return cls(str(folder), **cls.load_config(model_name_or_path, subfolder=subfolder, **where))
