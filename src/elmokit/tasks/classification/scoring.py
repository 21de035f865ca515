"""Scores of a finished classifier on labelled rows: `score_classifier`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elmokit.errors import DataError
from elmokit.pretrained import located
from elmokit.tasks.classification.data import read_class_names
from elmokit.tasks.classification.predict import Classifier
from elmokit.tasks.classification.rows import TreeReading, read_labelled
from elmokit.tasks.metrics import classification_scores
from elmokit.tasks.run_folder import settings_of
from elmokit.whole_files import read_json_object


def score_classifier(
    model: str | Path, test: Sequence[str], *, text_column: str | None = None, label_column: str | None = None,
    label_names: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Accuracy, precision, recall and F1 of a classifier on the rows of some files.

    Args:
        model: Folder of `elmo train classify`.
        test: Files with texts and labels, as of `elmo train classify`. Sentiment trees are read as in training.
        text_column, label_column: Where they stand.
        label_names: A name a line for the sorted labels of the training files. It is needed for rows with other labels
            than those and than the names the model knows.

    Returns:
        What `classification_scores` gives, the "labels" of the model, and how many rows were "left_out" and why.

    Raises:
        DataError: The files cannot be read, or a label is none of the model's.
        ModelError: The folder holds no classifier.
    """
    classifier = Classifier.from_pretrained(model)
    trees = TreeReading(polarity=bool(settings_of(model).get("polarity")))
    texts, labels, counts = read_labelled(
        test, text_column=text_column, label_column=label_column, split="test", trees=trees
    )
    kept = [row for row, text in enumerate(texts) if text.strip()]
    counts.empty += len(texts) - len(kept)
    if not kept:
        raise DataError(f"{', '.join(test)} holds no labelled text (--test)")
    names = _names(labels, label_names, classifier.labels, _keys_of(model))
    gold = _numbers([labels[row] for row in kept], names, classifier.labels, counts.places)
    numbers = {label: number for number, label in enumerate(classifier.labels)}
    predicted = (ranked[0].label for _, ranked in classifier.predict_stream((texts[row] for row in kept), top=1))
    guesses = np.fromiter((numbers[label] for label in predicted), dtype=np.int64, count=len(kept))
    scores = classification_scores(gold, guesses, labels=classifier.labels)
    return {**scores, "labels": classifier.labels, "left_out": counts.troubles()}


def _keys_of(model: str | Path) -> list[str]:
    """The labels as they stood in the training files, in the order of the model's; none where the run is not told."""
    file = located(model) / "metrics.json"
    return list(read_json_object(file).get("label_keys", [])) if file.is_file() else []


def _names(labels: list[str], file: Path | None, known: list[str], keys: list[str]) -> dict[str, str]:
    """The model's label for each label of the files."""
    if set(labels) <= set(known) or (file is None and not keys):
        return {}
    if len(keys) == len(known) and set(labels) <= set(keys):
        return dict(zip(keys, known, strict=True))
    return read_class_names(labels, file)


def _numbers(labels: list[str], names: dict[str, str], known: list[str], places: dict[str, str]) -> np.ndarray:
    """(rows,) the number of each label, or of the name it goes by; `places` has where a label stands first."""
    numbers = {label: number for number, label in enumerate(known)}
    unseen = Counter(label for label in labels if names.get(label, label) not in numbers)
    if unseen:
        label, count = unseen.most_common(1)[0]
        raise DataError(
            f"{places[label]}: the label {label[:40]!r} ({count} rows of --test), the classifier knows "
            f"{', '.join(known[:8])}: is --label-column the right one, or do the labels need --label-names?"
        )
    return np.fromiter((numbers[names.get(label, label)] for label in labels), dtype=np.int64, count=len(labels))
