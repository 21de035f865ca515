"""Tagged sentences: from files of the CoNLL shared tasks to words, tag numbers and splits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.schemes import converted, spans_of, tag_set
from elmokit.text.conll import PlacedSentence, read_placed
from elmokit.text.files import SourceStats

log = logging.getLogger(__name__)

Source = str  # "train", "valid" or "test"


@dataclass(frozen=True)
class TaggedSentences:
    """Sentences of one source: words and their tags, in the scheme that is learnt."""

    words: list[list[str]]
    tags: list[list[str]]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class TaggingData:
    """Everything a run reads.

    Attributes:
        tags: The tags that are learnt, `O` first; a class is a number of theirs.
        sources: Sentences by the files they came from.
        splits: The source of a split and the numbers of its sentences in it.
    """

    tags: list[str]
    sources: dict[Source, TaggedSentences]
    splits: dict[str, tuple[Source, NDArray[np.int64]]] = field(default_factory=dict)

    def classes(self, source: Source) -> NDArray[np.int64]:
        """(words of all sentences,) the class of each word."""
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        return np.array([numbers[tag] for tags in self.sources[source].tags for tag in tags], dtype=np.int64)

    def gold(self, split: str) -> list[list[str]]:
        """The tags of a split's sentences."""
        source, rows = self.splits[split]
        return [self.sources[source].tags[row] for row in rows]

    def words(self, split: str) -> list[list[str]]:
        """The words of a split's sentences."""
        source, rows = self.splits[split]
        return [self.sources[source].words[row] for row in rows]


def load_tagged(config: TagConfig) -> TaggingData:
    """Read, check and split what the config names.

    Raises:
        DataError: A file cannot be read, a tag is of no known scheme, there are no spans to learn, or another file has
            a label that the training files lack.
    """
    sources = {
        name: read_tagged(getattr(config, name), config, flag=name)
        for name in ("train", "valid", "test")
        if getattr(config, name)
    }
    labels = sorted({span.label for tags in sources["train"].tags for span in spans_of(tags)})
    if not labels:
        raise DataError(f"{', '.join(config.train)} tags nothing but O: is --tag-column the right one?")
    for name, sentences in sources.items():
        _refuse_unseen(name, sentences, labels)
    return TaggingData(tag_set(labels, config.scheme), sources, _splits(sources, config))


def read_tagged(files: Sequence[str], config: TagConfig, *, flag: str) -> TaggedSentences:
    """The sentences of CoNLL files, tags converted to `config.scheme`, long ones in pieces.

    Raises:
        DataError: A file cannot be read, a column is missing, or a tag is of no known scheme; with file and line.
    """
    stats = SourceStats()
    words: list[list[str]] = []
    tags: list[list[str]] = []
    cut = 0
    for sentence in read_placed(files, stats=stats):
        own = _column(sentence, config.word_column, "--word-column")
        raw = _column(sentence, config.tag_column, "--tag-column")
        try:
            spans_of(raw)
        except DataError as error:
            raise DataError(f"{sentence.path}, sentence at line {sentence.line}: {error} (--tag-column)") from error
        cut += len(own) > config.max_words
        for start in range(0, len(own), config.max_words):
            words.append(own[start : start + config.max_words])
            tags.append(converted(raw[start : start + config.max_words], config.scheme))
    if not words:
        raise DataError(f"{', '.join(files)} holds no sentences (--{flag})")
    if cut:
        log.warning("%s: %d sentences are longer than %d words and are read in pieces", flag, cut, config.max_words)
    return TaggedSentences(words, tags)


def _column(sentence: PlacedSentence, number: int, flag: str) -> list[str]:
    columns = len(sentence.rows[0])
    place = number - 1 if number > 0 else columns + number
    if number == 0 or not 0 <= place < columns:
        raise DataError(f"{sentence.path} has {columns} columns, no column {number} ({flag})")
    return [row[place] for row in sentence.rows]


def _refuse_unseen(source: Source, sentences: TaggedSentences, labels: Sequence[str]) -> None:
    found = Counter(span.label for tags in sentences.tags for span in spans_of(tags))
    unseen = {label: count for label, count in found.items() if label not in labels}
    if unseen:
        label, count = next(iter(unseen.items()))
        raise DataError(
            f"--{source} has the label {label!r} ({count} spans), which the training files lack; "
            f"they have {', '.join(labels[:8])}"
        )


def _splits(sources: dict[Source, TaggedSentences], config: TagConfig) -> dict[str, tuple[Source, NDArray[np.int64]]]:
    random = np.random.default_rng([config.seed, 1])
    train = np.arange(len(sources["train"]))
    if "valid" in sources:
        validation = ("valid", np.arange(len(sources["valid"])))
    else:
        if len(train) < 2:
            raise DataError("--train holds one sentence; give --valid or more of them")
        order = random.permutation(train)
        count = min(max(1, round(len(order) * config.valid_fraction)), len(order) - 1)
        validation, train = ("train", np.sort(order[:count])), np.sort(order[count:])
    if config.train_fraction < 1.0:
        kept = np.random.default_rng([config.seed, 2]).permutation(train)
        train = np.sort(kept[: max(1, round(len(kept) * config.train_fraction))])
    return {
        "train": ("train", train), "validation": validation, "test": ("test", np.arange(len(sources["test"]))),
    }  # fmt: skip
