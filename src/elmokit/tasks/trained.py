"""A trained head from its folder, for prediction: the network alone, without what trains it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from elmokit.errors import ModelError
from elmokit.nn.heads.mixed import MixedNetwork
from elmokit.pretrained import located
from elmokit.run_folder import settings_of
from elmokit.saved_model import SavedModel
from elmokit.tasks.inputs.batches import BatchDataset, by_falling_length
from elmokit.tasks.inputs.tokens import TokenizedTexts
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.text.word_rows import WordRows
from elmokit.text.word_tokenizer import WordTokenizer
from elmokit.text.words import Span, split_words
from elmokit.whole_files import JsonObject, read_json_object

log = logging.getLogger(__name__)

_Network = TypeVar("_Network", bound=MixedNetwork)


class Tokenizer(Protocol):
    """A `WordTokenizer`, or an `ElmoTokenizer` with the surface of transformers."""

    @property
    def word_rows(self) -> WordRows:
        """How the model reads words."""

    @property
    def split(self) -> str:
        """How raw text is split: "penn" or "whitespace"."""

    @property
    def text_steps(self) -> Sequence[str]:
        """Clean-up steps."""

    def words(self, text: str) -> list[str]:
        """The words of a raw text."""

    def spans(self, text: str) -> list[Span]:
        """Where they are."""


@dataclass(frozen=True)
class TrainedHead(Generic[_Network]):
    """A trained network with its tokenizer, the settings of its training, and what `metrics.json` says of it."""

    network: _Network
    tokenizer: WordTokenizer
    settings: JsonObject
    facts: JsonObject

    def kept(self, *names: str) -> dict[str, Any]:
        """Settings by name, as far as they are recorded."""
        return {name: self.settings[name] for name in names if name in self.settings}


def load_head(kind: type[_Network], folder: str | Path, *, holds: str, task: str) -> TrainedHead[_Network]:
    """What a training left in a folder; `holds` and `task` say what was expected, and what makes it.

    Raises:
        ModelError: The folder is missing, damaged or contains no such network.
    """
    folder = located(folder)
    saved = SavedModel.open(folder)
    network = saved.head() if saved.head_class is kind else None
    if not isinstance(network, kind):
        raise ModelError(f"{folder} contains no {holds}: train one with elmo train {task}")
    tokenizer = saved.tokenizer(text_steps=saved.preprocessing.text_steps or [])
    metrics = folder / "metrics.json"
    facts = read_json_object(metrics) if metrics.is_file() else {}
    return TrainedHead(network, tokenizer, settings_of(folder), facts)


def steps_of(model: MixedNetwork, tokenizer: Tokenizer) -> list[str]:
    """The clean-up steps that a trained head's text goes through: those of its `ElmoConfig`, or of its tokenizer."""
    steps = model.config.text_steps if isinstance(model.config, Preprocessing) else tokenizer.text_steps
    return list(steps or [])


def word_splitter(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    """How a tokenizer splits cleaned text, without the offsets that cost half its time."""
    return str.split if tokenizer.split == "whitespace" else split_words


@dataclass(frozen=True)
class TrainedOn:
    """How the files of a training were read: what other files are read by, where nothing else is said and it fits.

    Attributes:
        text_column, label_column: Names or numbers.
        files: Delimiter, quotes, encoding and header.
    """

    text_column: str | None = None
    label_column: str | None = None
    files: FileOptions = AS_FOUND

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> TrainedOn:
        """From the settings of the training."""
        files = FileOptions(
            settings.get("header"), settings.get("delimiter"), settings.get("quote"), settings.get("encoding")
        )
        return cls(settings.get("text_column"), settings.get("label_column"), files)


UNKNOWN_TRAINING = TrainedOn()
"""Nothing is known of the files."""


@dataclass
class CutWarning:
    """Says once that texts are longer than what a model was trained on."""

    max_words: int
    said: bool = False

    def __call__(self, tokens: TokenizedTexts) -> None:
        """Texts that were cut to `max_words` words."""
        if tokens.cut and not self.said:
            self.said = True
            log.warning(
                "%d of %d texts are longer than the %d words that the model was trained for (max_words): only their "
                "first %d words are read, also in what follows",
                tokens.cut,
                len(tokens),
                self.max_words,
                self.max_words,
            )


@dataclass
class BlankWarning:
    """Says once that texts are blank."""

    said: bool = False

    def __call__(self, tokens: TokenizedTexts) -> None:
        """Texts without words, also those of which the clean-up leaves nothing."""
        if tokens.blank and not self.said:
            self.said = True
            log.warning(
                "%d of %d texts are blank: what is predicted for them says nothing, also in what follows",
                tokens.blank,
                len(tokens),
            )


@torch.inference_mode()
def logits_of(model: torch.nn.Module, data: BatchDataset, *, batch_size: int = 256) -> NDArray[np.float32]:
    """What a model of labels or numbers gives, (N, K) in the order of `data`, computed by falling length."""
    model.train(False)
    device = next(model.parameters()).device
    logits: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
    for picked, batch in by_falling_length(data, batch_size=batch_size):
        output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        part = output.logits.float().cpu().numpy()
        if not logits.size:
            logits = np.empty((len(data), part.shape[1]), dtype=np.float32)
        logits[picked] = part
    return logits
