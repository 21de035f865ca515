"""Corpora: the same words as the text by brute force, built once, whole or not at all, in flat memory."""

from __future__ import annotations

import gc
import os
import pickle
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elmokit.errors import ConfigError, DataError
from elmokit.pretrain.corpus import Corpus, build_corpus, length_percentile
from elmokit.pretrain.shards import SentenceList
from elmokit.text.char_ids import char_ids, marker_char_ids
from elmokit.text.vocab import Vocabulary
from elmokit.text.words import split_words

TRAIN = ["The bank of the river.", "The bank can't lend; it won't.", "the end <S> of the bank"]
VALID = ["The unseen river's end.", "the zebra"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    (tmp_path / "train.txt").write_text("\n".join(TRAIN))
    (tmp_path / "valid.txt").write_text("\n".join(VALID))
    return tmp_path / "train.txt", tmp_path / "valid.txt", tmp_path / "corpus"


def types_by_id(corpus: Corpus) -> list[str]:
    """The word of every id, read back from its characters."""
    rows = np.asarray(corpus.inputs) - 1
    return ["<S>", "</S>", *(bytes(row[row < 256].astype(np.uint8).tolist()).decode() for row in rows[2:])]


def words_of(corpus: Corpus, sentences: SentenceList) -> list[list[str]]:
    types = types_by_id(corpus)
    return [[types[i] for i in ids] for ids in sentences]


def test_words_and_ids_equal_brute_force(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    corpus = build_corpus([train], valid, folder)
    expected = [split_words(text) for text in TRAIN]
    assert words_of(corpus, corpus.train) == expected
    assert words_of(corpus, corpus.valid) == [split_words(text) for text in VALID]
    counts = Counter(word for sentence in expected for word in sentence)
    assert corpus.vocab == Vocabulary.from_counts(counts)
    assert types_by_id(corpus)[: len(corpus.vocab)] == corpus.vocab.words
    assert types_by_id(corpus)[len(corpus.vocab) :] == ["'s", "unseen", "zebra"]
    assert (corpus.inputs[:2] == marker_char_ids()).all()
    assert (corpus.inputs[2:] == char_ids(types_by_id(corpus)[2:])).all()
    assert corpus.train[0].dtype == np.int32
    assert corpus.train.lengths.tolist() == [len(sentence) for sentence in expected]
    assert (corpus.train.n_tokens, corpus.valid.n_tokens) == (sum(map(len, expected)), 8)
    assert (corpus.info["train"]["n_unknown"], corpus.info["valid"]["n_unknown"]) == (0, 3)
    assert corpus.info["train"]["reading"]["lines"] == 3


def test_a_literal_marker_in_the_text_is_a_type_beyond_the_vocabulary(files: tuple[Path, Path, Path]) -> None:
    train, _, folder = files
    corpus = build_corpus(train, None, folder, pre_split=True)
    assert words_of(corpus, corpus.train) == [text.split() for text in TRAIN]
    assert corpus.train[2][2] == len(corpus.vocab) == corpus.info["n_types"] - 1
    assert (corpus.inputs[corpus.train[2][2]] == char_ids(["<S>"])[0]).all()
    assert len(corpus.valid) == corpus.valid.n_tokens == 0


@pytest.mark.parametrize(("min_count", "max_vocab", "size"), [(2, None, 9), (1, 5, 5), (3, 100, 5), (99, None, 3)])
def test_the_vocabulary_is_a_prefix_of_the_types(
    files: tuple[Path, Path, Path], min_count: int, max_vocab: int | None, size: int
) -> None:
    train, valid, folder = files
    every = build_corpus(train, valid, folder)
    some = build_corpus(train, valid, folder.with_name("some"), min_count=min_count, max_vocab=max_vocab)
    assert some.vocab.words == every.vocab.words[: len(some.vocab)]
    assert len(some.vocab) == some.info["vocab_size"] == size
    assert words_of(some, some.train) == words_of(every, every.train)
    assert some.info["train"]["n_unknown"] == sum(int((ids >= size).sum()) for ids in some.train)


@given(
    lines=st.lists(st.lists(st.sampled_from(["a", "bb", "ccc", "ü", "<UNK>"]), min_size=1, max_size=9), min_size=1),
    max_words=st.integers(1, 5),
    shard_tokens=st.integers(1, 12),
)
@settings(max_examples=30)  # each collects garbage, so that files which are mapped do not pile up
def test_shards_and_pieces_keep_every_word(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]], max_words: int, shard_tokens: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    (folder / "a.txt").write_text("\n".join(" ".join(line) for line in lines), encoding="utf-8")
    corpus = build_corpus(
        folder / "a.txt", None, folder / "corpus", pre_split=True, max_words=max_words, shard_tokens=shard_tokens
    )
    pieces = [line[i : i + max_words] for line in lines for i in range(0, len(line), max_words)]
    assert words_of(corpus, corpus.train) == pieces
    assert words_of(corpus, pickle.loads(pickle.dumps(corpus.train))) == pieces
    assert corpus.train[-1].tolist() == corpus.train[len(pieces) - 1].tolist()
    with pytest.raises(IndexError, match="out of bounds"):
        corpus.train[len(pieces)]
    sizes = [path.stat().st_size // 4 for path in sorted((folder / "corpus").glob("train-0*.bin"))]
    assert all(shard_tokens <= size < shard_tokens + max_words for size in sizes[:-1])
    del corpus
    gc.collect()


def test_columns_and_clean_up(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"1","Kerry #39;s","quot;plan, quot; he"\n')
    (tmp_path / "b.csv").write_text('"2","a second\\team"\n')
    corpus = build_corpus(f"{tmp_path}/?.csv", None, tmp_path / "corpus", column="2-", normalize=["clean_markup"])
    assert words_of(corpus, corpus.train) == [["Kerry", "'s", '"', "plan", ",", '"', "he"], ["a", "second", "team"]]
    with pytest.raises(ConfigError, match="'clean'; expected one of clean_markup"):
        build_corpus(tmp_path / "a.csv", None, tmp_path / "corpus", column="2-", normalize=["clean"])


def test_going_on_with_a_model_keeps_its_ids(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    vocab = Vocabulary(["<S>", "</S>", "<UNK>", "river", "elsewhere", "the"], [0, 0, 0, 9, 8, 7])
    corpus = build_corpus(train, valid, folder, from_vocab=vocab, min_count=99)
    assert corpus.vocab == vocab
    assert types_by_id(corpus)[:6] == vocab.words
    assert types_by_id(corpus)[6:8] == ["bank", "."]
    assert words_of(corpus, corpus.train) == [split_words(text) for text in TRAIN]
    assert corpus.train[0].tolist()[-2:] == [3, 7]


def stamp(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def test_an_equal_corpus_is_reused_and_another_is_rebuilt(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    first = build_corpus(train, valid, folder)
    before = stamp(folder)
    os.utime(train)
    assert build_corpus(train, valid, folder).fingerprint == first.fingerprint
    assert stamp(folder) == before
    assert build_corpus(train, valid, folder, min_count=2).fingerprint != first.fingerprint
    assert stamp(folder) != before
    train.write_text("other text")
    again = build_corpus(train, valid, folder)
    assert words_of(again, again.train) == [["other", "text"]]
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith("corpus")] == ["corpus"]


@pytest.mark.parametrize("missing", ["corpus.json", "chars.bin", "vocab.txt", "train-00000.bin", "valid-lengths.bin"])
@pytest.mark.parametrize("how", ["gone", "cut"])
def test_a_half_written_corpus_is_rebuilt(files: tuple[Path, Path, Path], missing: str, how: str) -> None:
    train, valid, folder = files
    build_corpus(train, valid, folder)
    if how == "gone":
        (folder / missing).unlink()
    else:
        os.truncate(folder / missing, (folder / missing).stat().st_size - 5)
    with pytest.raises(DataError, match=r"contains no finished corpus.*delete the folder to rebuild"):
        Corpus.open(folder)
    corpus = build_corpus(train, valid, folder)
    assert words_of(corpus, corpus.train) == [split_words(text) for text in TRAIN]


def test_what_a_killed_run_left_is_removed(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    (folder.parent / "corpus.partial").mkdir()
    (folder.parent / "corpus.partial" / "train-00000.bin").write_bytes(b"junk")
    build_corpus(train, valid, folder)
    assert not (folder.parent / "corpus.partial").exists()


def test_opening_what_is_no_corpus(tmp_path: Path) -> None:
    for name, content in [("none", None), ("list", "[]"), ("old", '{"format": 0}'), ("text", "hello")]:
        if content is not None:
            (tmp_path / name).mkdir()
            (tmp_path / name / "corpus.json").write_text(content)
        with pytest.raises(DataError, match="contains no finished corpus"):
            Corpus.open(tmp_path / name)


def test_a_folder_with_other_things_is_left_alone(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")
    with pytest.raises(DataError, match=r"is no corpus folder \(it holds thesis.tex\): name another folder"):
        build_corpus(train, valid, folder)
    assert [path.name for path in folder.parent.iterdir() if "partial" in path.name] == []
    assert (folder / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize(
    ("content", "message"), [("", "contains no text"), ("\\\\\n", r"no words are left.*clean_markup")]
)
def test_text_without_words(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        build_corpus(tmp_path / "a.txt", None, tmp_path / "corpus", normalize=["clean_markup"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_late_in_the_text_leaves_the_old_corpus(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    build_corpus(train, valid, folder)
    before = stamp(folder)
    with pytest.raises(DataError, match="matches no file"):
        build_corpus(train, valid.with_name("none"), folder)
    valid.write_bytes(b"")
    with pytest.raises(DataError, match=r"valid\.txt contains no text"):
        build_corpus(train, valid, folder)
    assert stamp(folder) == before
    assert not folder.with_name("corpus.partial").exists()


@pytest.mark.parametrize("place", ["train.txt", "train.txt/corpus", "/proc/corpus"])
def test_places_that_cannot_be_written(files: tuple[Path, Path, Path], place: str) -> None:
    train, valid, folder = files
    with pytest.raises(DataError, match=r"cannot write the corpus .*name another folder"):
        build_corpus(train, valid, folder.parent / place)
    assert train.read_text() == "\n".join(TRAIN)


FULL_DISK = """
import resource, sys
from pathlib import Path
from elmokit.errors import DataError
from elmokit.pretrain.corpus import build_corpus
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    build_corpus(folder / "train.txt", None, folder / "corpus")
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [1, 500, 5000])
def test_a_full_disk(tmp_path: Path, room: int) -> None:
    (tmp_path / "train.txt").write_text("\n".join(f"word{i} word{i % 7}" for i in range(2000)))
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path, str(room)], capture_output=True, text=True, check=True
    )
    assert "cannot write the corpus" in run.stdout or "cannot write the vocabulary" in run.stdout
    assert run.stdout.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["train.txt"]


PEAK = """
import sys, resource
from pathlib import Path
from elmokit.pretrain.corpus import build_corpus
folder = Path(sys.argv[1])
corpus = build_corpus(folder / sys.argv[2], None, folder / (sys.argv[2] + ".corpus"), max_words=int(sys.argv[3]))
assert sum(len(ids) for ids in corpus.train) == corpus.train.n_tokens
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_megabytes(folder: Path, name: str, max_words: int) -> int:
    run = subprocess.run([sys.executable, "-c", PEAK, folder, name, str(max_words)], stdout=subprocess.PIPE, check=True)
    return int(run.stdout)


def test_memory_is_flat_in_the_length_of_the_text(tmp_path: Path) -> None:
    sentence = "a bank of the river near another bank\n"
    (tmp_path / "short.txt").write_text(sentence * 20_000)
    (tmp_path / "long.txt").write_text(sentence * 150_000)  # 1.2 million words
    (tmp_path / "book.txt").write_text((sentence * 130_000).replace("\n", " "))  # a million words on one line
    short = peak_megabytes(tmp_path, "short.txt", 400)
    assert peak_megabytes(tmp_path, "long.txt", 400) < short + 10  # offsets and lengths are mapped: 12 bytes a sentence
    assert peak_megabytes(tmp_path, "book.txt", 400) < short + 10


def test_progress_counts_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("two words\n" * 2500)
    seen: list[int] = []
    build_corpus(tmp_path / "a.txt", tmp_path / "a.txt", tmp_path / "corpus", progress=seen.append)
    assert seen == [2000, 4000, 7000, 9000]


def test_open_files_are_given_back(files: tuple[Path, Path, Path]) -> None:
    train, valid, folder = files
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        build_corpus(train, valid, folder, shard_tokens=1)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0


def test_ag_news(elmokit_data: Path, tmp_path: Path) -> None:
    corpus = build_corpus(
        elmokit_data / "ag_news" / "train_extra_lower.csv.gz", None, tmp_path / "corpus", column="2-", min_count=2
    )
    assert len(corpus.train) == 4919
    assert corpus.train.n_tokens > 150_000


def test_the_length_that_most_lines_do_not_exceed(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("".join("w " * count + "\n" for count in range(1, 21)), encoding="utf-8")
    settings: dict[str, Any] = {"column": None, "pre_split": True, "normalize": []}
    assert length_percentile([tmp_path / "t.txt"], 95, **settings) == 19
    assert length_percentile([tmp_path / "t.txt"], 100, **settings) == 20
    assert length_percentile([tmp_path / "t.txt"], 1, **settings) == 1


def test_damage_of_the_text_is_told_once(
    files: tuple[Path, Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = tmp_path / "damaged.txt"
    damaged.write_bytes(b"a \xff b c\nd e f g\n")
    length_percentile([damaged], 90, column=None, pre_split=False, normalize=())
    assert caplog.text == ""
    build_corpus([damaged], files[1], tmp_path / "corpus")
    assert caplog.messages == [
        "--train: 1 lines with bytes that are not UTF-8, read as U+FFFD (another encoding? --encoding)"
    ]
