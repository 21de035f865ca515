"""Batches read by processes are those that a thread reads, in the same order."""

from __future__ import annotations

import pytest
import torch

from elmokit.pretrain.augment import Augmentation
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.read_ahead import default_workers, read_updates
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.pretrain.updates import Updates
from elmokit.text.word_rows import ByteRows


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("text")
    text = folder / "text.txt"
    text.write_text("".join(f"the {'very ' * (n % 7)}small number {n}\n" for n in range(300)), encoding="utf-8")
    return build_corpus(text, None, folder / "corpus")


def _batches(corpus: Corpus) -> Batches:
    augmentation = Augmentation(corpus, ByteRows(50), case=0.3, typos=0.2, seed=5)
    return SentenceBatches(corpus, corpus.train, tokens=64, seed=5, augmentation=augmentation)


def _same(one: list[PackedBatch], other: list[PackedBatch]) -> bool:
    names = ("words", "chars", "index", "targets")
    return len(one) == len(other) and all(
        a.batch_sizes == b.batch_sizes and all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("first", [0, 4])
def test_updates_of_two_workers_are_those_of_a_thread(corpus: Corpus, accumulate: int, first: int) -> None:
    updates = Updates(_batches(corpus), accumulate)
    count = updates.steps(0) - first
    assert count > 5
    alone = list(read_updates(updates, 0, first, count=count, workers=0, pin=False))
    several = list(read_updates(updates, 0, first, count=count, workers=2, pin=False))
    assert len(alone) == len(several) == count
    assert all(_same(*pair) for pair in zip(alone, several, strict=True))


def test_workers_leave_the_random_state_of_the_run_as_it_is(corpus: Corpus) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert len(list(read_updates(Updates(_batches(corpus), 1), 0, 0, count=3, workers=2, pin=False))) == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stream_cannot_be_read_in_pieces(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="batch after batch"):
        next(StreamBatches(corpus, corpus.train, rows=4, window=5).read(0, every=2))


def test_workers_are_for_gpus_and_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert default_workers("cpu", processes=1, carries_state=False) == 0
    assert default_workers("cuda", processes=1, carries_state=False) == 8
    assert default_workers("cuda", processes=4, carries_state=False) == 3
    assert default_workers("cuda", processes=1, carries_state=True) == 0
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])  # Windows
    assert default_workers("cuda", processes=1, carries_state=False) == 0
