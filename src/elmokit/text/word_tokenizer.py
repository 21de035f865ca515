"""Text to words as one model reads them: clean-up, splitting with offsets, and the row of each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from elmokit.errors import ModelError
from elmokit.text.normalize import check_steps, normalize, normalize_words
from elmokit.text.word_encoding import WordEncoding
from elmokit.text.word_rows import ByteRows, WordRows
from elmokit.text.words import Span, whitespace_spans, word_spans
from elmokit.whole_files import read_json_object

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
UNLIMITED = int(1e30)
"""What transformers writes for a tokenizer without a limit."""

Split = Literal["penn", "whitespace"]


@dataclass
class WordTokenizer:
    """How a model reads text. `ElmoTokenizer` is the same with the surface of transformers.

    Attributes:
        word_rows: What the token encoder reads of a word.
        split: Raw text is split Penn-style or at spaces.
        text_steps: Clean-up steps (`elmokit.text.normalize.STEPS`): on the whole raw text before it is split, or
        by_word: on each word, so that offsets stay those of the raw text.
        max_words: What longer texts are cut to; None: not at all.

    Raises:
        ValueError: Another `split`, or a step that nobody knows.
    """

    word_rows: WordRows = field(default_factory=ByteRows)
    split: Split = "penn"
    text_steps: Sequence[str] = ()
    by_word: bool = False
    max_words: int | None = None

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            raise ValueError(f"Unknown split {self.split!r}. Expected 'penn' or 'whitespace'.")
        check_steps(self.text_steps)
        self.text_steps = list(self.text_steps)

    def words(self, text: str) -> list[str]:
        """The words of a raw text, cleaned and split."""
        return self.encoding(text).tokens

    def spans(self, text: str) -> list[Span]:
        """Where the words of a raw text are; it is not cleaned."""
        return word_spans(text) if self.split == "penn" else whitespace_spans(text)

    def encoding(self, sentence: str | Sequence[str]) -> WordEncoding:
        """The words of a raw text, or of a list of words, with their offsets."""
        if isinstance(sentence, str):
            if not self.by_word:
                sentence = normalize(sentence, self.text_steps)
            offsets = self.spans(sentence)
            tokens = [sentence[start:end] for start, end in offsets]
        else:
            tokens = list(sentence)
            offsets = [(0, len(token)) for token in tokens]
        if self.by_word:
            tokens = normalize_words(tokens, self.text_steps)
        return WordEncoding(tokens, offsets, list(range(len(tokens))))


def read_tokenizer_settings(folder: Path) -> Mapping[str, Any]:
    """`split`, `text_steps`, `by_word` and `max_words` of a saved tokenizer, as far as its folder has them.

    Raises:
        ModelError: The file is damaged.
    """
    file = folder / TOKENIZER_CONFIG_FILE
    content = read_json_object(file)
    if content.get("split", "penn") not in get_args(Split):
        raise ModelError(f"{file}: split is {content['split']!r}; expected 'penn' or 'whitespace'")
    found: dict[str, Any] = {name: content[name] for name in ("split", "text_steps", "by_word") if name in content}
    longest = content.get("model_max_length")
    if isinstance(longest, int) and longest < UNLIMITED:
        found["max_words"] = longest
    return found
