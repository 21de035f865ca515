"""A saved language model opened for evaluation: in plain PyTorch where its folder holds nothing unusual.

Importing transformers takes longer than evaluating ten thousand words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

from elmokit.errors import ModelError
from elmokit.nn.config import NetworkConfig
from elmokit.nn.network import LanguageNetwork
from elmokit.pretrained import located
from elmokit.text.vocab import Vocabulary
from elmokit.text.word_rows import LEXICON_FILE, ByteRows, WordRows, check_table_sizes, load_word_rows
from elmokit.whole_files import read_json_object

if TYPE_CHECKING:
    from elmokit.models.modeling_pretraining import ElmoForPreTraining

_OTHER_SETTINGS = frozenset({
    "architectures", "char_features", "combine", "decoder_hidden_dim", "decoder_layers", "dtype", "head_dropout",
    "head_hidden_dim", "head_layers", "label_smoothing", "marker_rows", "mix_activation",
    "mix_at", "mix_dropout", "mix_hidden_dim", "mix_l2", "mix_layer_norm", "mix_normalize", "mix_weights",
    "model_type", "n_static_words", "n_target_pieces", "pooling", "pre_split", "self_attention", "static_dim",
    "target_dim", "text_steps", "transformers_version",
})  # fmt: skip
"""Of a saved configuration; a folder with still others is opened by way of transformers, which says what they are."""


@dataclass(frozen=True)
class SavedLanguageModel:
    """What evaluation needs of a folder that `elmo pretrain` wrote.

    Attributes:
        network: In evaluation mode, in float32.
        config: Its shape.
        vocabulary: The words it predicts.
        rows: How it reads words.
        text_steps: Clean-up steps of its text.
        pre_split: Whether the words of its text were separated by spaces.
    """

    network: LanguageNetwork | ElmoForPreTraining
    config: NetworkConfig
    vocabulary: Vocabulary
    rows: WordRows
    text_steps: list[str]
    pre_split: bool

    @classmethod
    def open(cls, path: str | Path) -> SavedLanguageModel:
        """Open a folder, or a model that comes with the package by its name.

        Raises:
            ModelError: No such folder, no language model with its vocabulary in it, or one that is damaged.
        """
        found = _in_plain_pytorch(located(path))
        return _by_transformers(path) if found is None else found


def _in_plain_pytorch(folder: Path) -> SavedLanguageModel | None:
    """None where anything is missing, damaged or unusual."""
    weights, vocabulary = folder / "model.safetensors", folder / "vocab.txt"
    if not ((folder / "config.json").is_file() and weights.is_file() and vocabulary.is_file()):
        return None
    values = read_json_object(folder / "config.json")
    if not _is_usual(values):
        return None
    try:
        config = NetworkConfig.read(values)
        with _Undrawn():
            network = LanguageNetwork(config)
        network.load_state_dict({name: x.float() for name, x in load_file(weights).items()}, assign=True)
        rows = _word_rows(folder, config)
    except (OSError, ValueError, RuntimeError, ArithmeticError, SafetensorError, ModelError):
        return None
    return SavedLanguageModel(
        network.train(False), config, Vocabulary.load(vocabulary), rows, list(values.get("text_steps") or []),
        bool(values.get("pre_split", False)),
    )  # fmt: skip


def _word_rows(folder: Path, config: NetworkConfig) -> WordRows:
    if config.token_encoder == "char_cnn":
        return ByteRows(config.max_characters_per_token)
    pieces = config.token_encoder == "subword"
    width = config.max_pieces_per_token if pieces else config.max_characters_per_token
    rows = load_word_rows(folder / LEXICON_FILE, max_characters=width)
    check_table_sizes(rows, words=config.n_words, characters=config.n_characters)
    return rows


class _Undrawn(TorchFunctionMode):
    """Leaves weights as the memory was that they lie in: those of a file will take their place.

    The meta device would do, too, but its first use takes a second of imports.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.__name__.endswith(("normal_", "uniform_")):  # in place, of a tensor or of torch.nn.init
            return None
        return func(*args, **(kwargs or {}))


def _is_usual(values: Mapping[str, Any]) -> bool:
    """A biLM with its softmax, and no setting that is not known here."""
    steps = values.get("text_steps") or []
    known = {field.name for field in fields(NetworkConfig)} | _OTHER_SETTINGS
    return (
        values.get("model_type") == "elmo"
        and values.get("architectures") == ["ElmoForPreTraining"]
        and not values.get("context_layers")
        and isinstance(values.get("pre_split", False), bool)
        and isinstance(steps, list)
        and all(isinstance(step, str) for step in steps)
        and set(values) <= known
    )


def _by_transformers(path: str | Path) -> SavedLanguageModel:
    from elmokit.models.loading import load, load_config, word_rows_of
    from elmokit.models.modeling_pretraining import ElmoForPreTraining

    settings = load_config(path)
    vocabulary = located(path) / "vocab.txt"
    if not vocabulary.is_file():
        raise ModelError(f"{path} has no vocab.txt: it is no model that elmo pretrain made")
    model = load(ElmoForPreTraining, path)
    return SavedLanguageModel(
        model, NetworkConfig.of(settings), Vocabulary.load(vocabulary), word_rows_of(path),
        list(settings.text_steps or []), settings.pre_split,
    )  # fmt: skip
