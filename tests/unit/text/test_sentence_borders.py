"""Running text to sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.text.sentence_borders import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Mr. Smith of the U.S. Army came. He left.", ["Mr. Smith of the U.S. Army came.", "He left."]),
        ("It cost $1.5 million. 3 came.", ["It cost $1.5 million.", "3 came."]),
        ("“Go!” he said. “Why?” Nobody knew.", ["“Go!” he said.", "“Why?”", "Nobody knew."]),
        ('He said "no." "Yes," she said.', ['He said "no."', '"Yes," she said.']),
        ("He wrote `` No . '' Then he left .", ["He wrote `` No . ''", "Then he left ."]),
        ("Wait... What?! (Really.) Yes.", ["Wait...", "What?!", "(Really.)", "Yes."]),
        ("see example.com. it is", ["see example.com. it is"]),
        ("他来了。她走了。", ["他来了。", "她走了。"]),
        ("\n  One.\n\nTwo.  ", ["One.", "Two."]),
        ("", []),
        (" . ", ["."]),
    ],
)
def test_borders(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.text(alphabet="aB1.!?\"'()” \n", max_size=60))
def test_nothing_is_lost(text: str) -> None:
    sentences = split_sentences(text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() and sentence for sentence in sentences)
