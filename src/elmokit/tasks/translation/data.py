"""Pairs of sentences: from parallel files to words, pieces and splits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from elmokit.errors import ConfigError, DataError
from elmokit.tasks.inputs.batches import IGNORED, Batch, RowDataset
from elmokit.tasks.splits import Rows, Split, SplitData, split_up
from elmokit.tasks.translation.config import TranslationConfig
from elmokit.text.files import SourceStats
from elmokit.text.normalize import check_steps, normalize
from elmokit.text.parallel import read_parallel
from elmokit.text.sentence_pieces import END, SentencePieces

log = logging.getLogger(__name__)

Source = str  # "train" or "valid"
SplitWords = Callable[[str], list[str]]


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, as they stand in the files."""

    source: list[str]
    target: list[str]

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class TranslationData(SplitData):
    """What a run trains on and chooses by.

    Attributes:
        pairs: As they stand in the files: train, validation files where there are any, test.
        pieces: Of the target language.
        words: The words of each source sentence, by the files they came from.
        targets: The pieces of each translation, likewise.
        splits: The source of each part and the numbers of its pairs.
        left_out: Training pairs that are too long.
    """

    pairs: dict[Source, Pairs]
    pieces: SentencePieces
    words: dict[Source, list[list[str]]]
    targets: dict[Source, list[list[int]]]
    splits: dict[str, Split]
    left_out: int

    def of(self, split: str, rows: Rows | None = None) -> Pairs:
        """The pairs of a split, or some of them by their places in it."""
        part, chosen = self.splits[split], self.splits[split].rows
        chosen = chosen if rows is None else chosen[rows]
        whole = self.pairs[part.source]
        return Pairs([whole.source[row] for row in chosen], [whole.target[row] for row in chosen])


def read_pairs(
    sources: Sequence[str], targets: Sequence[str], *, flags: tuple[str, str], skip_empty: bool | None = None
) -> Pairs:
    """The pairs of parallel files.

    Args:
        sources, targets, flags: See `read_parallel`.
        skip_empty: Leave out lines that are empty on one side alone; None: there is no such setting.

    Raises:
        DataError: A file cannot be read, they differ in their number of lines, a line is empty on one side alone, or
            there is none.
    """
    found = Pairs([], [])
    skipped = 0
    stats = SourceStats()
    for pair in read_parallel(sources, targets, flags=flags, stats=stats):
        if not pair.source or not pair.target:
            if not skip_empty:
                empty, other = pair.files if not pair.source else pair.files[::-1]
                mended = "" if skip_empty is None else "; --set skip_empty=true leaves such lines out"
                raise DataError(
                    f"{empty} line {pair.line} is empty and {other} line {pair.line} is not: expected a translation "
                    f"for every line ({', '.join(flags)}{mended})"
                )
            skipped += 1
            continue
        found.source.append(pair.source)
        found.target.append(pair.target)
    if not len(found):
        raise DataError(
            f"{', '.join(sources)} and {', '.join(targets)} contain no pairs of sentences ({', '.join(flags)})"
        )
    stats.warn(", ".join(flags))
    if skipped:
        log.warning("%s: %d lines are empty on one side and are left out", flags[0], skipped)
    return found


def load_pairs(config: TranslationConfig, split: SplitWords, pieces: SentencePieces | None = None) -> TranslationData:
    """Read, check, split and number what the config names for training.

    Args:
        config: Settings.
        split: A sentence to its words.
        pieces: Of the target language; without them they are made from the training pairs.

    Raises:
        DataError: See `read_pairs`; or every training pair is too long.
        ConfigError: Validation files of one language alone.
    """
    check_steps(config.clean or [])
    if bool(config.valid_source) != bool(config.valid_target):
        raise ConfigError("--valid-source and --valid-target belong together: give both or none")
    found = {
        name: read_pairs(
            getattr(config, f"{name}_source"),
            getattr(config, f"{name}_target"),
            flags=(f"--{name}-source", f"--{name}-target"),
            skip_empty=config.skip_empty,
        )
        for name in ("train", "valid", "test")
        if name != "valid" or config.valid_source
    }
    learned = {name: pairs for name, pairs in found.items() if name != "test"}
    words = {name: [source_words(text, split, config) for text in pairs.source] for name, pairs in learned.items()}
    splits = split_up(
        {name: len(pairs) for name, pairs in found.items()},
        config,
        few=lambda _, __: (
            "--train-source contains one sentence; give --valid-source and --valid-target, or more of them"
        ),
    )
    rows = splits["train"].rows
    if pieces is None:
        pieces = SentencePieces.trained((found["train"].target[row] for row in rows), n_pieces=config.n_pieces)
    targets = {name: pieces.encode(pairs.target) for name, pairs in learned.items()}
    fitting = _fitting(rows, words["train"], targets["train"], config)
    splits["train"] = Split("train", fitting)
    return TranslationData(found, pieces, words, targets, splits, len(rows) - len(fitting))


def source_words(text: str, split: SplitWords, config: TranslationConfig) -> list[str]:
    """The words of a sentence, cleaned as the biLM's text was; one at least."""
    cleaned = normalize(text, config.clean or [])
    return split(cleaned) or [text]


class PairDataset(RowDataset):
    """Sentences with their translations: the batches of `source`, and `labels` (B, T), -100 behind each end marker."""

    def __init__(self, source: RowDataset, targets: Sequence[Sequence[int]]) -> None:
        super().__init__(source.offsets, rows=source.rows)
        self.source = source
        self.targets = [np.asarray([*pieces, END], dtype=np.int64) for pieces in targets]
        # A batch costs what its longest sentence and its longest translation cost.
        self.lengths = source.lengths + np.array([len(self.targets[row]) for row in self.rows], dtype=np.int64)

    def texts(self, numbers: NDArray[np.int64]) -> Batch:
        """See the class."""
        batch = self.source.texts(numbers)
        rows = [self.targets[number] for number in numbers]
        labels = np.full((len(rows), max(map(len, rows))), IGNORED, dtype=np.int64)
        for padded, row in zip(labels, rows, strict=True):
            padded[: len(row)] = row
        return {**batch, "labels": torch.from_numpy(labels)}


def _fitting(rows: Rows, words: Sequence[list[str]], targets: Sequence[list[int]], config: TranslationConfig) -> Rows:
    """The pairs that are not too long: one cut off would teach the translator to stop in the middle."""
    lengths = np.array([(len(words[row]), len(targets[row])) for row in rows])
    fitting: Rows = rows[(lengths <= (config.max_words, config.max_pieces)).all(axis=1)]
    limits = f"{config.max_words} words or {config.max_pieces} pieces"
    if not len(fitting):
        raise DataError(f"every training pair is longer than {limits} (--max-words, --set max_pieces)")
    if len(fitting) < len(rows):
        log.warning(
            "%d training pairs are longer than %s and are left out (--max-words, --set max_pieces)",
            len(rows) - len(fitting),
            limits,
        )
    return fitting
