"""Sentences in another case and words with typing errors: what is read, what is predicted, and when it comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit.errors import ConfigError
from elmokit.pretrain.augment import Augmentation, change_case, draw_typo, mistype
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.text.word_rows import ByteRows, DictionaryRows, JoinedRows, LookupRows, PieceRows, WordRows

TEXT = "The heron did n't see O'Neill 's ferry , and Zürich is 40 km from McKay Harbour I think"
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """400 sentences of 3 to 10 words; the rarer words are outside the vocabulary."""
    folder = tmp_path_factory.mktemp("augment")
    generator = np.random.default_rng(2)
    lines = [" ".join(generator.choice(WORDS, size=generator.integers(3, 11))) for _ in range(400)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return build_corpus([folder / "text.txt"], None, folder / "corpus", pre_split=True, max_vocab=12)


def augmentation(
    corpus: Corpus, *, case: float = 0.5, typos: float = 0.0, rows: WordRows | None = None
) -> Augmentation:
    return Augmentation(corpus, rows or ByteRows(), case=case, typos=typos, seed=7)


def written(corpus: Corpus, number: int) -> list[str]:
    return [corpus.spelling(int(word)) for word in corpus.train[number]]


def as_read(changes: Augmentation, corpus: Corpus, number: int, *, epoch: int = 0) -> list[str]:
    return [changes.spelling(int(i)) for i in changes.read(corpus.train[number], epoch=epoch, number=number)]


def batches(corpus: Corpus, mode: str, changes: Augmentation | None, **settings: Any) -> Batches:
    if mode == "sentence":
        return SentenceBatches(corpus, corpus.train, tokens=120, seed=3, augmentation=changes, **settings)
    return StreamBatches(corpus, corpus.train, rows=6, window=9, seed=3, augmentation=changes, **settings)


def words_of(batch: PackedBatch) -> list[list[str]]:
    """The words that are read at each place, by direction."""
    words = [ByteRows().decode(row) for row in batch.chars.numpy()]
    return [[words[i] for i in row] for row in batch.index.tolist()]


@pytest.mark.parametrize(
    ("word", "capitals", "lower", "title"),
    [
        ("heron", "HERON", "heron", "Heron"),
        ("McKay", "MCKAY", "mckay", "McKay"),
        ("n't", "N'T", "n't", "n't"),
        ("'s", "'S", "'s", "'s"),
        ("Zürich", "ZÜRICH", "zürich", "Zürich"),
        ("straße", "STRASSE", "straße", "Straße"),
        ("40", "40", "40", "40"),
    ],
)
def test_a_word_in_each_case(word: str, capitals: str, lower: str, title: str) -> None:
    assert [change_case(word, case) for case in range(4)] == [word, capitals, lower, title]


def test_a_typing_error_is_one_letter_and_not_the_first() -> None:
    generator = np.random.default_rng(0)
    made = Counter(mistype("Heron", draw_typo("Heron", generator)) for _ in range(2000))
    assert all(word[0] == "H" and 4 <= len(word) <= 6 for word in made)
    swapped, dropped, doubled = {"Hreon", "Heorn", "Herno"}, {"Hron", "Heon", "Hern", "Hero"}, {"Heeron", "Herron"}
    assert swapped | dropped | doubled | {"Hwron", "Heton", "Herpn", "Herob"} <= set(made)
    lengths = Counter(len(word) for word in made.elements())
    assert all(400 < lengths[length] < 600 for length in (4, 6))


def test_a_neighbour_of_a_capital_is_a_capital() -> None:
    generator = np.random.default_rng(0)
    assert all(mistype("HERON", draw_typo("HERON", generator)).isupper() for _ in range(200))


@pytest.mark.parametrize("word", ["of", "n't", "40th", "Zürich", "U.S.", "", "a" * 64])
def test_some_words_are_typed_right(word: str) -> None:
    generator = np.random.default_rng(0)
    assert all(draw_typo(word, generator) == 0 for _ in range(50))


def test_a_fraction_of_the_sentences_is_read_in_another_case_a_third_in_each(corpus: Corpus) -> None:
    changes = augmentation(corpus, case=0.3)
    found: Counter[int] = Counter()
    for epoch in range(5):
        for number in range(len(corpus.train)):
            before, after = written(corpus, number), as_read(changes, corpus, number, epoch=epoch)
            cases = [case for case in range(4) if [change_case(word, case) for word in before] == after]
            assert cases
            found[cases[0]] += 1
    assert 480 < found[1] + found[2] + found[3] < 680  # of 2,000; words that are equal in two cases count as written
    assert all(140 < found[case] < 240 for case in (1, 2, 3))


def test_a_fraction_of_the_words_is_mistyped_in_its_case(corpus: Corpus) -> None:
    changes = augmentation(corpus, case=0.0, typos=0.25)
    able = wrong = 0
    for number in range(len(corpus.train)):
        for before, after in zip(written(corpus, number), as_read(changes, corpus, number), strict=True):
            eligible = len(before) >= 3 and before.isascii() and before.isalpha()
            able += eligible
            wrong += before != after
            assert before == after or (eligible and abs(len(before) - len(after)) <= 1)
    assert 0.2 < wrong / able < 0.3
    both = augmentation(corpus, case=0.9, typos=0.9)
    capitals = [words for number in range(100) if all(map(str.isupper, words := as_read(both, corpus, number)))]
    assert any(set(words) - {word.upper() for word in WORDS} for words in capitals)


@pytest.mark.parametrize("mode", ["sentence", "stream"])
def test_what_is_predicted_stays_as_written(corpus: Corpus, mode: str) -> None:
    changed = same = 0
    pairs = zip(
        batches(corpus, mode, None).read(1), batches(corpus, mode, augmentation(corpus, typos=0.1)).read(1), strict=True
    )
    for plain, other in pairs:
        assert torch.equal(plain.targets, other.targets)
        assert plain.batch_sizes == other.batch_sizes
        assert plain.predictions == other.predictions
        for before, after in zip(words_of(plain), words_of(other), strict=True):
            differ = [one != two for one, two in zip(before, after, strict=True)]
            changed, same = changed + sum(differ), same + len(differ) - sum(differ)
    assert 0.2 < changed / (changed + same) < 0.5


@pytest.mark.parametrize("mode", ["sentence", "stream"])
def test_the_batches_read_the_sentences_of_the_augmentation(corpus: Corpus, mode: str) -> None:
    changes = augmentation(corpus, typos=0.2)
    everything = Counter(
        word for number in range(len(corpus.train)) for word in as_read(changes, corpus, number, epoch=2)
    )
    read = [words_of(batch) for batch in batches(corpus, mode, changes).read(2)]
    for direction in (0, 1):
        found = Counter(word for batch in read for word in batch[direction] if word)
        missing = everything - found
        assert not found - everything
        assert sum(missing.values()) <= (0 if mode == "sentence" else 6)  # what does not fill all rows is left out


@pytest.mark.parametrize("mode", ["sentence", "stream"])
def test_draws_depend_on_seed_epoch_and_sentence_alone(corpus: Corpus, mode: str) -> None:
    def equal(one: Iterator[PackedBatch], other: Iterator[PackedBatch]) -> bool:
        return all(
            torch.equal(a.chars, b.chars) and torch.equal(a.index, b.index) for a, b in zip(one, other, strict=True)
        )

    used = batches(corpus, mode, augmentation(corpus, typos=0.2))
    for epoch in (0, 1):
        list(used.read(epoch))
    whole = list(used.read(1))
    fresh = batches(corpus, mode, augmentation(corpus, typos=0.2))
    assert equal(iter(whole[5:]), fresh.read(1, 5))
    others = batches(corpus, mode, Augmentation(corpus, ByteRows(), case=0.5, typos=0.2, seed=8))
    assert not equal(iter(whole), others.read(1))
    epochs = [[as_read(augmentation(corpus), corpus, i, epoch=epoch) for i in range(40)] for epoch in (0, 1)]
    assert epochs[0] != epochs[1]


def test_two_processes_read_what_one_does(corpus: Corpus) -> None:
    changes = augmentation(corpus, typos=0.2)
    alone = batches(corpus, "sentence", changes).read(0)
    shared = [batches(corpus, "sentence", changes, rank=rank, world=2).read(0) for rank in (0, 1)]
    for whole, *parts in zip(alone, *shared, strict=True):
        for direction in (0, 1):
            words = Counter(word for part in parts for word in words_of(part)[direction])
            assert Counter(words_of(whole)[direction]) == words


def test_pieces_are_those_of_the_word_as_it_is_read(corpus: Corpus) -> None:
    counts = dict(zip(corpus.vocab.words, corpus.vocab.counts, strict=True))
    rows = PieceRows.trained(counts, n_pieces=300)
    read = corpus.read_by(rows)
    changes = augmentation(read, case=0.9, typos=0.3, rows=rows)
    ids = np.concatenate([[0, 1], *(changes.read(corpus.train[i], epoch=0, number=i) for i in range(30))])
    found = changes.rows(ids)
    assert (found[:2] == rows.markers()).all()
    assert (found[2:] == rows([changes.spelling(int(i)) for i in ids[2:]])).all()
    assert (ids >= len(read.inputs)).any()


def test_an_encoder_that_looks_words_up_is_refused(corpus: Corpus) -> None:
    table = {"<S>": 0, "</S>": 1, "<UNK>": 2}
    words_alone = DictionaryRows(words={"<oov>": 0}, characters={})
    for rows in (LookupRows(table), words_alone, JoinedRows(LookupRows(table), {"a": 0})):
        with pytest.raises(ConfigError, match=r"the token encoder looks whole words up: use token_encoder=char_cnn"):
            augmentation(corpus, rows=rows)
    markers = ("<bos>", "<eos>", "<bow>", "<eow>", "<oov>", "<pad>")
    characters = DictionaryRows(words={}, characters={name: i for i, name in enumerate(markers)})
    for rows in (characters, JoinedRows(LookupRows(table), spelled=True)):
        augmentation(corpus, rows=rows)


def test_the_corpus_stays_as_it_is(corpus: Corpus) -> None:
    before = {path.name: path.read_bytes() for path in Path(corpus.folder).iterdir()}
    list(batches(corpus, "sentence", augmentation(corpus, typos=0.5)).read(0))
    assert {path.name: path.read_bytes() for path in Path(corpus.folder).iterdir()} == before
    assert len(corpus.inputs) == len(WORDS) + 3
