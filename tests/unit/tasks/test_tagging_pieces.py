"""Sentences that are cut come back whole, whichever of them are asked for."""

import numpy as np
import pytest

from elmokit.tasks.tagging.pieces import Pieces

SENTENCES = [list("abcde"), [], list("fg"), list("hijk")]


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1, 3], [0], []])
def test_the_pieces_of_some_sentences_join_to_these(rows: list[int]) -> None:
    pieces = Pieces.cut(SENTENCES, max_words=2)
    wanted = np.array(rows, dtype=np.int64)
    found = [pieces.parts[number] for number in pieces.of(wanted)]
    assert pieces.joined(found, wanted) == [SENTENCES[row] for row in rows]


def test_pieces_are_as_long_as_may_be() -> None:
    pieces = Pieces.cut(SENTENCES, max_words=2)
    assert ["".join(part) for part in pieces.parts] == ["ab", "cd", "e", "fg", "hi", "jk"]
    assert pieces.owners.tolist() == [0, 0, 0, 2, 3, 3]


def test_too_few_tags_are_refused() -> None:
    pieces = Pieces.cut(SENTENCES, max_words=2)
    with pytest.raises(ValueError, match="shorter"):
        pieces.joined([["O", "O"]], np.arange(4))
