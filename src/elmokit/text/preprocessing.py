"""How raw text becomes the words that a model reads: clean-up, then splitting."""

# No `from __future__ import annotations`: `ElmoConfig`, which has these fields too, checks their types at run time.

from dataclasses import dataclass

from elmokit.errors import ConfigError
from elmokit.text.normalize import normalize
from elmokit.text.words import Word, split_words, whitespace_spans, word_spans


@dataclass(kw_only=True)
class Preprocessing:
    """How the text of a model's pretraining was prepared; later text is prepared the same way.

    Attributes:
        text_steps: Clean-up steps before splitting (`elmokit.text.normalize.STEPS`).
        pre_split: Words were separated by spaces already.
    """

    text_steps: list[str] | None = None
    pre_split: bool = False

    def words(self, text: str, *, pre_split: bool | None = None) -> list[str]:
        """The words of a raw text. `pre_split` says otherwise: words are separated by spaces, or are not."""
        cleaned = normalize(text, self.text_steps or [])
        return cleaned.split() if (self.pre_split if pre_split is None else pre_split) else split_words(cleaned)

    def words_with_offsets(self, text: str, *, pre_split: bool | None = None) -> list[Word]:
        """The same with the place of each word in `text`.

        Raises:
            ConfigError: There are clean-up steps: the words of a cleaned text have no place in the raw one.
        """
        if self.text_steps:
            raise ConfigError(
                f"this model cleans its text first ({', '.join(self.text_steps)}), so its words have no offsets: clean "
                "the text yourself (elmokit.text.normalize), or leave offsets out"
            )
        spans = whitespace_spans if (self.pre_split if pre_split is None else pre_split) else word_spans
        return [Word(text[start:end], start, end) for start, end in spans(text)]
