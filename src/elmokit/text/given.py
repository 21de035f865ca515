"""Texts as Python callers have them: a list, a generator, a pandas Series, a table of one column, or one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Text = str | Sequence[str]
"""A raw text, or a list of its words."""


def given_texts(texts: Iterable[Text] | str) -> Iterable[Any]:
    """Any iterable of texts, ready to be read in order; one text is a list of one.

    A pandas DataFrame, or an array of two dimensions, gives its only column.

    Raises:
        ValueError: It is a mapping, or a table of several columns: which of them contains the texts?
    """
    if isinstance(texts, str):
        return [texts]
    if isinstance(texts, Mapping):
        raise ValueError(f"Expected a list of texts, got a mapping, {_shown(list(texts))}: pass one value.")
    if getattr(texts, "ndim", 1) == 1 or not hasattr(texts, "shape"):
        return texts
    shape = tuple(texts.shape)
    if len(shape) != 2 or shape[1] != 1:
        names = f", columns {_shown(list(texts.columns))}," if hasattr(texts, "columns") else ""
        raise ValueError(f"Expected a list of texts, got a table of shape {shape}{names}: pass one column.")
    column: Iterable[Any] = texts.iloc[:, 0] if hasattr(texts, "iloc") else texts[:, 0]  # type: ignore[index]
    return column


def _shown(names: list[Any]) -> str:
    return ", ".join(repr(name) for name in names[:6])


def joined(text: Text) -> str:
    """A text as it is printed: words with spaces between."""
    return text if isinstance(text, str) else " ".join(text)


def in_a_line(text: Text, *, most: int = 80) -> str:
    """The begin of a text without its line ends: the n-th line of an output belongs to the n-th text."""
    return " ".join(joined(text)[: 2 * most].split())[:most]
