"""The synthetic corpus: deterministic, well-formed, and neither trivial nor hopeless to classify."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from elmokit.demo.grammar import CLAUSES, LEXICON, TOPICS
from elmokit.demo.synthetic import Example, generate


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return generate(3000, seed=0)


def test_same_seed_same_sentences_and_a_longer_run_begins_with_the_shorter(examples: list[Example]) -> None:
    assert generate(200, seed=0) == examples[:200]
    assert generate(200, seed=1) != examples[:200]


def test_sentences_are_distinct_and_topics_balanced(examples: list[Example]) -> None:
    assert len({example.text for example in examples}) == len(examples)
    assert Counter(example.topic for example in examples) == dict.fromkeys(TOPICS, len(examples) // 4)


def test_every_slot_is_filled_and_sentences_look_like_sentences(examples: list[Example]) -> None:
    for example in examples:
        assert not re.search(r"[{}#|/]|  | ,|\ba [aeiou]", example.text), example.text
        assert example.text[0].isupper() or example.text[0].isdigit()
        assert example.text.endswith(".")
        assert 8 <= len(example.text.split()) <= 34


def test_senses_point_at_their_words(examples: list[Example]) -> None:
    senses = [(example, sense) for example in examples for sense in example.senses]
    for example, sense in senses:
        surface = example.text[sense.start : sense.end]
        assert surface.lower() in (sense.word, sense.word + "s", sense.word + "es")
    by_word: dict[str, set[str]] = {}
    for _, sense in senses:
        by_word.setdefault(sense.word, set()).add(sense.sense)
    assert by_word["bank"] == {"finance", "river"}
    assert all(len(found) >= 2 for found in by_word.values())


def test_a_sense_names_its_template_wherever_the_clause_stands(examples: list[Example]) -> None:
    templates = {clause for clauses in CLAUSES.values() for clause in clauses}
    assert {sense.clause for example in examples for sense in example.senses} <= templates


def test_ambiguous_words_occur_in_several_topics(examples: list[Example]) -> None:
    topics = {example.topic for example in examples for sense in example.senses if sense.word == "bank"}
    assert topics == set(TOPICS)


def test_number_agrees() -> None:
    texts = " ".join(example.text for example in generate(4000, seed=5))
    assert re.search(r"\b[Tt]he banks were\b", texts)
    assert re.search(r"\b[Tt]he bank was\b", texts)
    assert not re.search(r"\b[Tt]he banks was\b|\b[Tt]he bank were\b", texts)


def test_every_slot_of_the_grammar_exists() -> None:
    templates = [clause for clauses in CLAUSES.values() for clause in clauses]
    templates += [entry for entries in LEXICON.values() for entry in entries]
    slots = {slot.removesuffix("#") for template in templates for slot in re.findall(r"{([^}]*)}", template)}
    assert {slot for slot in slots if "/" not in slot} - {"number"} <= set(LEXICON)


def test_keywords_alone_neither_solve_it_nor_fail(examples: list[Example]) -> None:
    """A bag of words stays clearly above chance (0.25) and clearly below 1: which clause is the main one matters."""
    texts, topics = [example.text for example in examples], [example.topic for example in examples]
    vectors = TfidfVectorizer(sublinear_tf=True)
    model = LinearSVC().fit(vectors.fit_transform(texts[:2000]), topics[:2000])
    assert 0.7 < model.score(vectors.transform(texts[2000:]), topics[2000:]) < 0.92
