"""Whether a call is about one sentence, whose result is then not in a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def one_sentence(sentences: Iterable[Any], *, is_split_into_words: bool) -> str | list[str] | None:
    """The text, or with `is_split_into_words` the list of words, where there is one; else None.

    A list without anything in it is a list of no sentences.
    """
    if not is_split_into_words:
        return sentences if isinstance(sentences, str) else None
    if isinstance(sentences, str) or not isinstance(sentences, Sequence | np.ndarray) or not len(sentences):
        return None
    return [str(word) for word in sentences] if all(isinstance(word, str) for word in sentences) else None
