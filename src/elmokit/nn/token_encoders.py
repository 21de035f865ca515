"""Token encoders that look words up; the one that reads characters is `CharCNN`.

Each takes rows of integers (U, width), one a distinct word, and returns vectors (U, P).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from elmokit.nn.char_cnn import CharCNN


class WordEmbedding(nn.Module):
    """The number of a word (U, 1) to its vector: word-level bilm-tf models. Row 0 of the table is padding."""

    def __init__(self, *, n_words: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_words, dim, padding_idx=0)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """U(−1, 1), as bilm-tf draws its tables."""
        with torch.no_grad():
            self.embedding.weight.uniform_(-1.0, 1.0)
            self.embedding.weight[0] = 0.0

    def forward(self, rows: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(rows[:, 0].long())
        return vectors


class WordCharEncoder(nn.Module):
    """A word's vector and its char CNN side by side, then one projection: the encoder of ELMoForManyLangs.

    Column 0 of a row is the word, the others its characters. Either part may be missing (None).
    """

    def __init__(self, *, words: WordEmbedding | None, characters: CharCNN | None, projection_dim: int) -> None:
        super().__init__()
        if words is None and characters is None:
            raise ValueError("Expected words, characters or both.")
        self.words, self.characters = words, characters
        size = (0 if words is None else words.embedding.embedding_dim) + (characters.n_filters if characters else 0)
        self.projection = nn.Linear(size, projection_dim)

    @property
    def embedding(self) -> nn.Embedding:
        """The table of characters, or of words where there is none."""
        part = self.characters if self.characters is not None else self.words
        table: nn.Embedding = part.embedding  # type: ignore[union-attr]
        return table

    def forward(self, rows: Tensor) -> Tensor:
        parts = []
        if self.words is not None:
            parts.append(self.words(rows[:, :1]))
        if self.characters is not None:
            parts.append(self.characters(rows[:, 1:]))
        vectors: Tensor = self.projection(torch.cat(parts, dim=1))
        return vectors
