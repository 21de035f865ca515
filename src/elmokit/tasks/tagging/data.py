"""Tagged sentences: from files of the CoNLL shared tasks to words, tag numbers and splits."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.splits import Split, hold_out, sample
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.schemes import converted, scheme_of, spans_of, tag_set
from elmokit.text.conll import PlacedSentence, read_placed
from elmokit.text.files import SourceStats

log = logging.getLogger(__name__)

Source = str  # "train", "valid" or "test"


@dataclass(frozen=True)
class TaggedSentences:
    """Sentences of one source: words, tags in the scheme that is learnt, file and line, its document."""

    words: list[list[str]]
    tags: list[list[str]]
    places: list[tuple[Path, int]]
    documents: list[int]

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
    splits: dict[str, Split] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Sentences of each split."""
        return {name: len(part.rows) for name, part in self.splits.items()}

    def classes(self, tags: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """(words of all sentences,) the class of each word."""
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        return np.array([numbers[tag] for row in tags for tag in row], dtype=np.int64)

    def gold(self, split: str) -> list[list[str]]:
        """The tags of a split's sentences."""
        part = self.splits[split]
        return [self.sources[part.source].tags[row] for row in part.rows]

    def words(self, split: str) -> list[list[str]]:
        """The words of a split's sentences."""
        part = self.splits[split]
        return [self.sources[part.source].words[row] for row in part.rows]


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
        raise DataError(f"{', '.join(config.train)} tags only O: is --tag-column the right one?")
    for name, sentences in sources.items():
        refuse_unseen(sentences, labels, flag=name, lack="the training files lack")
    return TaggingData(tag_set(labels, config.scheme), sources, _splits(sources, config))


def read_tagged(files: Sequence[str], config: TagConfig, *, flag: str) -> TaggedSentences:
    """The sentences of CoNLL files, tags converted to `config.scheme`. Tags that break every scheme are counted.

    Raises:
        DataError: A file cannot be read, a column or a word is missing, or a tag is of no known scheme; with file and
            line.
    """
    found = TaggedSentences([], [], [], [])
    broken: list[str] = []
    stats = SourceStats()
    for sentence in read_placed(files, stats=stats):
        raw = _column(sentence, config.tag_column, "--tag-column")
        try:
            if scheme_of(raw) is None:
                broken.append(f"{sentence.path} line {sentence.line}")
            tags = converted(raw, config.scheme)
        except DataError as error:
            raise DataError(f"{_place_of_trouble(sentence, raw)}: {error} (--tag-column)") from error
        words = _column(sentence, config.word_column, "--word-column")
        if "" in words:
            place = sentence.line + words.index("")
            raise DataError(f"{sentence.path} line {place}: column {config.word_column} has no word (--word-column)")
        found.words.append(words)
        found.tags.append(tags)
        found.places.append((sentence.path, sentence.line))
        found.documents.append(sentence.document)
    if not len(found):
        raise DataError(f"{', '.join(files)} contains no sentences (--{flag})")
    for trouble, count in stats.damage().items():
        log.warning("%s: %d %s", flag, count, trouble)
    if broken:
        log.warning(
            "%s: the tags of %d sentences, the first at %s, fit none of IOB1, BIO and BIOES; a tag that does not "
            "continue the span before it begins a new one, as for conlleval", flag, len(broken), broken[0],
        )  # fmt: skip
    return found


def refuse_unseen(sentences: TaggedSentences, labels: Collection[str], *, flag: str, lack: str) -> None:
    """Raise `DataError` for a label that is none of `labels`, with the line in which it stands first."""
    for tags, (path, line) in zip(sentences.tags, sentences.places, strict=True):
        unseen = next((span for span in spans_of(tags) if span.label not in labels), None)
        if unseen is not None:
            known = ", ".join(sorted(labels)[:8])
            raise DataError(
                f"{path} line {line + unseen.start}: the label {unseen.label!r}, which {lack} (--{flag}); "
                f"expected {known}"
            )


def _column(sentence: PlacedSentence, number: int, flag: str) -> list[str]:
    columns = len(sentence.rows[0])
    place = number - 1 if number > 0 else columns + number
    if number == 0 or not 0 <= place < columns:
        raise DataError(f"{sentence.path} line {sentence.line} has {columns} columns, no column {number} ({flag})")
    return [row[place] for row in sentence.rows]


def _place_of_trouble(sentence: PlacedSentence, tags: Sequence[str]) -> str:
    """File and line of the first tag that is of no scheme."""
    for offset, tag in enumerate(tags):
        try:
            spans_of([tag])
        except DataError:
            return f"{sentence.path} line {sentence.line + offset}"
    return f"{sentence.path}, sentence at line {sentence.line}"


def _splits(sources: dict[Source, TaggedSentences], config: TagConfig) -> dict[str, Split]:
    """By sentences, or where the biLM reads documents, by these."""
    documents = sources["train"].documents
    units = np.asarray(documents) if config.context_words else np.arange(len(sources["train"]))
    train = np.arange(len(units))
    if "valid" in sources:
        validation = Split("valid", np.arange(len(sources["valid"])))
    else:
        kind = "document (they begin at lines of -DOCSTART-)" if config.context_words else "sentence"
        train, held_out = hold_out(
            units, fraction=config.valid_fraction, seed=config.seed,
            few=lambda _, __: f"--train contains one {kind}; give --valid or more of them",
        )  # fmt: skip
        validation = Split("train", held_out)
    train = sample(units, train, fraction=config.train_fraction, seed=config.seed)
    return {
        "train": Split("train", train),
        "validation": validation,
        "test": Split("test", np.arange(len(sources["test"]))),
    }
