from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.text.trees import Phrase, is_tree, parse_tree

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C"), exclude_characters="()\\`'-"), min_size=1)
LEAVES = st.tuples(st.integers(0, 4).map(str), WORDS)
TREES = st.recursive(
    LEAVES, lambda parts: st.tuples(st.integers(0, 4).map(str), st.lists(parts, min_size=1)), max_leaves=9
)


def written(tree: tuple[Any, ...]) -> str:
    label, parts = tree
    return f"({label} {parts})" if isinstance(parts, str) else f"({label} {' '.join(map(written, parts))})"


def phrases(tree: tuple[Any, ...]) -> list[Phrase]:
    label, parts = tree
    if isinstance(parts, str):
        return [Phrase(label, [parts])]
    below = [phrases(part) for part in parts]
    return [Phrase(label, [word for part in below for word in part[0].words]), *(one for part in below for one in part)]


@given(TREES)
def test_phrases_are_those_of_the_tree(tree: tuple[Any, ...]) -> None:
    assert is_tree(written(tree))
    assert parse_tree(written(tree)) == phrases(tree)


def test_escapes_of_the_treebank_are_undone() -> None:
    line = r"(3 (2 -LRB-) (3 (2 co-writer\/director) (2 ``)) (2 \*\*) (2 -RRB-))"
    assert parse_tree(line)[0] == Phrase("3", ["(", "co-writer/director", '"', "**", ")"])


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("(3 (2 It)", "1 brackets do not close"),
        ("(3 (2 It)) )", "closes that was never opened"),
        ("(3 (2 ) (2 x))", "phrase 2 has no word"),
        ("(() x)", "phrase 1 has no label"),
        ("(3 x) y", "'y' follows"),
        ("(3 x) (2 y)", "follows the tree"),
        ("x (3 x)", "'x' stands before"),
        ("(3 x (", "2 brackets"),
        ("", "0 brackets"),
    ],
)
def test_broken_trees(line: str, trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble):
        parse_tree(line)


def test_plain_text_is_no_tree() -> None:
    assert not is_tree("It 's (2 ) good")
    assert not is_tree("")
