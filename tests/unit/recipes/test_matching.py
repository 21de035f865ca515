"""Sentences against evaluation texts: equal but for case, punctuation and tokenisation, or one inside the other."""

from __future__ import annotations

import pytest

from english_text.matching import EvaluationTexts, distinctive, plain_words

SENTENCE = "The old ferry doesn't leave the harbour before noon on Sundays."


def contain(known: EvaluationTexts, text: str) -> bool:
    return known.contain(plain_words(text))


@pytest.fixture(scope="module")
def known() -> EvaluationTexts:
    return EvaluationTexts([
        f"{SENTENCE} Nobody minds.",
        "the keeper of the light wrote <unk> letters to every captain who had ever passed the rocks below",
        "M*ller and his seven brothers sold the mill to M*nchen in a hurry .",
        "He went home.",
        "Extraordinarily uncomplicated circumstances.",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        SENTENCE.upper(),
        "the old ferry does n't leave the harbour before noon on sundays .",
        "“The old ferry doesn’t leave the harbour—before noon on Sundays.”",
        "Müller and his seven brothers sold the mill to München in a hurry.",
    ],
)
def test_case_punctuation_and_tokenisation_do_not_count(known: EvaluationTexts, text: str) -> None:
    assert contain(known, text)


def test_a_sentence_is_found_inside_a_longer_one(known: EvaluationTexts) -> None:
    assert contain(known, f"She said it twice: {SENTENCE[:-1]}, and then she left.")
    assert not contain(known, "She said it twice: the old ferry doesn't leave the harbour at all on Sundays.")


def test_a_part_of_eight_words_of_an_evaluation_text_is_found(known: EvaluationTexts) -> None:
    assert contain(known, "Leave the harbour before noon on Sundays. Nobody minds!")  # across two of its sentences
    assert not contain(known, "Before noon on Sundays nobody minds.")  # too short to be told
    assert not contain(known, "Leave the harbour before noon on Sundays. Everybody minds!")


def test_what_stands_between_replaced_words_is_found(known: EvaluationTexts) -> None:
    assert contain(known, "Old letters to every captain who had ever passed the rocks below.")
    assert not contain(known, "The keeper of the light wrote many letters.")


def test_short_sentences_may_stand_anywhere_unless_they_have_many_letters(known: EvaluationTexts) -> None:
    assert not contain(known, "He went home.")
    assert contain(known, "extraordinarily uncomplicated circumstances")
    assert not distinctive(plain_words("He went home."))
    assert distinctive(plain_words("I do not know if it is so."))


def test_a_word_has_letters_or_digits() -> None:
    assert plain_words("“Well”, -- she said… 3,000 №?") == [b"well", b"she", b"said", b"3000"]
    assert plain_words("Никто — нет!") == []
