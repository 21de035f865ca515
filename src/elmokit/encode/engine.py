"""The engine of `Encoder`: sentences of words to layers, without padding, in memory that does not grow with a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor

from elmokit.encode.batching import length_sorted_batches
from elmokit.encode.memory import layer_budget
from elmokit.encode.token_table import TokenTable, table_of
from elmokit.machine import return_freed_memory
from elmokit.nn.bilm import BiLM, State
from elmokit.nn.lstm import ProjectedLSTM, lay_out_for_inference
from elmokit.nn.network import ElmoNetwork
from elmokit.text.word_rows import WordRows


class Engine:
    """A model with its table of token vectors. Every method wants to run in `torch.inference_mode`.

    Attributes:
        words_per_batch: Most words of a batch; a longer text goes through a biLM in pieces of this length.
    """

    def __init__(self, model: ElmoNetwork, rows: WordRows, *, memory: int | None = None) -> None:
        """`memory`: bytes that raise the size of batches, see `encode/memory.py`."""
        self.model, self.rows = model, rows
        word_bytes = 4 * model.config.hidden_size * (model.config.n_layers + 1)
        self.words_per_batch = max(256, layer_budget(memory, narrow=model.dtype != torch.float32) // word_bytes)
        for layer in model.bilm.layers:
            lay_out_for_inference(cast(ProjectedLSTM, layer))
        self.table = TokenTable(model, rows)

    def layers(
        self, sentences: Sequence[Sequence[str]], *, batch_size: int, zero_state: bool, markers: bool = False
    ) -> Iterator[tuple[int, list[Tensor]]]:
        """Number and layers, n_layers + 1 of (words, D), of every sentence, in the order they are done.

        Args:
            sentences: Lists of words.
            batch_size: Most sentences at a time.
            zero_state: Start from zero even if the model contains a warm state.
            markers: Keep the layers of the two sentence markers.
        """
        inner = slice(None) if markers else slice(1, -1)
        vectors, slots = table_of(self.table, sentences)
        lengths = [len(row) for row in slots]
        for batch in length_sorted_batches(lengths, batch_size=batch_size, max_words=self.words_per_batch):
            large = sum(lengths[number] for number in batch) > self.words_per_batch // 4
            if large:
                return_freed_memory()
            state = self._start(len(batch), zero_state=zero_state)
            if lengths[batch[0]] > self.words_per_batch and isinstance(self.model.bilm, BiLM):
                found = [self._long(vectors, slots[batch[0]], state)]
            else:
                found, _ = self._batch(vectors, [slots[number] for number in batch], state)
            if large:
                return_freed_memory()  # before the results fill the holes between what is left
            for number, layers in zip(batch, found, strict=True):
                yield number, [layer[inner] for layer in layers]

    def batch(self, sentences: Sequence[Sequence[str]], state: State) -> tuple[list[list[Tensor]], State]:
        """Layers of every sentence as one batch in the order given, and the states after them."""
        layers, final = self._batch(*table_of(self.table, sentences), state)
        return [[layer[1:-1] for layer in sentence] for sentence in layers], final

    def _start(self, batch: int, *, zero_state: bool) -> State:
        return self.model.bilm.zero_state(batch) if zero_state else self.model.initial_state(batch)

    def _batch(self, vectors: Tensor, slots: Sequence[list[int]], state: State) -> tuple[list[list[Tensor]], State]:
        lengths = [len(row) for row in slots]
        words = torch.tensor([slot for row in slots for slot in row], dtype=torch.long, device=vectors.device)
        tokens = vectors[words]  # (N, P)
        outputs, final = self.model.bilm.forward_ragged(tokens, lengths, state=state, words=words)
        layers = [torch.cat([tokens] * self.model.config.directions, dim=1), *outputs]  # (N, D) each
        pieces = zip(*(torch.split(layer, lengths) for layer in layers), strict=True)
        return [list(sentence) for sentence in pieces], final

    def _long(self, vectors: Tensor, slots: list[int], state: State) -> list[Tensor]:
        """One text piece by piece: the forward direction from its start while the backward one comes from its end.

        The states go from piece to piece, so the result is that of one long pass.
        """
        bilm, size = self.model.bilm, self.model.config.projection_dim
        directions = self.model.config.directions
        index = torch.tensor(slots)
        length = len(slots)
        layers = [vectors.new_empty(length, directions * size) for _ in range(self.model.config.n_layers + 1)]
        for start in range(0, length, self.words_per_batch):
            stop = min(start + self.words_per_batch, length)
            reading = [index[start:stop], index.flip(0)[start:stop]][:directions]
            tokens = vectors[torch.stack(reading)]  # (D, n, P)
            outputs, state = bilm.forward_packed(tokens, [1] * (stop - start), state=state)
            for layer, output in zip(layers, [tokens, *outputs], strict=True):
                layer[start:stop, :size] = output[0]
                if directions == 2:
                    layer[length - stop : length - start, size:] = output[1].flip(0)
        return layers
