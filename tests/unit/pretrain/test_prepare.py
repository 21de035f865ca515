"""A corpus in shards: equal to that of `build_corpus`, bounded in memory, resumed after a kill, and trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ConfigError, DataError
from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.work import Part
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.prepare.run import PrepareSettings, prepare_corpus_folder
from elmokit.pretrain.prepare.sharding import NumberWords
from elmokit.pretrain.prepare.text import TextSettings
from elmokit.pretrain.prepare.type_index import TypeIndex, write_index
from elmokit.pretrain.shard_files import ShardedText, ShardSentences
from elmokit.pretrain.stream import SentenceBatches
from elmokit.pretrain.windows import WindowedBatches


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    generator = np.random.default_rng(1)
    for name, count in (("a", 300), ("b", 150), ("valid", 30)):
        lines = [
            " ".join(f"wörd{n}" for n in generator.zipf(1.4, generator.integers(1, 30)) % 400) for _ in range(count)
        ]
        lines[3] = ""
        lines[4] = "<S> stays a word, like <UNK> ."
        if name == "valid":
            lines[5] = "never before seen"
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings(text: Path, /, **changed: Any) -> PrepareSettings:
    values: dict[str, Any] = {
        "train": (str(text / "a.txt"), str(text / "b.txt")), "valid": str(text / "valid.txt"), "max_vocab": 60,
        "part_words": 300, "text": TextSettings(max_words=20),
    }  # fmt: skip
    return PrepareSettings(**{**values, **changed})


def prepare(text: Path, output: Path, /, **changed: Any) -> dict[str, Any]:
    return prepare_corpus_folder(settings(text, **changed), str(output), LocalEngine(), progress=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_small_corpus_is_that_of_one_process(text: Path, tmp_path: Path) -> None:
    info = prepare(text, tmp_path / "shards")
    expected = build_corpus(
        [text / "a.txt", text / "b.txt"],
        text / "valid.txt",
        tmp_path / "corpus",
        min_count=3,
        max_vocab=60,
        max_words=20,
    )
    found = Corpus.open(tmp_path / "shards")
    assert len(info["train"]["shards"]) > 5 and info["pruned"]["types"] == 0
    assert found.vocab == expected.vocab
    assert np.array_equal(found.characters, expected.characters)
    for mine, theirs in ((found.train, expected.train), (found.valid, expected.valid)):
        assert [ids.tolist() for ids in mine] == [ids.tolist() for ids in theirs]
        assert mine.n_tokens == theirs.n_tokens
    assert not (tmp_path / "shards" / "work").exists()
    one, two = (SentenceBatches(corpus, corpus.train, tokens=200, seed=3) for corpus in (found, expected))
    for left, right in zip(one.read(0), two.read(0), strict=True):
        assert left.targets.equal(right.targets) and left.index.equal(right.index)


def test_a_killed_run_resumes_to_the_same_bytes(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepare(text, tmp_path / "whole")
    original = NumberWords.open

    def dies(self: NumberWords) -> Any:
        compute = original(self)

        def once(part: Part) -> Any:
            if part.number == 4:
                raise RuntimeError("killed")
            return compute(part)

        return once

    monkeypatch.setattr(NumberWords, "open", dies)
    with pytest.raises(RuntimeError, match="killed"):
        prepare(text, tmp_path / "killed")
    assert not (tmp_path / "killed" / "corpus.json").exists()
    with pytest.raises(DataError, match="contains no finished corpus"):
        Corpus.open(tmp_path / "killed")
    monkeypatch.undo()
    assert prepare(text, tmp_path / "killed") == whole
    assert contents(tmp_path / "killed" / "train").keys() == contents(tmp_path / "whole" / "train").keys()
    for name in ("vocab.txt", "chars.bin", "corpus.json", "train/part-0000004.shard"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_rare_types_are_pruned_and_reported(text: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    info = prepare(text, tmp_path / "out", max_types=100)
    whole = prepare(text, tmp_path / "whole")
    assert info["n_types"] <= 103 < whole["n_types"]
    pruned = info["pruned"]
    assert pruned["of"] == whole["train"]["n_tokens"] == info["train"]["n_tokens"]
    unknown = sum(int((ids == 2).sum()) for ids in Corpus.open(tmp_path / "out").train)
    assert unknown == pruned["words"] > 0
    assert f"{pruned['types']:,} rare types ({pruned['words']:,} words" in caplog.text


def test_another_text_or_a_damaged_shard_is_refused(text: Path, tmp_path: Path) -> None:
    prepare(text, tmp_path / "out")
    with pytest.raises(ConfigError, match="is a corpus of other text or settings: --overwrite"):
        prepare(text, tmp_path / "out", min_count=2)
    shard = tmp_path / "out" / "train" / "part-0000002.shard"
    content = bytearray(shard.read_bytes())
    content[40] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DataError, match=r"part-0000002\.shard is damaged"):
        Corpus.open(tmp_path / "out")
    (tmp_path / "blank.txt").write_text("\n\n")
    with pytest.raises(DataError, match=r"no words are in .*blank\.txt"):
        prepare(text, tmp_path / "none", train=(str(tmp_path / "blank.txt"),))
    with pytest.raises(ConfigError, match=r"holds blank\.txt, which is no part of a corpus"):
        prepare(text, tmp_path)


@pytest.fixture(scope="module")
def large(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, ShardedText]:
    folder = tmp_path_factory.mktemp("large")
    info = prepare(text, folder / "out")
    return Corpus.open(folder / "out"), ShardedText(folder / "out" / "train", info["train"]["shards"])


def windowed(large: tuple[Corpus, ShardedText], **options: Any) -> WindowedBatches:
    return WindowedBatches(*large, seed=5, window_tokens=1500, tokens=150, **options)


def test_windows_have_every_sentence_once(large: tuple[Corpus, ShardedText]) -> None:
    corpus, text = large
    batches = windowed(large)
    assert len(batches.windows(0)) > 2
    assert sorted(np.concatenate(batches.windows(0)).tolist()) == list(range(len(text.sizes)))
    assert batches.windows(0)[0].tolist() != batches.windows(1)[0].tolist()
    read = list(batches.read(0))
    assert len(read) == batches.steps(0) > batches.borders(0)[-1] > batches.borders(0)[1] > 0
    assert [batch.predictions for batch in read] == batches.predictions(0).tolist()
    assert sum(batch.predictions for batch in read) == corpus.train.n_tokens + len(corpus.train)
    targets = np.concatenate([batch.targets[0].numpy() for batch in read])
    expected = np.concatenate([ids for ids in corpus.train])
    expected = np.where(expected < len(corpus.vocab), expected, 2)
    assert np.array_equal(np.sort(targets[targets != 1]), np.sort(expected))


def test_batches_are_a_function_of_the_step(large: tuple[Corpus, ShardedText]) -> None:
    whole = [batch.targets.tolist() for batch in windowed(large).read(1)]
    for first in (0, 3, windowed(large).borders(1)[1], len(whole) - 1):
        assert [batch.targets.tolist() for batch in windowed(large).read(1, first)] == whole[first:]


def test_batches_can_be_read_in_turns(large: tuple[Corpus, ShardedText]) -> None:
    whole = [batch.targets for batch in windowed(large).read(1)]
    turns = [[batch.targets for batch in windowed(large).read(1, turn, every=3)] for turn in range(3)]
    assert len(whole) > 6
    assert all(torch.equal(batch, turns[step % 3][step // 3]) for step, batch in enumerate(whole))
    pairs = [batch.targets for batch in windowed(large).read(1, 1, every=4, together=2)]
    wanted = [step for start in range(1, len(whole), 4) for step in (start, start + 1) if step < len(whole)]
    assert len(pairs) == len(wanted)
    assert all(torch.equal(batch, whole[step]) for batch, step in zip(pairs, wanted, strict=True))


def test_processes_share_the_batches_of_one(large: tuple[Corpus, ShardedText]) -> None:
    alone = windowed(large)
    for world in (2, 3):
        ranks = [windowed(large, rank=rank, world=world) for rank in range(world)]
        assert ranks[0].borders(0) == alone.borders(0)  # so a run may continue with another number of processes there
        for whole, *shares in zip(alone.read(0), *(rank.read(0) for rank in ranks), strict=True):
            found = np.sort(np.concatenate([share.targets[0].numpy() for share in shares]))
            assert np.array_equal(found, np.sort(whole.targets[0].numpy()))
            assert {share.predictions for share in shares} == {whole.predictions}


@given(st.lists(st.text(max_size=5), unique=True, max_size=40), st.lists(st.text(max_size=5), max_size=10))
def test_the_index_finds_words_and_no_others(words: list[str], others: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder), words, 3)
        found = TypeIndex(Path(folder), 3).ids([*words, *others])
    expected = {word: number for number, word in enumerate(words, 3)}
    assert found.tolist() == [expected.get(word, 2) for word in [*words, *others]]


def test_sentences_of_shards_by_number(large: tuple[Corpus, ShardedText]) -> None:
    _, text = large
    whole = text.whole()
    assert isinstance(whole, ShardSentences) and len(whole) == len(text)
    assert np.array_equal(whole.lengths, text.lengths)
    for number in (0, 17, len(text) - 1):
        assert text[number].tolist() == whole[number].tolist()
    assert whole[-1].tolist() == whole[len(whole) - 1].tolist()
    with pytest.raises(IndexError, match="out of bounds"):
        whole[len(whole)]


def test_corpus_json_says_what_the_corpus_is(text: Path, tmp_path: Path) -> None:
    info = prepare(text, tmp_path / "out", text=TextSettings(max_words=20, normalize=("lower_case",)))
    assert json.loads((tmp_path / "out" / "corpus.json").read_text()) == info
    assert info["settings"]["normalize"] == ["lower_case"] and len(info["fingerprint"]) == 64
