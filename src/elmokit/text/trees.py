"""Sentiment trees, `(3 (2 It) (4 (2 's) (4 good)))`: a sentence with a label before each of its phrases."""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECES = re.compile(r"[()]|[^\s()]+")
_TREE = re.compile(r"\s*\(\s*[^\s()]+[\s(]")
_ESCAPED = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"'}


class Phrase(NamedTuple):
    """A part of a sentence, and its label."""

    label: str
    words: list[str]


def is_tree(line: str) -> bool:
    """Whether a line looks like one."""
    return _TREE.match(line) is not None


def parse_tree(line: str) -> list[Phrase]:
    """The phrases of a sentence (Socher et al. 2013): the whole first, then the others from left to right.

    The escapes of the Penn Treebank are undone: `-LRB-` is a bracket, `\\/` a slash.

    Raises:
        ValueError: The brackets do not close, or a phrase has no label or no word.
    """
    words: list[str] = []
    found: list[tuple[str, int, int]] = []  # label, first word, word behind the last
    open_: list[int] = []
    label_next = False
    for piece in _PIECES.findall(line):
        if label_next:
            if piece in "()":
                raise ValueError(f"phrase {len(found) + 1} has no label")
            open_.append(len(found))
            found.append((piece, len(words), len(words)))
        elif piece == ")":
            if not open_:
                raise ValueError("a bracket closes that was never opened")
            number = open_.pop()
            label, start, _ = found[number]
            if start == len(words):
                raise ValueError(f"phrase {number + 1} has no word")
            found[number] = (label, start, len(words))
        elif found and not open_:
            raise ValueError(f"{piece!r} follows the tree")
        elif piece != "(":
            if not open_:
                raise ValueError(f"{piece!r} stands before the tree")
            words.append(_ESCAPED.get(piece, piece.replace("\\/", "/").replace("\\*", "*")))
        label_next = piece == "(" and not label_next
    if open_ or label_next or not found:
        raise ValueError(f"{len(open_) + label_next} brackets do not close")
    return [Phrase(label, words[start:stop]) for label, start, stop in found]
