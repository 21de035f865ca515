"""`elmo prepare`: text to a corpus folder that `elmo pretrain --corpus` trains on.

corpus.json          what it is made of, counts, sums; written last
vocab.txt, chars.bin as in corpus.py
train/, valid/       a shard for each part, and the manifest
work/                what the passes hand to one another; removed at the end
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError, DataError
from elmokit.parts.engines import Engine
from elmokit.parts.folder import PartFiles, PartFolder
from elmokit.parts.lock import locked
from elmokit.parts.run import run_parts
from elmokit.parts.work import Work
from elmokit.places import Place
from elmokit.pretrain.corpus import SHARDED_FORMAT, write_chars
from elmokit.pretrain.prepare.counting import (
    BUCKETS,
    COUNT_FILES,
    CountWords,
    MergeBucket,
    bucket_words,
    count_histogram,
    types_above,
)
from elmokit.pretrain.prepare.sharding import SHARD_FILES, NumberWords
from elmokit.pretrain.prepare.text import TextSettings
from elmokit.pretrain.prepare.type_index import write_index
from elmokit.pretrain.shard_files import shard_sum
from elmokit.text.normalize import check_steps
from elmokit.text.ranges import Range, cut, places_of, warn_of_tokens
from elmokit.text.readers import refuse_unread_options
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.words import SPLITTER_VERSION
from elmokit.whole_files import JsonObject

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareSettings:
    """What a corpus is made of.

    Attributes:
        train, valid: Files, globs or addresses.
        text: How text becomes sentences.
        min_count, max_vocab: Of the words that are predicted.
        max_types: Rarer words beyond this many have no characters of their own either: they are read as `<UNK>`.
        max_characters: Of a word.
        part_words: Words of a shard, about.
    """

    train: tuple[str, ...]
    valid: str | None = None
    text: TextSettings = field(default_factory=TextSettings)
    min_count: int = 3
    max_vocab: int | None = 50_000
    max_types: int = 4_000_000
    max_characters: int = 50
    part_words: int = 1_000_000


def prepare_corpus_folder(
    settings: PrepareSettings, output: str, engine: Engine, *, overwrite: bool = False, progress: bool = True
) -> JsonObject:
    """Make the corpus, or finish one that was interrupted; returns what `corpus.json` says.

    Raises:
        ConfigError: The folder is that of other settings, or another process writes to it.
        DataError: The input cannot be read or contains no words, or the disk is full; what is done is kept.
    """
    check_steps(settings.text.normalize)
    refuse_unread_options(settings.text.files, pretokenized=settings.text.pre_split)
    place = Place(output.rstrip("/"))
    try:
        with locked(place / "_lock"):
            return _Preparation(settings, place, engine, overwrite=overwrite, progress=progress).run()
    except OSError as error:
        raise DataError(f"cannot write to {output}: {error.strerror or error}; what is done is kept") from error


class _Preparation:
    def __init__(
        self, settings: PrepareSettings, place: Place, engine: Engine, *, overwrite: bool, progress: bool
    ) -> None:
        self.settings, self.place, self.engine = settings, place, engine
        self.overwrite, self.progress = overwrite, progress
        valid = [] if settings.valid is None else places_of(settings.valid)
        inputs = {"train": places_of(settings.train), "valid": valid}
        if not settings.text.pre_split:
            warn_of_tokens(inputs["train"][0], column=settings.text.column, options=settings.text.files)
        self.inputs = inputs
        self.identity = json.loads(
            json.dumps(
                {
                    **asdict(settings),
                    "text": settings.text.as_dict(),
                    "splitter": SPLITTER_VERSION,
                    "versions": {part: [file.version() for file in files] for part, files in inputs.items()},
                }
            )
        )

    def run(self) -> JsonObject:
        names = self.place.names()
        if foreign := sorted(set(names) - _OWN - {"_lock"}):
            raise ConfigError(f"{self.place} holds {foreign[0]}, which is no part of a corpus: name another folder")
        if self.overwrite:
            for name in sorted(set(names) & _OWN, reverse=True):
                (self.place / name).remove()
        elif "corpus.json" in names:
            info: JsonObject = json.loads((self.place / "corpus.json").read_bytes())
            if info.get("identity") != self.identity:
                raise ConfigError(f"{self.place} is a corpus of other text or settings: --overwrite replaces it")
            log.info("the corpus in %s is finished: nothing to do", self.place)
            return info
        counted = {}
        for part in self._parts():
            name = f"work/{part}-counts"
            counting = CountWords(self.settings.text, (self.place / name).address)
            counted[part] = self._pass(name, part, COUNT_FILES, counting)
        for part, folder in counted.items():
            if not folder.counts[:, 1].any():
                steps = ", ".join(self.settings.text.normalize) or "none"
                raise DataError(f"no words are in {self.inputs[part][0]} after the clean-up steps ({steps})")
        merged = {}
        for part in counted:
            source, merged[part] = self.place / f"work/{part}-counts", self.place / f"work/{part}-types"
            buckets = [Range(source.address, "rows", number, number + 1) for number in range(BUCKETS)]
            merging = MergeBucket(source.address, merged[part].address)
            self._run(f"work/{part}-types", COUNT_FILES, merging, partial(iter, buckets), "merging")
        about = self._number_types(merged)
        sizes = {}
        index = (self.place / "work/index").address
        for part in self._parts():
            work = NumberWords(self.settings.text, (self.place / part).address, index, len(MARKERS))
            sizes[part] = self._pass(part, part, SHARD_FILES, work)
        return self._finish(about, sizes)

    def _parts(self) -> list[str]:
        return [part for part, files in self.inputs.items() if files]

    def _pass(self, name: str, part: str, files: PartFiles, work: Work) -> PartFolder:
        def ranges() -> Iterable[Range]:
            return (
                piece
                for file in self.inputs[part]
                for piece in cut(file, words=self.settings.part_words, options=self.settings.text.files)
            )

        what = {"train": "training text", "valid": "held-out text"}[part]
        return self._run(name, files, work, ranges, f"{'counting' if files is COUNT_FILES else 'numbering'} {what}")

    def _run(
        self, name: str, files: PartFiles, work: Work, ranges: Callable[[], Iterable[Range]], what: str
    ) -> PartFolder:
        folder = PartFolder(self.place / name, files)
        folder.open({"corpus": self.identity}, ranges, notes={}, overwrite=False)
        run_parts(folder, self.engine, work, what=what, progress=self.progress)
        folder.finish()
        return folder

    def _number_types(self, merged: dict[str, Place]) -> JsonObject:
        """Give the types their ids: the vocabulary, the rest of the training text, what only the held-out text has."""
        settings = self.settings
        words, counts, pruned = _kept_types(merged["train"], settings.max_types)
        enough = int((counts >= settings.min_count).sum())
        vocab = Vocabulary.from_counts(
            dict(zip(words[:enough], counts[:enough].tolist(), strict=True)),
            min_count=settings.min_count,
            max_size=settings.max_vocab,
        )
        in_vocab = len(vocab) - len(MARKERS)
        beyond = [word for word in words if word not in MARKERS][in_vocab:]
        if literal := [word for word in words if word in MARKERS]:  # is no marker, however frequent
            known = dict(zip(words, counts.tolist(), strict=True))
            beyond = sorted([*beyond, *literal], key=lambda word: (-known[word], word))
        if "valid" in merged:  # words that only the held-out text has, in order, as far as there is room
            new: list[str] = []
            for held_out, training in zip(bucket_words(merged["valid"]), bucket_words(merged["train"]), strict=True):
                known_here = set(training)
                new += [word for word in held_out if word not in known_here]
            beyond += sorted(new)[: max(0, settings.max_types - in_vocab - len(beyond))]
        types = [*vocab.words[len(MARKERS) :], *beyond]
        with TemporaryDirectory() as folder:
            write_index(Path(folder), types, len(MARKERS))
            for file in Path(folder).iterdir():
                (self.place / "work/index" / file.name).put(file)
        with (self.place / "chars.bin").written() as path:
            write_chars(path, [*MARKERS, *types], settings.max_characters)
        with (self.place / "vocab.txt").written() as path:
            vocab.save(path)
        return {"n_types": len(types) + len(MARKERS), "vocab_size": len(vocab), "pruned": pruned}

    def _finish(self, about: JsonObject, sizes: dict[str, PartFolder]) -> JsonObject:
        digest = hashlib.sha256((self.place / "vocab.txt").read_bytes())
        parts: JsonObject = {}
        for part, folder in sizes.items():
            for number in range(len(folder.done)):
                digest.update(shard_sum(folder.place / SHARD_FILES.name(number)))
            parts[part] = {
                "n_sentences": int(folder.counts[:, 0].sum()),
                "n_tokens": int(folder.counts[:, 1].sum()),
                "shards": folder.counts[:, :2].tolist(),
            }
        info = {
            "format": SHARDED_FORMAT,
            "fingerprint": digest.hexdigest(),
            "identity": self.identity,
            "settings": {**asdict(self.settings.text), "max_characters": self.settings.max_characters},
            **about,
            **parts,
        }
        content = json.dumps(info)
        (self.place / "corpus.json").write_bytes(f"{content}\n".encode())
        (self.place / "work").remove()
        return dict(json.loads(content))


_OWN = {"corpus.json", "vocab.txt", "chars.bin", "train", "valid", "work"}


def _kept_types(folder: Place, most: int) -> tuple[list[str], NDArray[np.int64], dict[str, int]]:
    """Not more than `most` words and their counts, by falling count, equal ones by word; and what is left out.

    That is how many types, how many words in them, of how many in all, and the count `below` which they lie.
    """
    import pyarrow as pa

    histogram = count_histogram(folder)
    kept, least = 0, 1
    for count in sorted(histogram, reverse=True):
        if kept + histogram[count] > most:
            least = count + 1
            break
        kept += histogram[count]
    rare = [(count, types) for count, types in histogram.items() if count < least]
    pruned = {
        "types": sum(types for _, types in rare),
        "words": sum(count * types for count, types in rare),
        "of": sum(count * types for count, types in histogram.items()),
        "below": least,
    }
    if rare:
        log.warning(
            "%s rare types (%s words, %.3f %% of the text) are read as <UNK>: --max-types is %s, words seen fewer "
            "than %d times are left out",
            f"{pruned['types']:,}",
            f"{pruned['words']:,}",
            100 * pruned["words"] / pruned["of"],
            f"{most:,}",
            least,
        )
    tables = [pa.table({"word": pa.array(words, pa.string()), "count": n}) for words, n in types_above(folder, least)]
    table = pa.concat_tables(tables).sort_by([("count", "descending"), ("word", "ascending")])
    return table["word"].to_pylist(), np.asarray(table["count"]), pruned
