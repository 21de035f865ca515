"""A word in the middle of a line with what stands around it, as concordances print it."""

from __future__ import annotations

from textwrap import shorten


def concordance(before: str, word: str, after: str, *, width: int) -> str:
    """One line: `word`, with the whole words that fit into `width` characters on either side.

    An ellipsis marks where something was left out. The words of many lines stand below each other.
    """
    left, right = _fitting(before[::-1], width)[::-1], _fitting(after, width)
    left += " " * before[-1:].isspace()
    right = " " * after[:1].isspace() + right
    return f"{left:>{width + 1}}{word}{right}"


def _fitting(text: str, width: int) -> str:
    return shorten(text, width, placeholder=" …", break_long_words=False, break_on_hyphens=False)
