"""Tagged sentences: from files of the CoNLL shared tasks and of CoNLL-U to words, tag numbers and splits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.splits import Split, SplitData, split_up
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.file_schemes import SchemesMet, with_letters
from elmokit.tasks.tagging.schemes import Span, converted, is_tag, spans_of, tag_set
from elmokit.text.conll import read_placed
from elmokit.text.files import SourceStats
from elmokit.text.word_columns import PlacedSentence

log = logging.getLogger(__name__)

Source = str  # "train", "valid" or "test"


@dataclass(frozen=True)
class TaggedSentences:
    """Sentences of one source: words, tags as they are learned, file and line of each word, its document."""

    words: list[list[str]]
    tags: list[list[str]]
    places: list[tuple[Path, list[int]]]
    documents: list[int]
    plain: bool

    def __len__(self) -> int:
        return len(self.words)

    def labelled(self) -> Iterator[tuple[str, str]]:
        """The label of each span, or of each word where tags are plain, and the place where it stands."""
        for tags, (path, lines) in zip(self.tags, self.places, strict=True):
            for start, _, label in labels_of(tags, plain=self.plain):
                yield label, f"{path} line {lines[start]}"


@dataclass(frozen=True)
class TaggingData(SplitData):
    """Everything a run reads.

    Attributes:
        tags: The tags that are learned, of spans `O` first; a class is a number of theirs.
        unseen: Tags that only other files than those of train have; they are scored, and never predicted.
        labels: What the tags say, without letters of schemes.
        sources: Sentences by the files they came from.
        splits: The source of a split and the numbers of its sentences in it.
    """

    tags: list[str]
    unseen: list[str]
    labels: list[str]
    sources: dict[Source, TaggedSentences]
    splits: dict[str, Split] = field(default_factory=dict)

    def classes(self, tags: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """(words of all sentences,) the class of each word; those of `unseen` tags come behind the others."""
        numbers = {tag: number for number, tag in enumerate([*self.tags, *self.unseen])}
        return np.array([numbers[tag] for row in tags for tag in row], dtype=np.int64)

    def words(self, split: str) -> list[list[str]]:
        """The words of a split's sentences."""
        part = self.splits[split]
        return [self.sources[part.source].words[row] for row in part.rows]


def load_tagged(config: TagConfig) -> TaggingData:
    """Read, check and split what the config names.

    Raises:
        DataError: A file cannot be read, a tag is of no known scheme, there is nothing to learn, or all labels of
            another file are ones that the training files lack.
    """
    sources = {
        name: read_tagged(getattr(config, name), config, flag=name)
        for name in ("train", "valid", "test")
        if getattr(config, name)
    }
    labels = sorted({label for label, _ in sources["train"].labelled()})
    if not labels:
        raise DataError(f"{', '.join(config.train)} tags only O: is --tag-column the right one?")
    if config.plain and len(labels) == 1:
        path, (line, *_) = sources["train"].places[0]
        raise DataError(f"{path} line {line}: the tag of every word is {labels[0]!r}; two are needed (--tag-column)")
    unseen: set[str] = set()
    for name, sentences in sources.items():
        unseen |= unseen_labels(sentences, labels, flag=name, lack="the training files lack")
    kind = "document (they begin at lines of -DOCSTART-)" if config.context_words else "sentence"
    splits = split_up(
        {name: len(sentences) for name, sentences in sources.items()},
        config,
        units=np.asarray(sources["train"].documents) if config.context_words else None,
        few=lambda _, __: f"--train contains one {kind}; give --valid or more of them",
    )
    if config.plain:
        return TaggingData(labels, sorted(unseen), labels, sources, splits)
    others = tag_set(sorted(unseen), config.scheme)[1:]
    return TaggingData(tag_set(labels, config.scheme), others, labels, sources, splits)


def labels_of(tags: Sequence[str], *, plain: bool) -> list[Span]:
    """The spans of a sentence's tags; where these are plain, every word is one."""
    return [Span(place, place + 1, tag) for place, tag in enumerate(tags)] if plain else spans_of(tags)


def read_tagged(files: Sequence[str], config: TagConfig, *, flag: str) -> TaggedSentences:
    """The sentences of CoNLL files, or of rows with lists of words and tags; tags of spans become `config.scheme`.

    Sentences in another scheme than most of their file, and tags that break every scheme, are counted in a warning.

    Raises:
        DataError: A file cannot be read, a column or a word is missing, a tag is of no known scheme, or no sentence has
            the scheme that was asked for; with file and line.
    """
    found = TaggedSentences([], [], [], [], config.plain)
    met: dict[Path, SchemesMet] = {}
    stats = SourceStats()
    scheme = None if config.file_scheme == "plain" else config.file_scheme
    for sentence in read_placed(files, stats=stats):
        words = words_of(sentence, config)
        if config.tag_column is None and sentence.is_conllu:
            raise DataError(
                f"{sentence.path} line {sentence.line} is CoNLL-U with the columns {', '.join(sentence.names)}: say "
                "which one is learned, as with --tag-column UPOS"
            )
        tags = sentence.column(-1 if config.tag_column is None else config.tag_column, "--tag-column")
        if not config.plain:
            tags = _span_tags(sentence, tags, config, met.setdefault(sentence.path, SchemesMet(flag, scheme)))
        found.words.append(words)
        found.tags.append(tags)
        found.places.append((sentence.path, sentence.lines))
        found.documents.append(sentence.document)
    if not len(found):
        raise DataError(f"{', '.join(files)} contains no sentences (--{flag})")
    if isinstance(config.tag_column, str) and all(tag == "_" for tags in found.tags for tag in tags):
        path, (line, *_) = found.places[0]
        raise DataError(
            f"{path} line {line}: the column {config.tag_column} has no value but _ in all words (--tag-column)"
        )
    stats.warn(flag)
    for schemes in met.values():
        schemes.report()
    return found


def unseen_labels(sentences: TaggedSentences, labels: Collection[str], *, flag: str, lack: str) -> set[str]:
    """The labels that are none of `labels`. They are counted in a warning: what has them is scored as wrong.

    Raises:
        DataError: There are no others; with the line of the first one.
    """
    counts: Counter[str] = Counter()
    first = ""
    known = False
    for label, place in sentences.labelled():
        known = known or label in labels
        if label not in labels:
            first = first or f"{place}: the label {label!r}"
            counts[label] += 1
    expected = ", ".join(sorted(labels)[:8])
    if counts and not known:
        raise DataError(f"{first}, which {lack} (--{flag}); expected {expected}")
    if counts:
        shown = ", ".join(f"{label} ({count})" for label, count in counts.most_common(8))
        log.warning(
            "%s: %d %s have labels that %s, and count as wrong: %s%s; %s",
            flag,
            counts.total(),
            "words" if sentences.plain else "spans",
            lack,
            shown,
            " …" if len(counts) > 8 else "",
            first,
        )
    return set(counts)


def words_of(sentence: PlacedSentence, config: TagConfig) -> list[str]:
    """The words of a sentence, from the column that the settings name, or the usual one.

    Raises:
        DataError: There is no such column, or a word is missing.
    """
    usual: int | str = "FORM" if sentence.is_conllu else 1
    column = usual if config.word_column is None else config.word_column
    words = sentence.column(column, "--word-column")
    if "" in words:
        line = sentence.lines[words.index("")]
        raise DataError(f"{sentence.path} line {line}: column {column} has no word (--word-column)")
    return words


def _span_tags(sentence: PlacedSentence, raw: list[str], config: TagConfig, met: SchemesMet) -> list[str]:
    """Tags in the scheme that is learned."""
    tags = with_letters(raw) if config.file_scheme == "IO" else raw
    try:
        met.add(tags, f"{sentence.path} line {sentence.line}")
        return converted(tags, config.scheme)
    except DataError as error:
        place = next(line for line, tag in zip(sentence.lines, tags, strict=True) if not is_tag(tag))
        raise DataError(
            f"{sentence.path} line {place}: {error} (--tag-column); --file-scheme plain takes tags that are no spans, "
            "such as parts of speech, and IO labels without letters"
        ) from error
