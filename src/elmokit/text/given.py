"""Texts, and pairs of them, as Python callers have them: a list, a generator, a pandas Series, a table, or just one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from os import PathLike
from typing import Any

import numpy as np

from elmokit.errors import DataError

Text = str | Sequence[str]
"""A raw text, or a list of its words."""


def given_texts(texts: Iterable[Text] | str, *, is_split_into_words: bool | None = None) -> Iterator[Any]:
    """The texts of any iterable in order, each checked when it is read; one text is a list of one.

    A table, or an array of two dimensions, gives its only column; with `is_split_into_words` the rows of an array of
    words are texts.

    Args:
        texts: Raw texts, or lists of words.
        is_split_into_words: Every text is a list of words, or none is; None: each may be either.

    Raises:
        ValueError: It contains no texts, is a mapping, or is a table of several columns: which of them has the texts?
            While it is read: a text is missing, or is neither a text nor a list of words; with its number, from 1.
    """
    rows = [texts] if isinstance(texts, str) else _rows(texts, of_words=is_split_into_words)
    return (_checked(text, f"text {number}", is_split_into_words) for number, text in enumerate(rows, 1))


def given_text(text: Any, name: str = "the text") -> str:
    """One raw text; `name` begins an error.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(text, str):
        raise ValueError(_refusal(text, name, "one text"))
    return text


def given_pairs(pairs: Any, *, parts: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Pairs of texts in order, each (first, second) or (first, second, id), checked when it is read.

    One pair is a list of one. A table of two columns gives a pair a row; columns that are called as the `parts` are
    taken by their names.

    Args:
        pairs: Any iterable. Two strings, or a tuple of three, are one pair.
        parts: The names of the two texts.

    Raises:
        ValueError: It contains no pairs, or is a table of other columns. While it is read: what comes is no pair, or
            one of its texts is missing or no text; with the number of the pair, from 1.
        DataError: While it is read: a text is empty.
    """
    rows: Iterable[Any]
    alone = _is_pair(pairs) and all(isinstance(each, str) for each in pairs)
    if alone and (len(pairs) == 2 or isinstance(pairs, tuple)):
        rows = [pairs]
    elif isinstance(pairs, str):
        raise ValueError(f"Expected pairs of texts, ({', '.join(parts)}); got the text {pairs[:40]!r}.")
    else:
        rows = _rows(pairs, parts=parts)
    return (_given_pair(pair, number, parts) for number, pair in enumerate(rows, 1))


def joined(text: Text) -> str:
    """A text as it is printed: words with spaces between."""
    return text if isinstance(text, str) else " ".join(text)


def in_a_line(text: Text, *, most: int = 80) -> str:
    """The begin of a text without its line ends: the n-th line of an output belongs to the n-th text."""
    return " ".join(joined(text)[: 2 * most].split())[:most]


def _rows(given: Any, *, parts: Sequence[str] = (), of_words: bool | None = None) -> Iterable[Any]:
    """What is in a collection: of a table its only column, or with `parts` its rows of two columns.

    Raises:
        ValueError: As `given_texts` and `given_pairs`.
    """
    wanted = "a list of pairs of texts" if parts else "a list of texts"
    if isinstance(given, Mapping):
        raise ValueError(f"Expected {wanted}, got a mapping, {_names(given)}: pass one value.")
    if isinstance(given, bytes | bytearray):
        raise ValueError(f"Expected {wanted}, got bytes: decode them first, as in text.decode('utf-8').")
    if isinstance(given, PathLike):
        raise ValueError(f"Expected {wanted}, got the path {str(given)!r}: read the file first.")
    shape = tuple(getattr(given, "shape", (0,)))
    if len(shape) > 1:
        names = list(getattr(given, "column_names", getattr(given, "columns", ())))
        if parts and set(parts) <= set(names) and hasattr(given, "to_numpy"):
            given, shape = given[list(parts)], (shape[0], len(parts))
        rows: Iterable[Any]
        if of_words and isinstance(given, np.ndarray) and len(shape) == 2 and isinstance(next(given.flat, None), str):
            rows = given
            return rows
        if len(shape) != 2 or shape[1] != (len(parts) or 1) or not hasattr(given, "to_numpy" if names else "flat"):
            told = f", columns {_names(names)}," if names else ""
            needed = f"two columns, or call them {' and '.join(parts)}" if parts else "one column"
            raise ValueError(f"Expected {wanted}, got a table of shape {shape}{told}: pass {needed}.")
        table = given.to_numpy() if names else given
        rows = table if parts else table[:, 0]
        return rows
    try:
        entries: Iterable[Any] = iter(given)
    except TypeError:
        raise ValueError(f"Expected {wanted}, got {str(given)[:40]!r} ({type(given).__name__}).") from None
    return entries


def _checked(text: Any, name: str, is_split_into_words: bool | None) -> Any:
    """A raw text, or its words in a list; `name` begins an error."""
    if isinstance(text, str):
        if is_split_into_words:
            raise ValueError(f"is_split_into_words=True expects lists of words; got the text {text[:40]!r} ({name}).")
        return text
    words = _listed(text)
    if words is None:
        raise ValueError(_refusal(text, name, "a list of words" if is_split_into_words else "a text"))
    if is_split_into_words is False:
        raise ValueError(f"{_refusal(text, name, 'a text')} For lists of words pass is_split_into_words=True.")
    for number, word in enumerate(words, 1):
        if not isinstance(word, str):
            raise ValueError(_refusal(word, f"word {number} of {name}", "text"))
    return words


def _listed(text: Any) -> list[Any] | tuple[Any, ...] | None:
    """What could be the words of a text; None: nothing in order is in it."""
    if isinstance(text, bytes | bytearray | Mapping | Set):
        return None
    try:
        return text if isinstance(text, list | tuple) else list(text)
    except TypeError:
        return None


def _given_pair(pair: Any, number: int, parts: Sequence[str]) -> tuple[Any, ...]:
    if not _is_pair(pair):
        raise ValueError(_refusal(pair, f"pair {number}", f"two texts, ({', '.join(parts)}), and if wanted an id"))
    for part, text in zip(parts, pair, strict=False):
        if not isinstance(text, str):
            raise ValueError(_refusal(text, f"the {part} text of pair {number}", "a text"))
        if not text.strip():
            raise DataError(f"the {part} text of pair {number} is empty; expected text (--{part})")
    return tuple(pair)


def _is_pair(given: Any) -> bool:
    """Whether it has the length of a pair, with an id or without."""
    return isinstance(given, list | tuple | np.ndarray) and len(given) in (2, 3)


def _refusal(given: Any, name: str, wanted: str) -> str:
    if (
        given is None
        or type(given).__name__ in ("NAType", "NaTType")
        or (isinstance(given, float | np.floating) and np.isnan(given))
    ):
        return f"{name} is missing ({given}): fill or drop it first."
    if isinstance(given, bytes):
        return f"{name} is bytes: decode it first, as in text.decode('utf-8')."
    return f"{name} is {str(given)[:40]!r} ({type(given).__name__}); expected {wanted}."


def _names(names: Iterable[Any]) -> str:
    return ", ".join(repr(name) for name in list(names)[:6])
