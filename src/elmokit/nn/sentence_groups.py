"""Rows of words that hold several sentences, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class SentenceGroups:
    """Where the S sentences of B rows lie.

    Attributes:
        places: (S, V) the place of each word in the flattened (B * W) rows; 0 in the padding.
        mask: (S, V) bool, True where a word stands.
        shape: (B, W).
    """

    places: Tensor
    mask: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, sentence_ids: Tensor, mask: Tensor) -> Self:
        """Groups of neighbours that have one number.

        Args:
            sentence_ids: (B, W) a number for each word; what stands in the padding does not matter.
            mask: (B, W) bool.

        Raises:
            ValueError: The two have not the same shape.
        """
        if sentence_ids.shape != mask.shape:
            raise ValueError(f"sentence_ids is {tuple(sentence_ids.shape)}; expected {tuple(mask.shape)}.")
        begins = torch.ones_like(mask)
        begins[:, 1:] = sentence_ids[:, 1:] != sentence_ids[:, :-1]
        words = mask.flatten().nonzero().squeeze(1)
        owner = begins.flatten()[words].cumsum(0) - 1  # (N,) the sentence of each word
        lengths = torch.bincount(owner)
        width = int(lengths.max()) if len(lengths) else 0
        inside = torch.arange(width, device=mask.device) < lengths.unsqueeze(1)
        places = torch.zeros_like(inside, dtype=torch.long).masked_scatter(inside, words)
        return cls(places, inside, (mask.shape[0], mask.shape[1]))

    def apart(self, rows: Tensor) -> Tensor:
        """(B, W, ...) to (S, V, ...). The padding has values of no meaning."""
        return rows.flatten(0, 1)[self.places]

    def together(self, sentences: Tensor) -> Tensor:
        """(S, V, ...) to (B, W, ...), zero in the padding."""
        rows = sentences.new_zeros(self.shape[0] * self.shape[1], *sentences.shape[2:])
        rows = rows.index_copy(0, self.places[self.mask], sentences[self.mask])
        return rows.view(*self.shape, *sentences.shape[2:])

    def listed(self, sentences: Sequence[Sequence[int]]) -> list[list[int]]:
        """A list of each row's numbers, from those of each sentence."""
        rows: list[list[int]] = [[] for _ in range(self.shape[0])]
        for place, numbers in zip(self.places[:, 0].tolist() if len(self.places) else [], sentences, strict=True):
            rows[place // self.shape[1]] += numbers
        return rows
