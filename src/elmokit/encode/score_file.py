"""The surprisal of every word of a text, written as a table while the text is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from elmokit.encode.batching import word_windows
from elmokit.encode.encoder import Encoder
from elmokit.encode.language_model import Score
from elmokit.errors import DataError
from elmokit.machine import return_freed_memory
from elmokit.progress import rate_bar
from elmokit.text.columns import Column
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.formats import Kind, has_ids
from elmokit.text.readers import read_records, refuse_unread_options
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.text.row_files import check_row_file, writing_rows
from elmokit.text.tokenized_text import warned_of_tokens
from elmokit.text.word_offsets import joined_offsets, word_offsets
from elmokit.text.words import Span

COLUMNS: dict[str, Kind] = {
    "sentence": "whole",
    "position": "whole",
    "word": "text",
    "start": "whole",
    "end": "whole",
    "known": "truth",
    "forward": "number",
    "backward": "number",
    "both": "number",
}
_ID: dict[str, Kind] = {"id": "text"}
_WINDOW_SENTENCES, _WINDOW_WORDS = 1024, 1 << 14
_DIGITS = 6


@dataclass(frozen=True)
class ScoreSettings:
    """What is scored.

    Attributes:
        source: Files or globs of any format of `text.readers`.
        output: The file; its ending chooses the format (`text.row_files`).
        column: Where the text is in tables and JSON.
        files: How the files are written, where that does not show.
        pre_split: Words are separated by spaces; None: as in pretraining.
        threads: CPU threads; None: as they are.
    """

    source: str
    output: Path
    column: str | None = None
    files: FileOptions = AS_FOUND
    pre_split: bool | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Scored:
    """What was written."""

    sentences: int
    words: int
    unknown: int
    seconds: float


class _Sentence(NamedTuple):
    number: int
    words: list[str]
    spans: list[Span | None]
    id: str | None


def score_file(encoder: Encoder, settings: ScoreSettings, *, overwrite: bool = False, progress: bool = True) -> Scored:
    """Write a row for each word: the number of its sentence and its own, from 0, the word, where it begins and ends in
    its text, whether the vocabulary has it, and its surprisal in bits: forward, backward, and the mean of the two.
    Where sentences have ids, the last column is `id`.

    The n-th sentence is the n-th text, blank ones counted. Memory does not grow with the text.

    Raises:
        ConfigError: `output` exists or has an unknown ending.
        DataError: The input cannot be read or contains no words.
        ModelError: The model has no language-model head.
    """
    began = time.perf_counter()
    check_row_file(settings.output, overwrite=overwrite)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    pre_split = encoder.preprocessing.pre_split if settings.pre_split is None else settings.pre_split
    refuse_unread_options(settings.files, pretokenized=pre_split)
    encoder.score([])  # is there a language model?
    stats = SourceStats()
    sentences = total = unknown = 0
    for sentence in _sentences(encoder, settings, stats, pre_split=pre_split, first=True):
        sentences, total = sentence.number + 1, total + len(sentence.words)
    if not total:
        raise DataError(f"{settings.source} contains no text: no word was found in {stats.lines:,} lines")
    stats.warn()
    columns = COLUMNS | _ID if has_ids(expand_paths(settings.source)) else COLUMNS
    again = _sentences(encoder, settings, SourceStats(), pre_split=pre_split, first=False)
    with (
        writing_rows(settings.output, columns) as write,
        rate_bar("scoring", total, unit="words", show=progress) as advance,
    ):
        for window in word_windows(
            again, words=lambda each: len(each.words), most_sentences=_WINDOW_SENTENCES, most_words=_WINDOW_WORDS
        ):
            scores = encoder.score([sentence.words for sentence in window], is_split_into_words=True)
            for sentence, score in zip(window, scores, strict=True):
                for row in _rows(sentence, score):
                    write([*row, sentence.id][: len(columns)])
                unknown += len(score.words) - int(score.known.sum())
            advance(sum(len(sentence.words) for sentence in window))
            return_freed_memory()
    return Scored(sentences, total, unknown, time.perf_counter() - began)


def _sentences(
    encoder: Encoder, settings: ScoreSettings, stats: SourceStats, *, pre_split: bool, first: bool
) -> Iterator[_Sentence]:
    """The texts of the input; what is to be said of them is said when they are read `first`, and no offsets then."""
    records = read_records(
        settings.source, columns=[Column(asked=settings.column)], options=settings.files, stats=stats
    )
    if first and not pre_split:
        records = warned_of_tokens(records)
    for number, record in enumerate(records):
        if (words := record.words) is not None:
            yield _Sentence(number, words, [] if first else joined_offsets(words), record.id)
        else:
            words = encoder.words(record.text, pre_split=pre_split)
            spans = [] if first else word_offsets(record.text, words, pre_split=pre_split)
            yield _Sentence(number, words, spans, record.id)


def _rows(sentence: _Sentence, score: Score) -> Iterator[list[object]]:
    columns = (score.known, score.forward.round(_DIGITS), score.backward.round(_DIGITS), score.mean.round(_DIGITS))
    cells = zip(sentence.words, sentence.spans, *(column.tolist() for column in columns), strict=True)
    for position, (word, span, *figures) in enumerate(cells):
        yield [sentence.number, position, word, *(span or (None, None)), *figures]
