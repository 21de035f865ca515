"""Pairs of texts from files, and labels or numbers for new ones, from a folder that `elmo train pairs` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.nn.heads.text_pairs import TextPairsNetwork
from elmokit.tasks.config import Target
from elmokit.tasks.inputs.batches import Batch, BatchDataset, CharDataset, RowDataset
from elmokit.tasks.inputs.numbers import numbers_of
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.metrics import line_of_numbers, target_scores
from elmokit.tasks.trained import (
    UNKNOWN_TRAINING,
    CutWarning,
    Tokenizer,
    TrainedOn,
    load_head,
    logits_of,
    steps_of,
    word_splitter,
)
from elmokit.text.columns import ID_NAMES, LABEL_NAMES, Column
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.formats import PLAIN, format_of, reader_of
from elmokit.text.given import given_pairs
from elmokit.text.normalize import normalize
from elmokit.text.records import Record, Source
from elmokit.text.tables import read_tsv
from elmokit.whole_files import JsonObject

FIRST_NAMES = tuple((name,) for name in ("first", "premise", "sentence_A", "sentence1", "text1", "question1", "text_a"))
SECOND_NAMES = tuple(
    (name,) for name in ("second", "hypothesis", "sentence_B", "sentence2", "text2", "question2", "text_b")
)
TARGET_NAMES = {
    "label": (*LABEL_NAMES, ("entailment_judgment",)),
    "number": (("score",), ("relatedness_score",), ("similarity",), *LABEL_NAMES),
}
_ID = Column("id", "", None, ID_NAMES, holds_words=False, optional=True)
COLUMNS = ("first_column", "second_column", "label_column")


@dataclass(frozen=True)
class Pairs:
    """Two texts in each row, the label as in the file with its place, and the file's id or else the place.

    `records` are the rows themselves, where they are asked for.
    """

    first: list[str]
    second: list[str]
    labels: list[str]
    places: list[str]
    ids: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.first)

    def placed(self) -> Iterator[tuple[str, str]]:
        """Each label with its place."""
        return zip(self.labels, self.places, strict=True)


def read_pairs(
    files: Sequence[str | Path],
    *,
    flag: str,
    target: str | None,
    first_column: str | None = None,
    second_column: str | None = None,
    label_column: str | None = None,
    whole_rows: bool = False,
) -> Pairs:
    """The pairs of tables or JSON lines; a plain text file is a table with tabs.

    Args:
        files: Names or globs.
        flag: The option that named them, for errors.
        target: What rows have in addition to the texts, a `label` or a `number`; None: that is not looked at.
        first_column, second_column, label_column: Where they stand; without them, under a well-known name.
        whole_rows: Keep the records, with all columns of their rows.

    Raises:
        DataError: A file cannot be read, or a row lacks a text or a label; with file and line.
    """
    columns = [
        Column("first", "--first-column", first_column, FIRST_NAMES, "1", holds_words=False),
        Column("second", "--second-column", second_column, SECOND_NAMES, "2", holds_words=False),
    ]
    if target is not None:
        known = TARGET_NAMES[target]
        columns.append(Column("label", "--label-column", label_column, known, "3", kind="label", holds_words=False))
    found = Pairs([], [], [], [])
    stats = SourceStats()
    for path in expand_paths(files):
        read = reader_of(path) if format_of(path) is not PLAIN else read_tsv
        for record in read(Source(path, [*columns, _ID], stats=stats, whole_rows=whole_rows)):
            cells = [str(record.fields.get(column.name, "")).strip() for column in columns]
            if not any(cells):
                continue
            if not all(cells):
                column = columns[cells.index("")]
                raise DataError(f"{record.place}: no {column.name}; expected one ({column.flag}, --{flag})")
            found.first.append(cells[0])
            found.second.append(cells[1])
            found.labels.append(cells[2] if target else "")
            found.places.append(record.place)
            found.ids.append(str(record.fields.get("id", "")).strip() or record.place)
            if whole_rows:
                found.records.append(record)
    stats.warn()
    if not len(found):
        raise DataError(f"{', '.join(map(str, files))} contains no pairs (--{flag})")
    return found


class PairTokens(NamedTuple):
    """Every distinct text once, and the two texts of each pair by number (N, 2)."""

    tokens: TokenizedTexts
    pairs: NDArray[np.int64]


def tokens_of(
    first: Sequence[str], second: Sequence[str], tokenizer: Tokenizer, *, steps: Sequence[str], max_words: int
) -> PairTokens:
    """Pairs in numbers, cleaned, split and cut."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(text, len(numbers)) for text in pair] for pair in zip(first, second, strict=True)]
    texts = [normalize(text, steps) for text in numbers]
    tokens = tokenize(texts, max_words=max_words, word_rows=tokenizer.word_rows, split=word_splitter(tokenizer))
    return PairTokens(tokens, np.asarray(rows, dtype=np.int64).reshape(-1, 2))


class PairDataset(BatchDataset):
    """Pairs over a data set of single texts: batches of what `TextPairsNetwork.forward` takes."""

    def __init__(self, texts: RowDataset, pairs: NDArray[np.int64], labels: NDArray[Any] | None = None) -> None:
        self.texts, self.pairs, self.labels = texts, pairs, labels
        self.lengths = texts.lengths[pairs].sum(axis=1)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        picked = np.asarray(indices, dtype=np.int64)
        batch = self.texts.texts(self.pairs[picked, 0])
        batch |= {f"second_{name}": part for name, part in self.texts.texts(self.pairs[picked, 1]).items()}
        if self.labels is not None:
            batch["labels"] = torch.from_numpy(self.labels[picked])
        return batch

    def part(self, rows: NDArray[np.int64]) -> PairDataset:
        """Some of the pairs."""
        return PairDataset(self.texts, self.pairs[rows], None if self.labels is None else self.labels[rows])


Pair = tuple[str, str] | tuple[str, str, str]
"""Two texts, and what their file calls them."""


class PairResult(NamedTuple):
    """What the model says of a pair.

    Attributes:
        label: The most likely label; None where the model gives numbers.
        score: Its probability, or the number.
        probabilities: Of every label.
    """

    label: str | None
    score: float
    probabilities: dict[str, float]


class PairClassifier:
    """A trained model: `PairClassifier.from_pretrained(folder).predict([("A dog runs.", "An animal moves.")])`."""

    parts: ClassVar[Sequence[str]] = ("first", "second")
    trained_on: ClassVar[TrainedOn] = UNKNOWN_TRAINING

    def __init__(
        self,
        model: TextPairsNetwork,
        tokenizer: Tokenizer,
        *,
        max_words: int = 128,
        columns: Mapping[str, str | None] | None = None,
    ) -> None:
        self.model, self.tokenizer, self.max_words = model.train(False), tokenizer, max_words
        self.columns = dict(columns or {})
        self._warn_of_cut = CutWarning(max_words)
        self.labels = [] if model.config.problem_type == "regression" else model.config.labels

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> PairClassifier:
        """Load a folder of `elmo train pairs`.

        Raises ModelError when the folder is missing, damaged or contains no such model.
        """
        head = load_head(TextPairsNetwork, folder, holds="model of text pairs", task="pairs")
        return cls(head.network, head.tokenizer, **head.kept("max_words"), columns=head.kept(*COLUMNS))

    def predict(self, inputs: Iterable[Pair] | Pair, *, batch_size: int = 128) -> list[PairResult]:
        """What the model says of each pair, in order; an id behind the two texts is passed over.

        Args:
            inputs: Pairs of texts; any iterable, or a table of two columns. One pair is a list of one.
            batch_size: Pairs that are read at a time.

        Raises:
            ValueError: What comes is no pair of texts, or a text is missing; with its number, from 1.
            DataError: A text of a pair is empty.
        """
        inputs = list(given_pairs(inputs, parts=self.parts))
        if not inputs:
            return []
        first, second = [pair[0] for pair in inputs], [pair[1] for pair in inputs]
        outputs = self._outputs(first, second, batch_size=batch_size)
        if not self.labels:
            return [PairResult(None, float(row[0]), {}) for row in outputs]
        results = []
        for row, chances in zip(outputs, torch.from_numpy(outputs).softmax(dim=1).tolist(), strict=True):
            probabilities = dict(zip(self.labels, chances, strict=True))
            best = self.labels[row.argmax()]
            results.append(PairResult(best, probabilities[best], probabilities))
        return results

    def stream(self, inputs: Iterable[Pair] | Pair, *, chunk: int = 1024) -> Iterator[tuple[Pair, PairResult]]:
        """`predict` over any number of pairs in order, with the memory of `chunk` of them."""
        return in_chunks(given_pairs(inputs, parts=self.parts), self.predict, chunk=chunk)

    def score(self, files: Sequence[str], *, label_column: str | None = None) -> Mapping[str, Any]:
        """The scores of the report on files of pairs; the columns are those of the training.

        Raises:
            DataError: The files cannot be read, or have a label that the model does not know.
        """
        columns: dict[str, Any] = {**self.columns, **({"label_column": label_column} if label_column else {})}
        target: Target = "label" if self.labels else "number"
        pairs = read_pairs(files, flag="test", target=target, **columns)
        gold = targets_of(pairs, self.labels, flag="test")
        return target_scores(target, gold, self._outputs(pairs.first, pairs.second), labels=self.labels)

    def read(self, file: Path) -> list[Pair]:
        """The pairs of a file, in the columns of the training, with its ids where it has them."""
        return [pair for pair, _ in self.read_rows(file)]

    def read_rows(self, file: Path) -> list[tuple[Pair, Record]]:
        """`read`, each pair with its row."""
        columns: dict[str, Any] = {name: value for name, value in self.columns.items() if name != "label_column"}
        pairs = read_pairs([file], flag="file", target=None, whole_rows=True, **columns)
        rows = zip(pairs.first, pairs.second, pairs.ids, pairs.records, strict=True)
        return [
            ((first, second) if id_ == record.place else (first, second, id_), record)
            for first, second, id_, record in rows
        ]

    def line(self, given: Pair, result: PairResult, *, alone: bool = False) -> str:
        """See `Predictor`."""
        ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
        shown = "  ".join(f"{name} {value:.3f}" for name, value in ranked) or f"{result.score:.3f}"
        return shown if alone else f"{shown}  | {given[0][:40]} | {given[1][:40]}"

    def record(self, given: Pair, result: PairResult) -> JsonObject:
        """See `Predictor`."""
        own = {"id": given[2]} if len(given) == 3 else {}
        asked = {**own, **dict(zip(self.parts, given[:2], strict=True))}
        if result.label is None:
            return {**asked, "number": round(result.score, 6)}
        probabilities = {name: round(value, 6) for name, value in result.probabilities.items()}
        return {**asked, "label": result.label, "probability": round(result.score, 6), "probabilities": probabilities}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        if not self.labels:
            return f"{line_of_numbers(scores)} on {scores['rows']:,} pairs"
        lines = [f"accuracy {scores['accuracy']:.4f} on {scores['rows']:,} pairs"]
        lines += [
            f"  {label}  F1 {each['f1']:.4f}  {each['rows']:,} pairs" for label, each in scores["per_class"].items()
        ]
        return "\n".join(lines)

    def _outputs(self, first: Sequence[str], second: Sequence[str], *, batch_size: int = 128) -> NDArray[np.float32]:
        tokens, pairs = tokens_of(
            first, second, self.tokenizer, steps=steps_of(self.model, self.tokenizer), max_words=self.max_words
        )
        self._warn_of_cut(tokens)
        texts = CharDataset(tokens, rows=np.arange(len(tokens)))
        return logits_of(self.model, PairDataset(texts, pairs), batch_size=batch_size)


def targets_of(pairs: Pairs, labels: Sequence[str], *, flag: str) -> NDArray[Any]:
    """(N,) the number of each label; or, where there are no labels, the numbers.

    Raises:
        DataError: One is none of `labels`, or no number; with file and line.
    """
    if not labels:
        return numbers_of(pairs.placed(), flag=flag)
    numbers = {label: number for number, label in enumerate(labels)}
    for label, place in pairs.placed():
        if label not in numbers:
            known = ", ".join(labels[:8])
            raise DataError(f"{place}: the label {label[:40]!r}; expected {known} (--label-column, --{flag})")
    return np.array([numbers[label] for label in pairs.labels], dtype=np.int64)
