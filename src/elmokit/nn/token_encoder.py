"""`TokenEncoder`: what the modules that read words have in common."""

from __future__ import annotations

from torch import Tensor, nn


class TokenEncoder(nn.Module):
    """Rows of integers (U, width), one a distinct word, to vectors (U, P).

    Attributes:
        embedding: Its table: of characters, words or pieces.
        projection: From what it makes of a word to the vector, a map between hidden vectors; None: there is none.
    """

    embedding: nn.Embedding
    projection: nn.Linear | None

    @property
    def word_table(self) -> nn.Embedding | None:
        """The table in which words have vectors of their own, row 0 padding; None: they have none."""
        return None

    def traced(self, rows: Tensor) -> Tensor:
        """The same as a call, in operations whose sizes do not depend on the numbers: what an exporter can follow."""
        vectors: Tensor = self(rows)
        return vectors
