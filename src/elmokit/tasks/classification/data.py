"""Labelled texts: from CSV, TSV or JSON lines (each also .gz) or a `datasets` name, to class numbers and splits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.rows import ReadCounts, TreeReading, read_rows
from elmokit.tasks.inputs.numbers import numbers_of
from elmokit.tasks.splits import Split, SplitData, split_up
from elmokit.text.normalize import check_steps, normalize

log = logging.getLogger(__name__)

Source = str  # "train", "valid" or "test": the files a text came from


@dataclass(frozen=True)
class Texts:
    """Texts of one source with what is to be learned, see `ClassificationData.targets`."""

    texts: list[str]
    targets: NDArray[Any]
    counts: ReadCounts


@dataclass(frozen=True)
class ClassificationData(SplitData):
    """Everything a run reads: sources by name, splits over them, the labels as the files have them, and their names.

    Where numbers are learned there are no labels.
    """

    keys: list[str]
    labels: list[str]
    sources: dict[Source, Texts]
    splits: dict[str, Split] = field(default_factory=dict)

    def texts(self, split: str) -> list[str]:
        """The texts of a split."""
        part = self.splits[split]
        return [self.sources[part.source].texts[row] for row in part.rows]

    def ids(self, split: str) -> list[str]:
        """The ids of a split's rows in their files, else file and line."""
        part = self.splits[split]
        return [self.sources[part.source].counts.ids[row] for row in part.rows]

    def targets(self, split: str) -> NDArray[Any]:
        """Of a split (N,) class numbers, (N, K) 1 for each of several labels, else 0, or (N,) numbers."""
        part = self.splits[split]
        return self.sources[part.source].targets[part.rows]

    def classes(self, split: str) -> NDArray[np.int64]:
        """The class numbers (N,) of a split.

        Raises:
            DataError: Texts have several labels, or numbers.
        """
        found = self.targets(split)
        if found.dtype != np.int64:
            raise DataError("expected rows with one label each (target: label)")
        return found


def load_data(config: ClassifyConfig) -> ClassificationData:
    """Read, check and split what the config names.

    Raises DataError for files that cannot be read, labels unseen in training, a single class, or classes too small
    to be split.
    """
    check_steps(config.clean or [])
    raw = {name: read_source(name, config) for name in ("train", "valid", "test") if getattr(config, name)}
    if config.target == "number":
        values = {
            name: Texts(texts, numbers_of(((label, counts.places[label]) for (label,) in labels), flag=name), counts)
            for name, (texts, labels, counts) in raw.items()
        }
        return ClassificationData([], [], values, _splits(values, [], config))
    keys = _class_keys(raw["train"][1])
    names = _class_names(keys, config.label_names)
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    sources: dict[Source, Texts] = {}
    for name, (texts, labels, counts) in raw.items():
        lack = f"which the training rows lack; they have {', '.join(keys[:8])}"
        refuse_unseen(labels, numbers, counts, flag=name, but=lack)
        sources[name] = Texts(texts, numbered(labels, numbers, several=config.target == "labels"), counts)
    data = ClassificationData(keys=keys, labels=names, sources=sources, splits=_splits(sources, names, config))
    if config.target != "labels":
        return data
    if config.threshold is None and not data.targets("validation").any():
        raise DataError(
            f"none of the {data.counts['validation']} validation rows has a label, and thresholds are chosen on them: "
            "give rows with labels (--valid), or --threshold 0.5"
        )
    missing = np.flatnonzero(~data.targets("train").any(axis=0))
    if len(missing):
        shown = ", ".join(data.labels[label] for label in missing[:8])
        log.warning("%d labels do not occur in the training rows and cannot be learned: %s", len(missing), shown)
    return data


def numbered(labels: Sequence[Sequence[str]], numbers: Mapping[str, int], *, several: bool) -> NDArray[Any]:
    """(N,) the class number of each row, or of `several` labels (N, K) 1 for those of a row."""
    if not several:
        return np.fromiter((numbers[label] for (label,) in labels), dtype=np.int64, count=len(labels))
    found = np.zeros((len(labels), len(numbers)), dtype=np.float32)
    for row, own in zip(found, labels, strict=True):
        row[[numbers[label] for label in own]] = 1.0
    return found


def read_source(source: Source, config: ClassifyConfig) -> tuple[list[str], list[list[str]], ReadCounts]:
    """The texts of one source after clean-up, their labels, and what was left out.

    Raises:
        DataError: The files cannot be read or contain no labelled text.
    """
    texts, labels, counts = read_rows(
        getattr(config, source),
        text_column=config.text_column,
        label_column=config.label_column,
        split="validation" if source == "valid" else source,
        trees=TreeReading(phrases=config.phrases and source == "train", polarity=config.polarity),
        options=config.file_options,
        separator=config.separator,
    )
    if config.clean:
        texts = [normalize(text, config.clean) for text in texts]
    kept = [index for index, text in enumerate(texts) if text.strip()]
    counts.empty += len(texts) - len(kept)
    if not kept:
        raise DataError(f"{', '.join(getattr(config, source))} contains no labelled text (--{source})")
    for trouble, count in counts.troubles().items():
        log.warning("%s: %d %s", source, count, trouble)
    counts.ids = [counts.ids[index] for index in kept]
    return [texts[index] for index in kept], [labels[index] for index in kept], counts


def _class_keys(labels: Sequence[Sequence[str]]) -> list[str]:
    """The distinct labels of all rows in their order."""
    found = Counter(label for own in labels for label in own)
    first = next(iter(found), "")
    if not found:
        raise DataError(f"none of the {len(labels)} training rows has a label: is --label-column the right one?")
    if len(found) == 1:
        raise DataError(
            f"all {found.total()} training rows have the label {first!r}; two classes are needed: "
            "is --label-column the right one?"
        )
    if len(found) > 50 and len(found) > len(labels) / 2:
        raise DataError(
            f"{len(found)} different labels in {len(labels)} training rows, e.g. {first[:40]!r}: "
            "that looks like text, choose with --label-column; numbers are learned with --target number"
        )
    return _sorted_labels(found)


def read_class_names(labels: Sequence[str], file: Path | None) -> dict[str, str]:
    """The name of each label: itself, or from a file with a name per line in the order of the sorted labels.

    Raises:
        DataError: The file is missing, or does not fit the labels.
    """
    keys = _sorted_labels(set(labels))
    return dict(zip(keys, _class_names(keys, file), strict=True))


def _sorted_labels(found: Iterable[str]) -> list[str]:
    """By number when all are numbers, else by name."""
    labels = list(found)
    try:
        return sorted(labels, key=int)
    except ValueError:
        return sorted(labels)


def _class_names(keys: list[str], file: Path | None) -> list[str]:
    """Names for the sorted labels from a file with one name per line."""
    if file is None:
        return keys
    if not file.is_file():
        raise DataError(f"{file} does not exist (--label-names)")
    names = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if len(names) != len(keys):
        raise DataError(
            f"{file} names {len(names)} classes, the rows have {len(keys)} ({', '.join(keys[:8])}): "
            "one name per line in the order of the sorted labels is expected (--label-names)"
        )
    if len(set(names)) != len(names):
        raise DataError(f"{file} gives a name twice (--label-names)")
    if set(names) == set(keys):  # labels are the names already
        return keys
    return names


def refuse_unseen(
    labels: Sequence[Sequence[str]], known: Collection[str], counts: ReadCounts, *, flag: str, but: str
) -> None:
    """Raise DataError for labels of rows that are not `known`; `but` says why the most frequent one cannot be."""
    unseen = Counter(label for own in labels for label in own if label not in known)
    if unseen:
        label, count = unseen.most_common(1)[0]
        others = f" and {len(unseen) - 1} more labels" if len(unseen) > 1 else ""
        raise DataError(f"{counts.places[label]}: the label {label[:40]!r} ({count} rows of --{flag}){others}, {but}")


def _splits(sources: dict[Source, Texts], names: list[str], config: ClassifyConfig) -> dict[str, Split]:
    one_label = config.target == "label"
    if "valid" not in sources and sources["train"].counts.trees and config.phrases:
        raise DataError(
            "phrases of a sentence would be on both sides of a split of --train: give sentiment trees for "
            "validation (--valid), or train on whole sentences (--set phrases=false)"
        )

    def few(number: int, count: int) -> str:
        return (
            f"{f'class {names[number]!r}' if one_label else '--train'} has {count} training row; a validation split "
            f"needs 2 or more{' of each' if one_label else ''}: add rows or give a validation file (--valid)"
        )

    sizes = {name: len(source.texts) for name, source in sources.items()}
    strata = None
    if config.target != "number":
        strata = sources["train"].targets if one_label else rarest_labels(sources["train"].targets)
    return split_up(sizes, config, few=few, strata=strata)


def rarest_labels(targets: NDArray[Any]) -> NDArray[np.int64]:
    """(N,) the stratum of rows with several labels: the number of the rarest of its labels, from 1; 0 without any.

    So the same share of each label is held out, or nearly, and the rarest come first (after Sechidis et al. 2011, who
    then share out the others, too). Rows whose stratum would be theirs alone are in 0, too, and where 0 has one row it
    is in the largest.

    Args:
        targets: (N, K) 1 for the labels of a row, else 0.
    """
    rows = targets.sum(axis=0)
    own: NDArray[np.int64] = np.where(targets > 0, rows, np.inf).argmin(axis=1) + 1
    own[~targets.any(axis=1)] = 0
    own[np.bincount(own)[own] < 2] = 0
    counts = np.bincount(own)
    if counts[0] == 1:
        own[own == 0] = counts.argmax()
    return own


def seen_in_training(data: ClassificationData) -> int:
    """Test texts that also stand in the training part, word for word: a leak worth knowing of."""
    known = set(data.texts("train"))
    return sum(text in known for text in data.texts("test"))
