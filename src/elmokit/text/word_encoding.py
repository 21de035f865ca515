"""Words of one sentence and their place in its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

PAD_TOKEN, UNKNOWN_TOKEN = "<pad>", "<unk>"
_T = TypeVar("_T")


@dataclass(frozen=True)
class WordEncoding:
    """Words of one sentence with their place in its text: what `BatchEncoding` asks for by sentence.

    Offsets count characters of the text; of a sentence that came as words, characters of each word.
    """

    tokens: list[str]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    n_sequences: int = 1

    @property
    def sequence_ids(self) -> list[int | None]:
        """0 at words, None in the padding."""
        return [None if word is None else 0 for word in self.word_ids]

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The word around a character, None between words."""
        return next((i for i, (start, end) in enumerate(self.offsets) if start <= char_pos < end), None)

    def token_to_chars(self, token_index: int) -> tuple[int, int] | None:
        """Offsets of a word, None in the padding."""
        return None if self.word_ids[token_index] is None else self.offsets[token_index]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """Where a word lies: every token is one word."""
        if word_index not in self.word_ids:
            return None
        place = self.word_ids.index(word_index)
        return place, place + 1

    def cut(self, length: int, *, side: str) -> WordEncoding:
        """The first words, or the last ones for side "left"."""
        kept = slice(0, length) if side == "right" else slice(max(0, len(self.tokens) - length), None)
        return WordEncoding(self.tokens[kept], self.offsets[kept], self.word_ids[kept])

    def padded(self, length: int, *, side: str) -> WordEncoding:
        """With empty places up to `length`, behind or (side "left") before the words."""
        missing = max(0, length - len(self.tokens))
        return WordEncoding(
            extended(self.tokens, PAD_TOKEN, missing, side=side),
            extended(self.offsets, (0, 0), missing, side=side),
            extended(self.word_ids, None, missing, side=side),
        )


def extended(values: list[_T], filling: _T, count: int, *, side: str) -> list[_T]:
    """`values` with `count` times `filling` behind, or before for side "left"."""
    blanks = [filling] * count
    return values + blanks if side == "right" else blanks + values
