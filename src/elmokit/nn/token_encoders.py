"""Token encoders that look words up; the one that reads characters is `CharCNN`. `token_kinds.py` has their entries."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.token_encoder import TokenEncoder


class WordEmbedding(TokenEncoder):
    """The number of a word (U, 1) to its vector: word-level bilm-tf models. Row 0 of the table is padding."""

    def __init__(self, *, n_words: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_words, dim, padding_idx=0)
        self.projection = None
        self.reset_parameters()

    @property
    def word_table(self) -> nn.Embedding:
        return self.embedding

    def reset_parameters(self) -> None:
        """U(−1, 1), as bilm-tf draws its tables."""
        with torch.no_grad():
            self.embedding.weight.uniform_(-1.0, 1.0)
            self.embedding.weight[0] = 0.0

    def forward(self, rows: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(rows[:, 0].long())
        return vectors


class StaticTable(nn.Module):
    """Static vectors, concatenated with the layers of a biLM: numbers of words (…) to vectors (…, S).

    They learn where told to (``requires_grad_``); row 0, the unknown word, stays zero.
    """

    def __init__(self, *, n_words: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_words, dim), requires_grad=False)

    @torch.no_grad()
    def set_vectors(self, vectors: Tensor) -> None:
        """Fill rows 1 and up with vectors (n_words − 1, S), scaled to a deviation of 1 as the layer mix is."""
        deviation = float(vectors.std()) if vectors.numel() > 1 else 0.0
        self.weight[1:] = vectors / (deviation if deviation > 0 else 1.0)

    def reset_parameters(self) -> None:
        """Zero."""
        with torch.no_grad():
            self.weight.zero_()

    def forward(self, numbers: Tensor) -> Tensor:
        return functional.embedding(numbers.long(), self.weight, padding_idx=0)


class SubwordEncoder(TokenEncoder):
    """The pieces of a word (U, L) to its vector (U, P): the first, the last and the mean of its pieces, projected.

    First and last piece hold most of what prefixes and endings say, the mean the rest. Id 0 is padding.
    """

    projection: nn.Linear

    def __init__(self, *, n_pieces: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_pieces, dim, padding_idx=0)
        self.projection = nn.Linear(3 * dim, dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Pieces U(−1, 1) as bilm-tf draws its tables, projection N(0, 1/√inputs)."""
        with torch.no_grad():
            self.embedding.weight.uniform_(-1.0, 1.0)
            self.embedding.weight[0] = 0.0
            self.projection.weight.normal_(0, self.projection.in_features**-0.5)
            self.projection.bias.zero_()

    def forward(self, rows: Tensor) -> Tensor:
        counts = (rows > 0).sum(dim=1)  # (U,)
        if not torch.compiler.is_exporting() and len(rows):
            rows = rows[:, : max(int(counts.max()), 1)]
        pieces = self.embedding(rows.long())  # (U, l, dim)
        place = (counts - 1).clamp_min(0)[:, None, None].expand(-1, 1, pieces.shape[2])
        last = pieces.gather(1, place).squeeze(1)
        mean = pieces.sum(dim=1) / counts.clamp_min(1).unsqueeze(1)
        vectors: Tensor = self.projection(torch.cat([pieces[:, 0], last, mean], dim=1))
        return vectors


class WordCharEncoder(TokenEncoder):
    """A word's vector and its char CNN side by side, then one projection (Che et al. 2018, ELMoForManyLangs).

    Column 0 of a row is the word, the others its characters. Either part may be missing (None).
    """

    projection: nn.Linear

    def __init__(self, *, words: WordEmbedding | None, characters: CharCNN | None, projection_dim: int) -> None:
        super().__init__()
        if words is None and characters is None:
            raise ValueError("Expected words, characters or both.")
        self.words, self.characters = words, characters
        size = (0 if words is None else words.embedding.embedding_dim) + (characters.n_filters if characters else 0)
        self.projection = nn.Linear(size, projection_dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Projection N(0, 1/√inputs); next to characters all words start at zero, as a word outside the table stays."""
        with torch.no_grad():
            self.projection.weight.normal_(0, self.projection.in_features**-0.5)
            self.projection.bias.zero_()
            if self.words is not None:
                self.words.reset_parameters()
            if self.characters is not None:
                self.characters.reset_parameters()
            if self.words is not None and self.characters is not None:
                self.words.embedding.weight.zero_()

    @property
    def embedding(self) -> nn.Embedding:  # type: ignore[override]
        """The table of characters, or of words where there is none."""
        part = self.characters if self.characters is not None else self.words
        table: nn.Embedding = part.embedding  # type: ignore[union-attr]
        return table

    @property
    def word_table(self) -> nn.Embedding | None:
        return None if self.words is None else self.words.embedding

    def forward(self, rows: Tensor) -> Tensor:
        return self._joined(rows, None if self.characters is None else self.characters(rows[:, 1:]))

    def traced(self, rows: Tensor) -> Tensor:
        return self._joined(rows, None if self.characters is None else self.characters.traced(rows[:, 1:]))

    def _joined(self, rows: Tensor, spelled: Tensor | None) -> Tensor:
        words = [] if self.words is None else [self.words(rows[:, :1])]
        parts = words if spelled is None else [*words, spelled]
        vectors: Tensor = self.projection(torch.cat(parts, dim=1))
        return vectors
