"""Text prepared for pretraining: tokenised once into memory-mapped integers, so that memory stays flat however long the text is.

A corpus folder holds
    corpus.json        fingerprint of the inputs and settings, counts
    vocab.txt          the words the model predicts, `word<TAB>count` in id order
    chars.bin          int16 (n_types, max_characters): the characters of every word type, in id order
    train-00000.bin …  int32 word ids, sentence after sentence, without markers; `valid-…` likewise
    train-offsets.bin  int64 (n_sentences + 1): where each sentence starts
    train-lengths.bin  int32 (n_sentences,)

Every word *type* has an id: `<S>` 0, `</S>` 1, `<UNK>` 2, then the types of the training text by falling count, then those that only
the validation text has. The vocabulary is the first V of them: the target of a word is its id when that is < V and `<UNK>` otherwise,
while its characters are always real.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.text.char_ids import char_ids, marker_char_ids
from elmokit.text.normalize import apply_steps, check_steps
from elmokit.text.sources import SourceStats, expand_paths, file_kind, read_texts
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.words import SPLITTER_VERSION, iter_words

FORMAT = 1  # raise when the files of a corpus folder change their meaning
_TYPES_AT_ONCE = 1 << 16
_LONGEST_LINE = 1 << 20  # bytes read of a line at once


class Sentences(Sequence[NDArray[np.int32]]):
    """The sentences of one part of a corpus: `sentences[i]` is int32 ids (length,) without markers.

    The ids are read from the shards when asked for. They are not mapped: pages of a mapped file count as memory of the process, which
    would then grow with the corpus.
    """

    def __init__(self, folder: Path, part: str, shard_starts: Sequence[int]) -> None:
        self._origin = (folder, part, shard_starts)
        self._offsets: NDArray[np.int64] = _mapped(folder / f"{part}-offsets.bin", np.int64)
        self.lengths: NDArray[np.int32] = _mapped(folder / f"{part}-lengths.bin", np.int32)
        self.n_tokens = int(self._offsets[-1])
        self._starts = [int(start) for start in shard_starts]
        self._shards = [open(_shard_path(folder, part, i), "rb", buffering=0) for i in range(len(shard_starts))]  # noqa: SIM115
        size = sum(os.fstat(shard.fileno()).st_size for shard in self._shards)
        if len(self._offsets) != len(self.lengths) + 1 or size != 4 * self.n_tokens:
            raise DataError(f"the corpus in {folder} is damaged ({part} files do not fit together): delete the folder to rebuild it")

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[np.int32]:  # type: ignore[override]  # one sentence at a time, no slices
        length = int(self.lengths[index])
        start = int(self._offsets[index if index >= 0 else index - 1])
        shard = bisect_right(self._starts, start) - 1
        data = os.pread(self._shards[shard].fileno(), 4 * length, 4 * (start - self._starts[shard]))
        return np.frombuffer(data, dtype=np.int32)

    def __reduce__(self) -> tuple[type[Sentences], tuple[Path, str, Sequence[int]]]:
        return Sentences, self._origin  # open files do not travel to worker processes


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus. `chars[ids]` are the characters of word ids, `target` ids are `ids` with those from `len(vocab)` on as 2."""

    folder: Path
    vocab: Vocabulary
    chars: NDArray[np.int16]  # (n_types, max_characters), memory-mapped
    train: Sentences
    valid: Sentences  # empty when the corpus was built without validation text
    info: dict[str, Any]  # what corpus.json says: fingerprint, settings, counts, reading statistics

    @property
    def fingerprint(self) -> str:
        """A digest of the input files' content and of the settings: equal corpora have equal fingerprints."""
        return str(self.info["fingerprint"])

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """Open a finished corpus folder; `DataError` when it is missing, half-written or damaged."""
        folder = Path(folder)
        try:
            info = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
            if info["format"] != FORMAT:
                raise DataError(f"the corpus in {folder} has format {info['format']}, expected {FORMAT}: delete the folder to rebuild it")
            chars = _mapped(folder / "chars.bin", np.int16).reshape(info["n_types"], info["settings"]["max_characters"])
            train, valid = (Sentences(folder, part, info[part]["shard_starts"]) for part in ("train", "valid"))
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise DataError(f"{folder} holds no finished corpus ({error}): delete the folder to rebuild it") from error
        return cls(folder, Vocabulary.load(folder / "vocab.txt"), chars, train, valid, info)


def build_corpus(
    train: str | Path | Iterable[str | Path],
    valid: str | Path | None,
    folder: str | Path,
    *,
    column: str | None = None,
    pre_split: bool = False,
    normalize: Sequence[str] = (),
    min_count: int = 1,
    max_vocab: int | None = None,
    max_words: int = 400,
    max_characters: int = 50,
    shard_tokens: int = 1 << 26,
    from_vocab: Vocabulary | None = None,
    progress: Callable[[int], None] | None = None,
) -> Corpus:
    """Tokenise `train` (paths and globs) and `valid` into `folder`, or reuse the folder when it was made from the same.

    Args:
        column: where the text stands in CSV, TSV and JSONL files (see `read_texts`).
        pre_split: words stand between blanks already; otherwise text is split Penn-style.
        normalize: names of clean-up steps (`elmokit.text.normalize.STEPS`), done in this order before splitting.
        min_count, max_vocab: the vocabulary has the words seen at least `min_count` times, at most `max_vocab` with the markers.
        max_words: longer lines are cut into pieces of this many words.
        shard_tokens: words a shard file holds, at least.
        from_vocab: the vocabulary of the model to go on with; its ids are kept and `min_count`, `max_vocab` do not count.
        progress: called now and then with the number of words prepared so far.

    The folder appears when it is complete: a run that is killed leaves only `<folder>.partial`, which the next one removes. Only one
    process may build a folder at a time. Raises `DataError` for unusable input and when the disk refuses.
    """
    folder = Path(folder)
    check_steps(normalize)
    inputs = {"train": expand_paths(train), "valid": [] if valid is None else expand_paths(valid)}
    settings = {
        "column": column, "pre_split": pre_split, "normalize": list(normalize), "min_count": min_count, "max_vocab": max_vocab,
        "max_words": max_words, "max_characters": max_characters, "shard_tokens": shard_tokens, "splitter": SPLITTER_VERSION,
        "from_vocab": None if from_vocab is None else _digest("\n".join(from_vocab.words).encode()),
    }  # fmt: skip
    fingerprint = _fingerprint(inputs, settings)
    if _finished(folder, fingerprint):
        return Corpus.open(folder)
    with _written_whole(folder) as partial:
        types = _Types()
        parts: dict[str, Any] = {}
        for part, paths in inputs.items():
            stats = SourceStats()
            texts = read_texts(paths, column=column, stats=stats, max_chars=_LONGEST_LINE)
            writer = _Writer(partial, part, types, shard_tokens)
            before = parts["train"]["n_tokens"] if parts else 0
            for words in _sentences(texts, normalize, pre_split, max_words):
                writer.add(words)
                if progress and writer.n_sentences % 1000 == 0:
                    progress(before + writer.n_tokens)
            parts[part] = writer.close() | {"reading": asdict(stats)}
        counts = dict(zip(types.ids, types.counts.tolist(), strict=False))  # types of the validation text alone have no count
        vocab = from_vocab or Vocabulary.from_counts(counts, min_count=min_count, max_size=max_vocab)
        ids, beyond = _final_ids(types, vocab)
        for part, made in parts.items():
            paths = [_shard_path(partial, part, i) for i in range(len(made["shard_starts"]))]
            made["n_unknown"] = sum(_renumber(path, ids, len(vocab)) for path in paths)
        _write_chars(partial / "chars.bin", [*vocab.words, *beyond], max_characters)
        vocab.save(partial / "vocab.txt")
        sizes = {"n_types": len(vocab) + len(beyond), "vocab_size": len(vocab)}
        info = {"format": FORMAT, "fingerprint": fingerprint, "settings": settings, **sizes, **parts}
        (partial / "corpus.json").write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Corpus.open(folder)


def _sentences(texts: Iterable[str], steps: Sequence[str], pre_split: bool, max_words: int) -> Iterator[list[str]]:
    for text in texts:
        text = apply_steps(text, steps) if steps else text
        words = iter(text.split()) if pre_split else iter_words(text)
        while piece := list(islice(words, max_words)):
            yield piece


class _Types:
    """Word types numbered as they come; how often each is in the training text."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def number(self, words: Iterable[str]) -> list[int]:
        ids = self.ids
        return [ids.setdefault(word, len(ids)) for word in words]

    def count(self, numbers: NDArray[np.int32]) -> None:
        counts = np.bincount(numbers, minlength=len(self.ids))
        counts[: len(self.counts)] += self.counts
        self.counts = counts


class _Writer:
    """Appends the sentences of one part to its shards, lengths and offsets; ids are first the numbers of `_Types`."""

    _AT_ONCE = 1 << 20  # ids kept in memory before they are written

    def __init__(self, folder: Path, part: str, types: _Types, shard_tokens: int) -> None:
        self.folder, self.part, self.types, self.shard_tokens = folder, part, types, shard_tokens
        self.n_sentences = self.n_tokens = 0
        self._shard_starts: list[int] = []
        self._ids, self._lengths = array("i"), array("i")

    def add(self, words: Sequence[str]) -> None:
        self._ids.extend(self.types.number(words))
        self._lengths.append(len(words))
        self.n_sentences += 1
        self.n_tokens += len(words)
        full = not self._shard_starts or self.n_tokens - self._shard_starts[-1] >= self.shard_tokens
        if len(self._ids) >= self._AT_ONCE or full:
            self._flush()

    def close(self) -> dict[str, Any]:
        """Write what is left and return the counts for corpus.json."""
        self._flush()
        return {"n_sentences": self.n_sentences, "n_tokens": self.n_tokens, "shard_starts": self._shard_starts}

    def _flush(self) -> None:
        ids = np.asarray(self._ids, dtype=np.int32)
        lengths = np.asarray(self._lengths, dtype=np.int32)
        start = self.n_tokens - len(ids)
        if len(ids) and (not self._shard_starts or start - self._shard_starts[-1] >= self.shard_tokens):
            self._shard_starts.append(start)
        if self.part == "train":
            self.types.count(ids)
        offsets = np.cumsum(lengths, dtype=np.int64) + start
        first = np.zeros(0 if (self.folder / f"{self.part}-offsets.bin").exists() else 1, dtype=np.int64)
        self._append(f"{self.part}-offsets.bin", first, offsets)
        self._append(f"{self.part}-lengths.bin", lengths)
        if self._shard_starts:
            self._append(_shard_path(self.folder, self.part, len(self._shard_starts) - 1).name, ids)
        self._ids, self._lengths = array("i"), array("i")

    def _append(self, name: str, *arrays: NDArray[Any]) -> None:
        with open(self.folder / name, "ab") as file:
            for values in arrays:
                file.write(values.tobytes())


def _final_ids(types: _Types, vocab: Vocabulary) -> tuple[NDArray[np.int32], list[str]]:
    """The id of each numbered type, and the types beyond the vocabulary in id order: by falling count, then those of validation."""
    words = list(types.ids)
    counts = [*types.counts.tolist(), *[0] * (len(words) - len(types.counts))]
    beyond = [i for i, word in enumerate(words) if word not in vocab or word in MARKERS]  # a literal <S> in the text is no marker
    beyond.sort(key=lambda i: (-counts[i], words[i]))
    ids = np.fromiter((vocab[word] for word in words), dtype=np.int32, count=len(words))
    ids[beyond] = np.arange(len(vocab), len(vocab) + len(beyond))
    return ids, [words[i] for i in beyond]


def _renumber(path: Path, ids: NDArray[np.int32], vocab_size: int) -> int:
    """Turn the numbers in a shard into ids, in place; returns how many words are beyond the vocabulary."""
    unknown = 0
    with open(path, "r+b") as file:
        while block := file.read(1 << 22):
            new = ids[np.frombuffer(block, dtype=np.int32)]
            unknown += int((new >= vocab_size).sum())
            file.seek(-len(block), os.SEEK_CUR)
            file.write(new.tobytes())
            file.seek(0, os.SEEK_CUR)  # a read after a write needs a seek between
    return unknown


def _write_chars(path: Path, words: Sequence[str], max_characters: int) -> None:
    with open(path, "wb") as file:
        file.write(marker_char_ids(max_characters).tobytes())
        for start in range(len(MARKERS) - 1, len(words), _TYPES_AT_ONCE):
            file.write(char_ids(words[start : start + _TYPES_AT_ONCE], max_characters=max_characters).tobytes())


def _shard_path(folder: Path, part: str, shard: int) -> Path:
    return folder / f"{part}-{shard:05d}.bin"


def _mapped(path: Path, dtype: type[np.generic]) -> NDArray[Any]:
    """A memory-mapped array, or an empty one for an empty file (which cannot be mapped)."""
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.zeros(0, dtype=dtype)


def _fingerprint(inputs: dict[str, list[Path]], settings: dict[str, Any]) -> str:
    """Digest of what the corpus is made from: the content and kind of every file in order, and the settings."""
    files = {part: [(file_kind(path), _file_digest(path)) for path in paths] for part, paths in inputs.items()}
    return _digest(json.dumps([FORMAT, files, settings], sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _file_digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _finished(folder: Path, fingerprint: str) -> bool:
    try:
        return Corpus.open(folder).fingerprint == fingerprint
    except DataError:  # missing, half-copied or of an older format: it is built anew
        return False


_OWN_FILES = re.compile(r"corpus\.json|vocab\.txt|chars\.bin|(train|valid)-\w+\.bin")


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` at the end, or vanishes when something goes wrong."""
    partial, old = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".old")
    try:
        strangers = [path.name for path in folder.iterdir() if not _OWN_FILES.fullmatch(path.name)] if folder.exists() else []
        if strangers:
            raise DataError(f"{folder} is no corpus folder (it holds {strangers[0]}): name another folder")
        for leftover in (partial, old):
            if leftover.exists():
                shutil.rmtree(leftover)
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DataError(f"cannot write the corpus {folder}: {error.strerror or error}; free some space or name another folder") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
