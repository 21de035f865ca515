"""`SavedModel`: a model folder, opened once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from elmokit.errors import ModelError
from elmokit.nn.config import NetworkConfig
from elmokit.nn.heads.shapes import MixedShape
from elmokit.nn.typed_fields import read_fields, refuse_unknown
from elmokit.pretrained import located
from elmokit.saved_model.fields import CONFIG_FILE, MODEL_FIELDS, TRANSFORMERS_FIELDS, TRANSFORMERS_KEYS
from elmokit.saved_model.heads import BILM, HEADS, LANGUAGE_MODEL
from elmokit.saved_model.weight_files import PYTORCH_FILE, WEIGHTS_FILE
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.vocab import Vocabulary
from elmokit.text.word_rows import LEXICON_FILE, ByteRows, JoinedRows, WordRows, check_table_sizes, load_word_rows
from elmokit.text.word_tokenizer import TOKENIZER_CONFIG_FILE, WordTokenizer, read_tokenizer_settings
from elmokit.whole_files import read_json_object

if TYPE_CHECKING:
    from torch import nn

    from elmokit.nn.heads.mixed import MixedNetwork
    from elmokit.nn.language_network import LanguageNetwork
    from elmokit.nn.layer_mix import LayerMix
    from elmokit.nn.network import ElmoNetwork
    from elmokit.nn.softmax import SoftmaxHead
    from elmokit.saved_model.weights import WeightFiles

VOCABULARY_FILE = "vocab.txt"
BILM_FOLDER = "bilm"
"""In the folder of a task's model: the language model it began with, where it is kept."""

_Shape = TypeVar("_Shape", bound=NetworkConfig)
_Fields = TypeVar("_Fields", bound="NetworkConfig | Preprocessing")
_Network = TypeVar("_Network", bound="nn.Module")


class SavedModel:
    """A folder that `elmo pretrain`, `elmo train`, `elmo convert` or `save_pretrained` wrote.

    Its `config.json` is read here, once; everything else when it is asked for.

    Attributes:
        folder: Where it is.
        values: What its `config.json` holds.
        config: The shape of its biLM and language-model head.
        preprocessing: How the text of its pretraining was prepared.
        architecture: Which of our models it is, as transformers calls them; None: a bare biLM.
    """

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        """See `open`."""
        self.folder, self.values = folder, values
        kind = values.get("model_type")
        if kind != "elmo":
            raise ModelError(f"{folder / CONFIG_FILE} describes a model of type {kind!r}; expected 'elmo'.")
        given = [name for name in values if not name.startswith("_")]
        refuse_unknown([name for name in given if name not in TRANSFORMERS_KEYS | TRANSFORMERS_FIELDS], MODEL_FIELDS)
        self.config = self.shape(NetworkConfig)
        self.preprocessing = self._read(Preprocessing)
        known = (*HEADS, LANGUAGE_MODEL)
        self.architecture = next((name for name in values.get("architectures") or [] if name in known), None)

    @property
    def head_class(self) -> type[MixedNetwork] | None:
        """The network of the task that the folder is of; None where it is of none."""
        return HEADS[self.architecture].network if self.architecture in HEADS else None

    @classmethod
    def open(cls, path: str | Path) -> SavedModel:
        """Open a folder, or a model that comes with the package by its name.

        Raises:
            ModelError: No such folder, no config.json in it, or one that is damaged or not of an elmokit model.
            ConfigError: A setting that this version does not know.
        """
        folder = located(path)
        if not folder.exists():
            raise ModelError(
                f"There is no model folder {folder}; expected a folder with config.json and model.safetensors."
            )
        refuse_part(folder)
        file = folder / CONFIG_FILE
        if not file.is_file():
            published = next(folder.glob("*.hdf5"), None)
            more = f"; the published weights in it become one: elmo convert {folder} DIR" if published else ""
            raise ModelError(f"{folder} is no model folder: it has no config.json{more}.")
        return cls(folder, read_json_object(file))

    def shape(self, kind: type[_Shape]) -> _Shape:
        """The fields of a network, from `config.json`.

        Raises:
            ModelError: One is of the wrong type or out of range.
        """
        shape = self._read(kind)
        try:
            shape.check()
        except ValueError as error:
            raise ModelError(f"{self.folder / CONFIG_FILE}: {error}") from error
        return shape

    def _read(self, kind: type[_Fields]) -> _Fields:
        try:
            return read_fields(kind, self.values)
        except ValueError as error:
            raise ModelError(f"{self.folder / CONFIG_FILE}: {error}") from error

    # Networks -------------------------------------------------------------------------------------------------------

    def network(self, *, dtype: str = "float32") -> ElmoNetwork:
        """The biLM, in evaluation mode.

        Raises:
            ModelError: Weights that are damaged, missing or of another shape.
            ConfigError: An unknown `dtype`.
        """
        from elmokit.nn.network import ElmoNetwork

        return self._filled(ElmoNetwork, self.config, name=BILM, dtype=dtype)

    def require_language_head(self) -> None:
        """
        Raises:
            ModelError: The folder has no language-model head with its vocabulary. It says what the folder has.
        """
        if self.architecture in HEADS:
            lack = f"is {HEADS[self.architecture].noun} of elmo train and has no language-model head"
        elif not self.config.vocab_size:
            lack = "has no language-model head, as published models do not"
        elif not (self.folder / VOCABULARY_FILE).is_file():
            lack = f"has no {VOCABULARY_FILE}, which its language-model head needs"
        else:
            return
        raise ModelError(f"{self.folder} {lack}: expected a folder of elmo pretrain, or elmo-mini")

    def language_model(self, *, dtype: str = "float32") -> LanguageNetwork:
        """The biLM with the head it was pretrained with, in evaluation mode. Raises as `network`."""
        from elmokit.nn.language_network import LanguageNetwork

        return self._filled(LanguageNetwork, self.config, name=LANGUAGE_MODEL, dtype=dtype)

    def language_head(self, *, dtype: str = "float32") -> SoftmaxHead:
        """The softmax that the biLM was pretrained with, in evaluation mode. Raises as `network`."""
        from elmokit.nn.language_network import build_language_head
        from elmokit.nn.undrawn import Undrawn

        with Undrawn():
            head = build_language_head(self.config)
        self._weights.fill(head, name=LANGUAGE_MODEL, prefix="head.", dtype=dtype)
        return head.train(False)

    def mix(self, *, dtype: str = "float32") -> LayerMix | None:
        """The trained layer mix of a task's model, in evaluation mode; None in other folders. Raises as `network`."""
        if self.architecture not in HEADS:
            return None
        from elmokit.nn.heads.mixed import build_mix

        mix = build_mix(self.shape(MixedShape))
        self._weights.fill(mix, name=self.architecture, prefix="mix.", dtype=dtype)
        return mix.train(False)

    def head(self, *, dtype: str = "float32") -> MixedNetwork:
        """The whole network of a task, in evaluation mode.

        Raises:
            ModelError: The folder contains no such network; or as `network`.
        """
        if self.architecture not in HEADS:
            raise ModelError(f"{self.folder} contains no model of a task: train one with elmo train")
        head = HEADS[self.architecture]
        return self._filled(head.network, self.shape(head.shape), name=self.architecture, dtype=dtype)

    def fill(self, module: nn.Module, *, name: str, dtype: str = "float32") -> None:
        """Give a module of one's own the weights that the folder has under its names. Raises as `network`."""
        self._weights.fill(module, name=name, dtype=dtype)

    def _filled(self, kind: Callable[[Any], _Network], config: NetworkConfig, *, name: str, dtype: str) -> _Network:
        from elmokit.nn.undrawn import Undrawn

        with Undrawn():
            network = kind(config)
        self._weights.fill(network, name=name, dtype=dtype)
        return network.train(False)

    @cached_property
    def _weights(self) -> WeightFiles:
        from elmokit.saved_model.weights import WeightFiles

        return WeightFiles(self.folder)

    # Text -----------------------------------------------------------------------------------------------------------

    @property
    def word_rows(self) -> WordRows:
        """How the biLM reads words.

        Raises:
            ModelError: Its `lexicon.json` is missing, damaged or does not fit.
        """
        if not self.config.kind.needs_lexicon:
            return ByteRows(self.config.max_characters_per_token)
        rows = self._lexicon
        return rows.first if isinstance(rows, JoinedRows) else rows

    @property
    def whole_word_rows(self) -> WordRows:
        """How the model reads words that has more than its biLM: static vectors, spelling. Raises as `word_rows`."""
        if self.architecture not in HEADS:
            return self.word_rows
        shape = self.shape(HEADS[self.architecture].shape)
        return self._lexicon if shape.input_width > shape.row_width else self.word_rows

    @cached_property
    def _lexicon(self) -> WordRows:
        """What `lexicon.json` says, held against the tables of the model."""
        config = self.config
        rows = load_word_rows(self.folder / LEXICON_FILE, max_characters=config.kind.positions(config))
        static = self.shape(MixedShape).n_static_words
        check_table_sizes(rows, words=config.n_words, characters=config.n_characters, static=static)
        return rows

    def tokenizer(self, **changed: Any) -> WordTokenizer:
        """The tokenizer saved with the model, or one for how the model reads words.

        Args:
            changed: Arguments of `WordTokenizer` that are to be others than the saved ones.
        """
        settings: dict[str, Any] = {"split": "whitespace" if self.preprocessing.pre_split else "penn"}
        if (self.folder / TOKENIZER_CONFIG_FILE).is_file():
            settings = {**read_tokenizer_settings(self.folder)}
        return WordTokenizer(**{"word_rows": self.whole_word_rows, **settings, **changed})

    def vocabulary(self) -> Vocabulary:
        """The words that the language model predicts.

        Raises:
            ModelError: The folder has no language-model head, or no `vocab.txt`.
        """
        self.require_language_head()
        return Vocabulary.load(self.folder / VOCABULARY_FILE)


def language_model_folder(path: str | Path) -> Path:
    """The folder of the language model at a path or of a shipped name: `bilm` in it, where a task's model keeps one."""
    folder = located(path)
    kept = folder / BILM_FOLDER
    return kept if (kept / CONFIG_FILE).is_file() else folder


def refuse_part(path: Path) -> None:
    """Refuse a file of a saved model, which is no model by itself, though a vocabulary may look like vectors.

    Raises:
        ModelError: It is one; with the folder.
    """
    parts = (CONFIG_FILE, TOKENIZER_CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE, PYTORCH_FILE)
    if path.name in parts and path.is_file() and (path.parent / CONFIG_FILE).is_file():
        raise ModelError(f"{path} is a file of the model in {path.parent}: give the folder")
