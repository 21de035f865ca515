"""What a first `elmo serve` shows, and how its parts are left out or replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.encode.encoder import Encoder
from elmokit.pretrained import shipped_models
from elmokit.web import bundled
from elmokit.web.corpora import Corpus, corpus_of_text
from elmokit.web.examples import example_words
from elmokit.web.loading import load

NONE = Path("none")


def test_a_first_visit_has_something_in_every_view(bilm: Path) -> None:
    found = load(str(bilm), classifier=Path("elmo-mini-news"), vectors=None, corpora=[], studies=[])
    (corpus,) = found.corpora.values()
    assert (corpus.name, found.vectors_name) == ("everyday English", "skip-gram")
    assert found.vectors is not None
    for example in example_words():
        assert corpus.count(example.word) >= 8
        assert example.word in found.vectors
    (study,) = found.studies.values()
    assert "AG News" in study.title
    assert any(row.lambdas for row in study.rows)
    assert found.classifier_terms == shipped_models()["elmo-mini-news"].terms
    files = [path for path in bundled.CORPUS.parent.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000


def test_parts_are_left_out_and_replaced(bilm: Path, classifier_folder: Path, tmp_path: Path) -> None:
    bare = load(str(bilm), classifier=NONE, vectors=NONE, corpora=[NONE], studies=[NONE])
    assert (bare.classifier, bare.vectors, bare.corpora, bare.studies) == (None, None, {}, {})
    own = tmp_path / "own.txt"
    own.write_text("A bank. A bat.\n", encoding="utf-8")
    found = load(str(bilm), classifier=classifier_folder, vectors=NONE, corpora=[own], studies=[NONE])
    assert [corpus.name for corpus in found.corpora.values()] == ["own.txt"]
    assert (found.classifier_name, found.classifier_terms) == (classifier_folder.name, None)


def test_a_corpus_keeps_its_sentences_as_written(encoder: Encoder) -> None:
    corpus = corpus_of_text("mine", "It isn't the “bank”.  Is it?\nA bank", encoder)
    assert [found.text for found in corpus.uses("bank", most=5)] == ["It isn't the “bank”.", "A bank"]
    assert corpus.uses("bank", most=5)[0].occurrence.words == encoder.words("It isn't the “bank”.")
    split = Corpus("split", [["New York", "bank"]])
    (found,) = split.uses("bank", most=5)
    assert (found.text, found.occurrence.words) == (None, ["New York", "bank"])
    long = Corpus("long", ["word " * 300 + "bank"])
    (found,) = long.uses("bank", most=1)
    assert (found.text, len(found.occurrence.words), found.occurrence.word) == (None, 200, "bank")


@pytest.mark.parametrize("word", ["bank", "spring"])
def test_the_sentences_are_distinct(word: str) -> None:
    lines = bundled.CORPUS.read_text(encoding="utf-8").splitlines()
    assert len(set(lines)) == len(lines) > 250
    examples = {text for each in example_words() for sense in each.senses for text in sense.sentences}
    assert not examples & set(lines)
    assert sum(word in line for line in lines) >= 8
