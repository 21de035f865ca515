"""Text prepared for pretraining: tokenised once into integers on disk, so that memory stays flat in the text's length.

A corpus folder holds
    corpus.json   fingerprint of the inputs and settings, counts
    vocab.txt     the words the model predicts, `word<TAB>count` in id order
    chars.bin     int16 (n_types, max_characters): the characters of every word type, in id order
    train-*.bin   the sentences as word ids (see shards.py); valid-*.bin likewise

Every word *type* has an id: `<S>` 0, `</S>` 1, `<UNK>` 2, then the types of the training text by falling count, then
those that only the validation text has. The vocabulary is the first V of them: a word is predicted as its id when that
is below V and as `<UNK>` otherwise, while its characters are always real.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.pretrain.shard_files import WINDOW_TOKENS, ShardedText
from elmokit.pretrain.shards import SentenceList, Sentences, ShardWriter, mapped, renumber, shard_path
from elmokit.text.char_ids import char_ids, marker_char_ids
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.formats import ending, format_of
from elmokit.text.normalize import check_steps, normalize_words
from elmokit.text.normalize import normalize as normalized
from elmokit.text.readers import read_texts, refuse_unread_options
from elmokit.text.records import AS_FOUND, FileOptions, Record
from elmokit.text.tokenized_text import warned_of_tokens
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.word_rows import ByteRows, WordRows
from elmokit.text.words import SPLITTER_VERSION, iter_words
from elmokit.whole_files import JsonObject

__all__ = ["Corpus", "Sentences", "build_corpus"]

FORMAT = 1  # raise when the files of a corpus folder change their meaning
SHARDED_FORMAT = 2  # of `elmo prepare`: the sentences are in shards, see prepare/run.py
_TYPES_AT_ONCE = 1 << 16
LONGEST_LINE = 1 << 20  # bytes read of a line at once


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus: `inputs[ids]` is what the token encoder reads of words.

    Ids from `len(vocab)` on count as `<UNK>` where they are predicted. `inputs` are the characters until `read_by`
    says otherwise.
    """

    folder: Path
    vocab: Vocabulary
    characters: NDArray[np.int16]  # (n_types, max_characters), memory-mapped
    inputs: NDArray[np.integer]  # (n_types, width)
    train: SentenceList
    valid: SentenceList  # empty when the corpus was built without validation text
    info: JsonObject  # what corpus.json says: fingerprint, settings, counts, reading statistics

    @property
    def fingerprint(self) -> str:
        """A digest of the input files' content and of the settings: equal corpora have equal fingerprints."""
        return str(self.info["fingerprint"])

    def read_by(self, rows: WordRows) -> Corpus:
        """The same corpus for the token encoder that `rows` serves."""
        return replace(self, inputs=rows.of_corpus(self.characters, n_known=len(self.vocab)))

    def spelling(self, number: int) -> str:
        """The word of an id, as far as its characters were kept; nothing for the sentence markers."""
        return ByteRows(self.characters.shape[1]).decode(self.characters[number])

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """Open a finished corpus folder; `DataError` when it is missing, half-written or damaged."""
        folder = Path(folder)
        try:
            info = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
            if info["format"] not in (FORMAT, SHARDED_FORMAT):
                raise DataError(f"its format is {info['format']}, expected {FORMAT}")
            chars = mapped(folder / "chars.bin", np.int16).reshape(info["n_types"], info["settings"]["max_characters"])
            train: SentenceList
            valid: SentenceList
            if info["format"] == FORMAT:
                train, valid = (Sentences(folder, part, info[part]["shard_starts"]) for part in ("train", "valid"))
            else:  # of `elmo prepare`: training text above a window is read window by window, see windows.py
                text = ShardedText(folder / "train", info["train"]["shards"])
                train = text.whole() if text.n_tokens <= WINDOW_TOKENS else text
                valid = ShardedText(folder / "valid", info.get("valid", {}).get("shards", [])).whole()
            vocab = Vocabulary.load(folder / "vocab.txt")
            if len(vocab) != info["vocab_size"]:
                raise DataError(f"vocab.txt has {len(vocab)} words, expected {info['vocab_size']}")
        except (OSError, ValueError, KeyError, IndexError, TypeError, DataError) as error:
            raise DataError(
                f"{folder} contains no finished corpus ({error}): delete the folder to rebuild it"
            ) from error
        return cls(folder, vocab, chars, chars, train, valid, info)

    @classmethod
    def found(cls, folder: str | Path) -> Corpus | None:
        """The corpus in a folder; None when it is missing, half-copied, damaged or of an older format."""
        try:
            return cls.open(folder)
        except DataError:
            return None


def build_corpus(
    train: str | Path | Iterable[str | Path],
    valid: str | Path | None,
    folder: str | Path,
    *,
    column: str | None = None,
    files: FileOptions = AS_FOUND,
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
        column: where the text is in tables and JSON (see `read_texts`).
        files: how the files are written, where that does not show.
        pre_split: words stand between blanks already; otherwise text is split Penn-style.
        normalize: names of clean-up steps (`elmokit.text.normalize.STEPS`), done in this order before splitting.
        min_count, max_vocab: the vocabulary is the words seen `min_count` times, at most `max_vocab` with markers.
        max_words: longer lines are cut into pieces of this many words.
        shard_tokens: words after which a new shard file begins.
        from_vocab: vocabulary of the model to continue with: its ids are kept, `min_count` and `max_vocab` are ignored.
        progress: called now and then with the number of words prepared so far.

    The folder appears when it is complete: a run that is killed leaves only `<folder>.partial`, which the next removes.
    Only one process may build a folder at a time. Raises `DataError` for unusable input and when the disk refuses.
    """
    folder = Path(folder)
    check_steps(normalize)
    refuse_unread_options(files, pretokenized=pre_split)
    inputs = {"train": expand_paths(train), "valid": [] if valid is None else expand_paths(valid)}
    settings = {
        "column": column,
        "pre_split": pre_split,
        "normalize": list(normalize),
        "min_count": min_count,
        "max_vocab": max_vocab,
        "max_words": max_words,
        "max_characters": max_characters,
        "shard_tokens": shard_tokens,
        "splitter": SPLITTER_VERSION,
        "from_vocab": None if from_vocab is None else _digest("\n".join(from_vocab.words).encode()),
        **{name: value for name, value in asdict(files).items() if value not in (None, False)},
    }
    fingerprint = _fingerprint(inputs, settings)
    if (made := Corpus.found(folder)) is not None and made.fingerprint == fingerprint:
        return made
    with _written_whole(folder) as partial:
        types = _Types()
        info: JsonObject = {"format": FORMAT, "fingerprint": fingerprint, "settings": settings}
        done = 0
        for part, paths in inputs.items():
            stats = SourceStats()
            records: Iterable[Record] = ()
            if paths:
                records = read_texts(paths, column=column, options=files, stats=stats, max_bytes=LONGEST_LINE)
                records = records if pre_split else warned_of_tokens(records)
            shards = ShardWriter(partial, part, shard_tokens=shard_tokens)
            for sentence in sentences_of(records, normalize, pre_split, max_words):
                shards.add(types.number(sentence, count=part == "train"))
                if progress and shards.n_sentences % 1000 == 0:
                    progress(done + shards.n_tokens)
            done += shards.n_tokens
            stats.warn(f"--{part}")
            info[part] = shards.close() | {"reading": asdict(stats)}
            if paths and not shards.n_tokens:
                raise DataError(f"no words are left of {paths[0]} after the steps {', '.join(normalize)} (--clean)")
        vocab = from_vocab
        if vocab is None:
            vocab = Vocabulary.from_counts(types.counts, min_count=min_count, max_size=max_vocab)
        _finish(partial, types, vocab, info, max_characters)
    return Corpus.open(folder)


def length_percentile(
    paths: Iterable[str | Path],
    percentile: float,
    *,
    column: str | None,
    pre_split: bool,
    normalize: Sequence[str],
    files: FileOptions = AS_FOUND,
) -> int:
    """The number of words that `percentile` per cent of the lines do not exceed; at least 1."""
    unsaid = SourceStats()  # the corpus is made of the same files and reports it
    records = read_texts(expand_paths(paths), column=column, options=files, stats=unsaid, max_bytes=LONGEST_LINE)
    lengths = [len(words) for words in sentences_of(records, normalize, pre_split, LONGEST_LINE)]
    return max(1, int(np.percentile(lengths, percentile, method="inverted_cdf"))) if lengths else 1


def sentences_of(
    records: Iterable[Record], steps: Sequence[str], pre_split: bool, max_words: int
) -> Iterator[list[str]]:
    """The words of records, in pieces of up to `max_words`, after the clean-up `steps`."""
    for record in records:
        if record.words is not None:
            words = iter(normalize_words(record.words, steps))
        else:
            text = normalized(record.text, steps) if steps else record.text
            words = iter(text.split()) if pre_split else iter_words(text)
        while piece := list(islice(words, max_words)):
            yield piece


class _Types:
    """Word types numbered as they come, and how often each is in the training text."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.counts: Counter[str] = Counter()

    def number(self, words: Sequence[str], *, count: bool) -> list[int]:
        if count:
            self.counts.update(words)
        ids = self.ids
        return [ids.setdefault(word, len(ids)) for word in words]


def _finish(partial: Path, types: _Types, vocab: Vocabulary, info: JsonObject, max_characters: int) -> None:
    """Give every type its final id and write all that depends on it; corpus.json comes last."""
    beyond = [word for word in types.ids if word not in vocab or word in MARKERS]  # a literal <S> is no marker
    beyond.sort(key=lambda word: (-types.counts[word], word))  # those of validation have count 0
    later = {word: i for i, word in enumerate(beyond, len(vocab))}
    final = (later[word] if word in later else vocab[word] for word in types.ids)
    ids = np.fromiter(final, dtype=np.int32, count=len(types.ids))
    for part in ("train", "valid"):
        paths = [shard_path(partial, part, i) for i in range(len(info[part]["shard_starts"]))]
        info[part]["n_unknown"] = sum(renumber(path, ids, len(vocab)) for path in paths)
    write_chars(partial / "chars.bin", [*vocab.words, *beyond], max_characters)
    vocab.save(partial / "vocab.txt")
    info |= {"n_types": len(vocab) + len(beyond), "vocab_size": len(vocab)}
    (partial / "corpus.json").write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")


def write_chars(path: Path, words: Sequence[str], max_characters: int) -> None:
    """Write the characters of the types in id order, the three markers first."""
    with open(path, "wb") as file:
        file.write(marker_char_ids(max_characters).tobytes())
        for start in range(len(MARKERS) - 1, len(words), _TYPES_AT_ONCE):
            file.write(char_ids(words[start : start + _TYPES_AT_ONCE], max_characters=max_characters).tobytes())


def _fingerprint(inputs: dict[str, list[Path]], settings: JsonObject) -> str:
    """Digest of what the corpus is made from: the content and kind of every file in order, and the settings."""
    files: dict[str, list[tuple[str, str]]] = {part: [] for part in inputs}
    for part, path in ((part, path) for part, paths in inputs.items() for path in paths):
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        kind = format_of(path).digest or ending(path)  # how it is read: what reads otherwise than before is another
        files[part].append((kind, digest))
    return _digest(json.dumps([FORMAT, files, settings], sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_OWN_FILES = re.compile(r"corpus\.json|vocab\.txt|chars\.bin|(train|valid)-\w+\.bin")


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` at the end, or vanishes when something goes wrong."""
    partial, old = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".old")
    try:
        for path in folder.iterdir() if folder.exists() else ():
            if not _OWN_FILES.fullmatch(path.name):
                raise DataError(f"{folder} is no corpus folder (it holds {path.name}): name another folder")
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
        reason = error.strerror or error
        raise DataError(f"cannot write the corpus {folder}: {reason}; free space or name another folder") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
