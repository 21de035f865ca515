"""Training batches against brute force: which word at which place, which target, for which process, from which step."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.stream import PackedBatch, SentenceBatches, StreamBatches, pack_sentences

BOS, EOS, UNK = 0, 1, 2
Pairs = tuple[tuple[int, int], ...]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """150 sentences of 1 to 14 words; most rare words are outside the vocabulary."""
    folder = tmp_path_factory.mktemp("stream")
    generator = np.random.default_rng(5)
    words = [f"w{number}" for number in range(60)]
    odds = 1 / np.arange(1, 61)
    lines = [" ".join(generator.choice(words, size=generator.integers(1, 15), p=odds / odds.sum())) for _ in range(150)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return build_corpus([folder / "text.txt"], None, folder / "corpus", max_vocab=20, shard_tokens=100)


def pairs_of(sentence: np.ndarray, corpus: Corpus, *, backward: bool = False) -> Pairs:
    """(word id, target) at each place of one sentence, by the definition of the two language models."""
    ids = [BOS, *sentence.tolist(), EOS]
    ids = ids[::-1] if backward else ids
    return tuple((word, after if after < len(corpus.vocab) else UNK) for word, after in pairwise(ids))


def unpacked(batch: PackedBatch, corpus: Corpus) -> list[list[Pairs]]:
    """For each direction the (word id, target) sequence of every row, sentence rows in packed order."""
    known = {row.tobytes(): number for number, row in enumerate(np.asarray(corpus.inputs))}
    ids = np.array([known[row.tobytes()] for row in batch.chars.numpy()])
    starts = np.cumsum([0, *batch.batch_sizes])
    rows = []
    for index, targets in zip(batch.index.numpy(), batch.targets.numpy(), strict=True):
        pairs = list(zip(ids[index].tolist(), targets.tolist(), strict=True))
        rows.append(
            [
                tuple(pairs[starts[step] + row] for step, size in enumerate(batch.batch_sizes) if row < size)
                for row in range(batch.batch_sizes[0])
            ]
        )
    return rows


def same(one: PackedBatch, other: PackedBatch) -> bool:
    tensors = zip((one.chars, one.index, one.targets), (other.chars, other.index, other.targets), strict=True)
    return all(torch.equal(a, b) for a, b in tensors) and one.batch_sizes == other.batch_sizes


def sentence_batches(corpus: Corpus, **settings: int | bool) -> SentenceBatches:
    return SentenceBatches(corpus, corpus.train, **{"tokens": 60, "seed": 3, **settings})  # type: ignore[arg-type]


def stream_batches(corpus: Corpus, **settings: int | bool) -> StreamBatches:
    return StreamBatches(corpus, corpus.train, **{"rows": 4, "window": 7, "seed": 3, **settings})  # type: ignore[arg-type]


def test_packed_sentences_hold_both_directions_and_real_characters_of_unknown_words(corpus: Corpus) -> None:
    sentences = [corpus.train[i] for i in (4, 0, 9)]
    forward, backward = unpacked(pack_sentences(corpus, sentences), corpus)
    longest_first = sorted(sentences, key=len, reverse=True)
    assert forward == [pairs_of(sentence, corpus) for sentence in longest_first]
    assert backward == [pairs_of(sentence, corpus, backward=True) for sentence in longest_first]
    rows = [row for batch in sentence_batches(corpus).read(0) for row in unpacked(batch, corpus)[0]]
    everything = [pair for row in rows for pair in row]
    assert any(target == UNK for _, target in everything)
    assert any(word >= len(corpus.vocab) for word, _ in everything)


def test_an_epoch_of_sentence_mode_predicts_each_sentence_once_in_both_directions(corpus: Corpus) -> None:
    forward: Counter[Pairs] = Counter()
    backward: Counter[Pairs] = Counter()
    predictions = 0
    for batch in sentence_batches(corpus).read(1):
        ahead, behind = unpacked(batch, corpus)
        forward.update(ahead)
        backward.update(behind)
        predictions += batch.predictions
        assert batch.predictions == batch.targets.shape[1]
        assert batch.predictions <= 60
    assert forward == Counter(pairs_of(sentence, corpus) for sentence in corpus.train)
    assert backward == Counter(pairs_of(sentence, corpus, backward=True) for sentence in corpus.train)
    assert predictions == corpus.train.n_tokens + len(corpus.train)  # n + 1 a sentence, as counted on Penn Treebank


def test_sentence_batches_are_of_like_length_and_new_each_epoch(corpus: Corpus) -> None:
    batches = sentence_batches(corpus)
    ragged = sum(batch.batch_sizes[0] * len(batch.batch_sizes) - sum(batch.batch_sizes) for batch in batches.read(0))
    assert ragged < 0.1 * (corpus.train.n_tokens + len(corpus.train))
    first, second = next(batches.read(0)), next(batches.read(1))
    assert not same(first, second)
    plain = sentence_batches(corpus, shuffle=False)
    assert all(same(a, b) for a, b in zip(plain.read(0), plain.read(1), strict=True))


def test_a_sentence_longer_than_the_budget_stands_alone(corpus: Corpus) -> None:
    batches = sentence_batches(corpus, tokens=5)
    for batch in batches.read(0):
        assert batch.predictions <= 5 or batch.batch_sizes[0] == 1
    assert sum(batch.predictions for batch in batches.read(0)) == corpus.train.n_tokens + len(corpus.train)


@pytest.mark.parametrize("world", [2, 3])
def test_the_processes_of_sentence_mode_share_each_batch(corpus: Corpus, world: int) -> None:
    alone = list(sentence_batches(corpus, world=world, rank=0).read(0))
    others = [list(sentence_batches(corpus, world=world, rank=rank).read(0)) for rank in range(world)]
    assert {len(batches) for batches in others} == {len(alone)}
    everything: Counter[Pairs] = Counter()
    for step in zip(*others, strict=True):
        assert len({batch.predictions for batch in step}) == 1
        assert sum(batch.targets.shape[1] for batch in step) == step[0].predictions
        assert all(batch.batch_sizes[0] > 0 for batch in step)
        for batch in step:
            everything.update(unpacked(batch, corpus)[0])
    assert everything == Counter(pairs_of(sentence, corpus) for sentence in corpus.train)


def test_two_processes_see_the_batches_of_one(corpus: Corpus) -> None:
    readers = [sentence_batches(corpus, world=world, rank=rank).read(0) for world, rank in ((1, 0), (2, 0), (2, 1))]
    for step in zip(*readers, strict=True):
        whole, *parts = ([Counter(rows) for rows in unpacked(batch, corpus)] for batch in step)
        assert whole == [sum((part[direction] for part in parts), Counter()) for direction in (0, 1)]


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_row_of_stream_mode_is_a_stretch_of_the_endless_text(corpus: Corpus, direction: int, shuffle: bool) -> None:
    batches = stream_batches(corpus, shuffle=shuffle)
    order = np.arange(len(corpus.train))
    if shuffle:
        order = np.random.default_rng([3, 1, direction]).permutation(len(corpus.train))
    text = [pair for i in order for pair in pairs_of(corpus.train[int(i)], corpus, backward=direction == 1)]
    per_row = len(text) // 4
    windows = [unpacked(batch, corpus)[direction] for batch in batches.read(1)]
    assert len(windows) == batches.steps(1) == -(-per_row // 7)
    for row in range(4):
        read = [pair for window in windows for pair in window[row]]
        assert read == text[row * per_row : (row + 1) * per_row]


def test_one_row_without_shuffling_predicts_the_whole_text(corpus: Corpus) -> None:
    batches = stream_batches(corpus, rows=1, shuffle=False)
    assert sum(batch.predictions for batch in batches.read(0)) == corpus.train.n_tokens + len(corpus.train)


def test_the_processes_of_stream_mode_share_the_rows(corpus: Corpus) -> None:
    whole = list(stream_batches(corpus, rows=5).read(0))
    parts = [list(stream_batches(corpus, rows=5, world=2, rank=rank).read(0)) for rank in (0, 1)]
    for batch, *shares in zip(whole, *parts, strict=True):
        assert {share.predictions for share in shares} == {batch.predictions}
        for direction in (0, 1):
            joined = [row for share in shares for row in unpacked(share, corpus)[direction]]
            assert joined == unpacked(batch, corpus)[direction]


@pytest.mark.parametrize("make", [sentence_batches, stream_batches])
def test_reading_from_a_later_step_gives_the_tail(corpus: Corpus, make) -> None:  # type: ignore[no-untyped-def]
    everything = list(make(corpus).read(2))
    assert len(everything) == make(corpus).steps(2)
    assert [batch.predictions for batch in everything] == make(corpus).predictions(2).tolist()
    for first in (0, 1, len(everything) // 2, len(everything) - 1, len(everything)):
        tail = list(make(corpus).read(2, first))
        assert len(tail) == len(everything) - first
        assert all(same(a, b) for a, b in zip(tail, everything[first:], strict=True))


@pytest.mark.parametrize("make", [sentence_batches, stream_batches])
def test_one_direction_is_the_forward_one(corpus: Corpus, make) -> None:  # type: ignore[no-untyped-def]
    for one, both in zip(make(corpus, directions=1).read(0), make(corpus).read(0), strict=True):
        assert unpacked(one, corpus) == unpacked(both, corpus)[:1]


def test_too_little_text_gives_no_step(corpus: Corpus) -> None:
    assert stream_batches(corpus, rows=100_000).steps(0) == 0
    assert sentence_batches(corpus, world=1000).steps(0) == 0


def test_a_second_bound_on_the_sentences_of_a_step(corpus: Corpus) -> None:
    batches = SentenceBatches(corpus, corpus.train, tokens=10_000, most_sentences=32)
    sizes = [batch.batch_sizes[0] for batch in batches.read(0)]
    assert sorted(sizes) == [22, 32, 32, 32, 32]
