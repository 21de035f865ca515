"""`Encoder`: sentences to arrays. The one embedding engine behind the command line and every integration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from elmokit.encode.batching import length_sorted_batches, windows
from elmokit.errors import ConfigError
from elmokit.models.loading import load_with_mix
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.nn.layer_mix import LayerMix
from elmokit.text.char_ids import char_ids, marker_char_ids
from elmokit.text.normalize import normalize
from elmokit.text.words import split_words

Sentence = str | Sequence[str]
Layers = Literal["all", "top", "average", "mix"] | int
Level = Literal["token", "sentence"]
Array = NDArray[np.float32]

_WINDOW_BATCHES = 64  # batches that are sorted together and share their distinct words
_WORDS_PER_BATCH = 16_384  # places of a batch, so that long texts do not multiply into one huge tensor
_WORDS_PER_CNN_CALL = 512
_DTYPES = ("float32", "bfloat16", "float16")


class Encoder:
    """Contextual word vectors of a model folder.

    The same sentence gets the same vectors whatever else is in the call: every sentence starts from the zero state, and
    no padded place is computed.

    Attributes:
        n_layers: Layers of a result with `layers="all"`: the token layer, then the LSTM layers.
        dim: Size of a vector.
    """

    def __init__(self, model: ElmoModel, *, mix: LayerMix | None = None) -> None:
        self.model = model.train(False)
        self.mix = None if mix is None else mix.train(False)
        self.n_layers = model.config.n_layers + 1
        self.dim = model.config.hidden_size

    @classmethod
    def from_pretrained(cls, path: str | Path, *, dtype: str = "float32") -> Encoder:
        """Load any model folder of elmokit: a pretrained biLM, or a classifier with its trained layer mix.

        Args:
            path: The folder.
            dtype: Type the network computes in: "float32", "bfloat16" or "float16". Results are float32 in any case.

        Raises:
            ModelError: The folder is missing, is not of elmokit, or its weights do not fit.
        """
        if dtype not in _DTYPES:
            raise ConfigError(f"Unknown dtype {dtype!r}. Expected one of: {', '.join(_DTYPES)}.")
        model, mix = load_with_mix(path, dtype=dtype)
        return cls(model, mix=mix)

    @overload
    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = ..., level: Literal["token"] = ...,
        batch_size: int = ..., is_split_into_words: bool = ..., show_progress_bar: bool = ...,
    ) -> list[Array]: ...  # fmt: skip

    @overload
    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = ..., level: Literal["sentence"],
        batch_size: int = ..., is_split_into_words: bool = ..., show_progress_bar: bool = ...,
    ) -> Array: ...  # fmt: skip

    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = "all", level: Level = "token", batch_size: int = 64,
        is_split_into_words: bool = False, show_progress_bar: bool = False,
    ) -> list[Array] | Array:  # fmt: skip
        """Vectors of sentences, in the order given.

        Args:
            sentences: Texts, or lists of words with `is_split_into_words=True`. Any iterable, a generator too.
            layers: "all" of them, the "top" one, their "average", the "mix" (that of a trained classifier, else the
                average), or the number of one (0 is the token layer, -1 the top).
            level: A vector a word ("token"), or the mean over the words of each sentence ("sentence").
            batch_size: Most sentences the network sees at once; the result does not depend on it.
            is_split_into_words: The sentences are lists of words, which stay whole.
            show_progress_bar: On stderr.

        Returns:
            For tokens a list of float32 arrays, (n_layers, words, dim) with "all", else (words, dim); `words` may be 0.
            For sentences one array, (n, n_layers, dim) with "all", else (n, dim); zero for a sentence without words.

        Raises:
            ConfigError: An unknown value of `layers` or `level`, or a batch size below 1.
            ValueError: A text among lists of words or the other way round.
        """
        if level not in ("token", "sentence"):
            raise ConfigError(f"Unknown level {level!r}. Expected 'token' or 'sentence'.")
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}; expected at least 1.")
        if isinstance(sentences, str):
            raise ValueError("Expected a list of sentences, got one text; wrap it in a list.")
        combine = self._combination(layers)
        words = (self._words(sentence, is_split_into_words=is_split_into_words) for sentence in sentences)
        results: list[Array] = []
        total = len(sentences) if isinstance(sentences, Sequence) else None
        with Progress(console=Console(stderr=True), disable=not show_progress_bar) as progress, torch.inference_mode():
            task = progress.add_task("encoding", total=total)
            for window in windows(words, batch_size * _WINDOW_BATCHES):
                arrays: list[Array | None] = [None] * len(window)
                for number, array in self._window(window, combine, level=level, batch_size=batch_size):
                    arrays[number] = array
                    progress.advance(task)
                results += [array for array in arrays if array is not None]
        if level == "token":
            return results
        shape = (self.n_layers, self.dim) if layers == "all" else (self.dim,)
        return np.stack(results) if results else np.zeros((0, *shape), dtype=np.float32)

    def words(self, text: str) -> list[str]:
        """The words of a raw text, cleaned and split as the text that the model was pretrained on."""
        text = normalize(text, self.model.config.text_steps or [])
        return text.split() if self.model.config.pre_split else split_words(text)

    def _words(self, sentence: Sentence, *, is_split_into_words: bool) -> list[str]:
        if is_split_into_words:
            if isinstance(sentence, str):
                raise ValueError(f"is_split_into_words=True expects lists of words; got the text {sentence[:40]!r}.")
            return list(sentence)
        if not isinstance(sentence, str):
            raise ValueError(
                f"Expected texts; got {str(sentence)[:40]!r}. For lists of words pass is_split_into_words=True."
            )
        return self.words(sentence)

    def _window(
        self, sentences: list[list[str]], combine: Callable[[list[Tensor], Tensor], Tensor], *, level: Level,
        batch_size: int,
    ) -> Iterator[tuple[int, Array]]:  # fmt: skip
        """Number and array of every sentence, in the order they are done."""
        rows: dict[str, int] = {}
        numbers = [[rows.setdefault(word, len(rows) + 2) for word in words] for words in sentences]
        table = self._token_vectors(list(rows))  # (2 + U, P), markers first
        lengths = [len(words) for words in sentences]
        for batch in length_sorted_batches(lengths, batch_size=batch_size, max_words=_WORDS_PER_BATCH):
            longest = lengths[batch[0]]
            index = torch.ones(len(batch), longest + 2, dtype=torch.long)  # </S>, harmless in the padding
            index[:, 0] = 0
            for row, number in enumerate(batch):
                index[row, 1 : lengths[number] + 1] = torch.tensor(numbers[number], dtype=torch.long)
            outputs, _ = self.model.run(table, index.to(table.device), [lengths[number] + 2 for number in batch])
            inner = [layer[:, 1 : longest + 1] for layer in outputs]  # (B, W, D) a layer
            counts = torch.tensor([lengths[number] for number in batch], device=table.device)
            mask = torch.arange(longest, device=table.device) < counts[:, None]  # (B, W)
            combined = combine(inner, mask).float()  # (B, W, D), or (B, layers, W, D)
            if level == "sentence":
                real = mask.unsqueeze(-1) if combined.ndim == 3 else mask[:, None, :, None]
                means = combined.masked_fill(~real, 0.0).sum(dim=-2)
                means /= counts.clamp(min=1).view(-1, *[1] * (means.ndim - 1))
                yield from zip(batch, means.cpu().numpy(), strict=True)
            else:
                arrays = combined.cpu().numpy()
                yield from ((n, arrays[row, ..., : lengths[n], :].copy()) for row, n in enumerate(batch))

    def _token_vectors(self, words: list[str]) -> Tensor:
        """(2 + U, P): the vectors of <S>, </S> and of each word."""
        size = self.model.config.max_characters_per_token
        device = self.model.device
        table = [self.model.token_vectors(torch.from_numpy(marker_char_ids(size)).to(device))]
        # Words of like length together: the CNN crops each call to its longest.
        order = sorted(range(len(words)), key=lambda number: len(words[number]))
        for chunk in windows(order, _WORDS_PER_CNN_CALL):
            chars = char_ids([words[number] for number in chunk], max_characters=size)
            table.append(self.model.token_vectors(torch.from_numpy(chars).to(device)))
        back = torch.empty(len(words), dtype=torch.long)
        back[torch.tensor(order, dtype=torch.long)] = torch.arange(len(words))
        return torch.cat(table)[torch.cat([torch.tensor([0, 1]), back + 2]).to(device)]

    def _combination(self, layers: Layers) -> Callable[[list[Tensor], Tensor], Tensor]:
        """How (B, W, D) a layer and a mask become the result."""
        if layers == "all":
            return lambda hidden, mask: torch.stack(hidden, dim=1)
        if layers == "mix" and self.mix is not None:
            return self.mix
        if layers in ("average", "mix"):
            return lambda hidden, mask: torch.stack([layer.float() for layer in hidden]).mean(dim=0)
        number = -1 if layers == "top" else layers
        if isinstance(number, bool) or not isinstance(number, int) or not -self.n_layers <= number < self.n_layers:
            raise ConfigError(
                f"Unknown layers {layers!r}. Expected 'all', 'top', 'average', 'mix' or a number from 0 to "
                f"{self.n_layers - 1}."
            )
        return lambda hidden, mask: hidden[number]
