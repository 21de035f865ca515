"""A trained head from its folder, for prediction: the network alone, without what trains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from elmokit.errors import ModelError
from elmokit.nn.heads.mixed import MixedNetwork
from elmokit.saved_model import SavedModel
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import WordRows
from elmokit.text.word_tokenizer import WordTokenizer
from elmokit.text.words import Span, split_words

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


def load_head(kind: type[_Network], folder: Path, *, holds: str, task: str) -> tuple[_Network, WordTokenizer]:
    """A trained network and its tokenizer; `holds` and `task` say what was expected, and what makes it.

    Raises:
        ModelError: The folder is missing, damaged or contains no such network.
    """
    saved = SavedModel.open(folder)
    network = saved.head() if saved.head_class is kind else None
    if not isinstance(network, kind):
        raise ModelError(f"{folder} contains no {holds}: train one with elmo train {task}")
    return network, saved.tokenizer(text_steps=saved.preprocessing.text_steps or [])


def steps_of(model: MixedNetwork, tokenizer: Tokenizer) -> list[str]:
    """The clean-up steps that a trained head's text goes through: those of its `ElmoConfig`, or of its tokenizer."""
    steps = model.config.text_steps if isinstance(model.config, Preprocessing) else tokenizer.text_steps
    return list(steps or [])


def word_splitter(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    """How a tokenizer splits cleaned text, without the offsets that cost half its time."""
    return str.split if tokenizer.split == "whitespace" else split_words
