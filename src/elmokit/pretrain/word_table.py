"""The context-free vectors of a text's words, each computed once for all the batches it occurs in."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from elmokit.pretrain.stream import PackedBatch

_BYTES = 64 << 20


class WordTable:
    """Keeps the vectors of words with low numbers, which are the frequent ones; others are computed in every batch.

    Args:
        token_vectors: Rows of words (U, L) to vectors (U, P).
        dim: P.
        device: Where they are.
    """

    def __init__(self, token_vectors: Callable[[Tensor], Tensor], *, dim: int, device: torch.device) -> None:
        self._token_vectors = token_vectors
        self._room = max(1, _BYTES // (4 * dim))
        self._vectors = torch.empty(self._room + 1, dim, device=device)  # memory is taken as rows are written
        self._known = torch.zeros(self._room + 1, dtype=torch.bool, device=device)

    def vectors(self, batch: PackedBatch) -> Tensor:
        """(U, P) of the distinct words of a batch, which is on the table's device."""
        places = batch.words.clamp_max(self._room)  # all words without room share the last one, which is never known
        missing = ~self._known[places]
        computed = self._token_vectors(batch.chars[missing])
        self._vectors[places[missing]] = computed.to(self._vectors.dtype)
        self._known[places] = True
        self._known[-1] = False
        found = self._vectors[places]
        found[missing] = computed.to(self._vectors.dtype)
        return found
