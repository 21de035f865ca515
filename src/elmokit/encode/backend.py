"""`Backend`: what computes the layers behind an `Encoder`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from elmokit.nn.config import NetworkConfig
from elmokit.text.word_rows import WordRows

Array = NDArray[np.float32]
BackendName = Literal["torch", "onnx"]
Take = Callable[[int, Sequence[Array]], None]
"""Is given the number of a sentence and its layers, n_layers + 1 of (words, D), which it may not keep."""


class Mix(Protocol):
    """A trained layer mix, as it is shown."""

    @property
    def mode(self) -> str:
        """How the layers are mixed: "trainable", "frozen" or "function"."""

    def weights(self) -> tuple[list[float], float] | None:
        """λ and γ; None where the mix has no weight per layer."""


class Backend(ABC):
    """A model that turns sentences of words into layers, in NumPy arrays.

    Attributes:
        name: "torch" or "onnx".
        config: The shape of the model.
        rows: How it reads words.
    """

    name: BackendName
    config: NetworkConfig
    rows: WordRows

    @property
    @abstractmethod
    def device(self) -> str:
        """Where it computes, as "cpu" or "cuda:0"."""

    @property
    @abstractmethod
    def mix(self) -> Mix | None:
        """The trained layer mix, if there is one."""

    @abstractmethod
    def each(self, sentences: Sequence[Sequence[str]], take: Take, *, batch_size: int, zero_state: bool) -> None:
        """Give `take` every sentence, in the order they are done.

        Args:
            sentences: Lists of words.
            take: Is called once a sentence.
            batch_size: Most sentences at a time.
            zero_state: Start from zero even if the model has a warm state.
        """

    @abstractmethod
    def carry(self, sentences: Sequence[Sequence[str]], take: Take) -> None:
        """All sentences as one batch that continues where the call before ended."""

    @abstractmethod
    def reset_state(self) -> None:
        """Forget what was carried."""

    @abstractmethod
    def mixed(self, layers: Sequence[Array]) -> Array:
        """Layers (W, D) to their trained mix (W, D)."""

    @abstractmethod
    def clear_cache(self) -> None:
        """Forget the vectors of words seen so far."""

    @abstractmethod
    def cached_words(self) -> tuple[list[str], Array]:
        """The words whose context-free vectors are kept, the least recently used first, and those vectors (n, P)."""

    @abstractmethod
    def restore_cached_words(self, words: Sequence[str], vectors: Array) -> None:
        """Back to what `cached_words` gave."""

    @abstractmethod
    def set_threads(self, count: int) -> None:
        """CPU threads to compute with."""

    @abstractmethod
    def weights(self) -> list[tuple[str, NDArray[Any]]]:
        """Every weight by name, the biLM's in the order of their names and then the mix's; narrow types as bytes."""
