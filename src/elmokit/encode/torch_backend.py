"""`TorchBackend`: a network in PyTorch behind an `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.encode.backend import Array, Backend, Take
from elmokit.encode.engine import Engine
from elmokit.encode.language_model import LanguageModel
from elmokit.errors import ConfigError, ModelError
from elmokit.nn.bilm import CarriedState
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork
from elmokit.saved_model import SavedModel
from elmokit.text.word_rows import WordRows


class TorchBackend(Backend):
    """Every model, on every device of PyTorch's.

    Attributes:
        model: The network, in evaluation mode.
        engine: It with its table of words.
    """

    name = "torch"

    def __init__(
        self,
        model: ElmoNetwork,
        rows: WordRows,
        *,
        mix: LayerMix | None = None,
        saved: SavedModel | None = None,
        memory: int | None = None,
    ) -> None:
        self.model, self.rows, self.config = model.train(False), rows, model.config
        self._mix = None if mix is None else mix.train(False)
        self._saved = saved
        self._carried = CarriedState()
        self._language_model: LanguageModel | None = None
        with torch.inference_mode():
            self.engine = Engine(model, rows, memory=memory)

    @property
    def device(self) -> str:
        """Where the weights are."""
        return str(self.model.device)

    @property
    def mix(self) -> LayerMix | None:
        """It computes on the CPU."""
        return self._mix

    def each(self, sentences: Sequence[Sequence[str]], take: Take, *, batch_size: int, zero_state: bool) -> None:
        with torch.inference_mode():
            for number, layers in self.engine.layers(sentences, batch_size=batch_size, zero_state=zero_state):
                take(number, _arrays(layers))

    def carry(self, sentences: Sequence[Sequence[str]], take: Take) -> None:
        """Rows of the state beyond this batch stay as they are."""
        with torch.inference_mode():
            start = self._carried.start(self.model.bilm.zero_state(len(sentences)))
            found, final = self.engine.batch(sentences, start)
            self._carried.keep(final)
            for number, layers in enumerate(found):
                take(number, _arrays(layers))

    def reset_state(self) -> None:
        self._carried.reset()

    def mixed(self, layers: Sequence[Array]) -> Array:
        assert self._mix is not None
        with torch.inference_mode():
            mask = torch.ones(1, len(layers[0]), dtype=torch.bool)
            mixed: Tensor = self._mix([torch.from_numpy(layer).unsqueeze(0) for layer in layers], mask)
            found: Array = mixed[0].float().numpy()
            return found

    def clear_cache(self) -> None:
        with torch.inference_mode():
            self.engine.table.clear()

    def cached_words(self) -> tuple[list[str], Array]:
        with torch.inference_mode():
            words, vectors = self.engine.table.contents()
            return words, vectors.float().cpu().numpy()

    def restore_cached_words(self, words: Sequence[str], vectors: Array) -> None:
        with torch.inference_mode():
            self.engine.table.restore(words, torch.from_numpy(vectors))

    def set_threads(self, count: int) -> None:
        torch.set_num_threads(count)

    def weights(self) -> list[tuple[str, NDArray[Any]]]:
        mix = {} if self._mix is None else self._mix.state_dict()
        named = [*sorted(self.model.state_dict().items()), *sorted(mix.items())]
        return [(name, tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()) for name, tensor in named]

    def language_model(self, *, zero_state: bool) -> LanguageModel:
        """The head of a folder of `elmo pretrain`, loaded once. `zero_state`: sentences start from zero.

        Raises:
            ModelError: There is none.
        """
        if self._saved is None:
            raise ModelError("this model has no language-model head: expected a folder of elmo pretrain")
        if self._language_model is None:
            self._language_model = LanguageModel.of(self._saved, self.engine, zero_state=zero_state)
        return self._language_model

    def __getstate__(self) -> dict[str, object]:
        """What a pickle or copy needs; the language-model head is loaded again when it is asked for."""
        return {**self.__dict__, "_language_model": None}


def chosen_device(name: str | None) -> torch.device:
    """The device of a name; by default a CUDA card if there is one, else that of an Apple computer, else the CPU.

    Raises:
        ConfigError: No such device, or PyTorch cannot use it here.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(kind for kind, found in there.items() if found))
    kind, _, number = name.partition(":")
    if kind not in there or (number and not number.isdecimal()):
        raise ConfigError(f"Unknown device {name!r}. Expected 'cpu', 'cuda', 'cuda:N' or 'mps'.")
    if not there[kind] or (kind == "cuda" and int(number or 0) >= torch.cuda.device_count()):
        usable = ", ".join(kind for kind, found in there.items() if found)
        raise ConfigError(f"There is no device {name!r} that PyTorch can use here; there is: {usable}.")
    return torch.device(name)


def _arrays(layers: Sequence[Tensor]) -> list[Array]:
    return [layer.float().cpu().numpy() for layer in layers]
