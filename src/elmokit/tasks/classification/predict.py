"""Labels with probabilities for new texts, from a folder that `elmo train classify` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.errors import DataError
from elmokit.nn.heads.sequence_classification import SequenceClassificationNetwork
from elmokit.tasks.classification.data import numbered, read_class_names, refuse_unseen
from elmokit.tasks.classification.rows import ReadCounts, TreeReading, read_rows
from elmokit.tasks.config import Target
from elmokit.tasks.inputs.batches import CharDataset
from elmokit.tasks.inputs.numbers import numbers_of
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.metrics import line_of_average, line_of_numbers, target_scores
from elmokit.tasks.trained import (
    UNKNOWN_TRAINING,
    BlankWarning,
    CutWarning,
    Tokenizer,
    TrainedOn,
    load_head,
    logits_of,
    steps_of,
    word_splitter,
)
from elmokit.text.given import Text, given_texts, in_a_line, joined
from elmokit.text.normalize import normalize, normalize_words
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.whole_files import JsonObject

_TARGETS: dict[str, Target] = {"multi_label_classification": "labels", "regression": "number"}


class Label(NamedTuple):
    """A class and its probability; of a model of numbers `value` and the number."""

    label: str
    probability: float


class Classifier:
    """A trained classifier: `Classifier.from_pretrained(folder).predict(["some text"])`."""

    parts: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        model: SequenceClassificationNetwork,
        tokenizer: Tokenizer,
        *,
        max_words: int = 128,
        polarity: bool = False,
        keys: Sequence[str] = (),
        thresholds: Sequence[float] = (),
        separator: str = ",",
        trained_on: TrainedOn = UNKNOWN_TRAINING,
    ) -> None:
        self.model, self.tokenizer, self.max_words = model.train(False), tokenizer, max_words
        self.polarity, self.keys, self.trained_on = polarity, list(keys), trained_on
        self._warn_of_cut, self._warn_of_blank = CutWarning(max_words), BlankWarning()
        self.labels, self.separator = model.config.labels, separator
        self.target = _TARGETS.get(model.config.problem_type or "", "label")
        self.thresholds = np.array(thresholds or [0.5] * len(self.labels))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Classifier:
        """Load a folder of `elmo train classify`, with the clean-up and the length limit it was trained under.

        Raises ModelError when the folder is missing, damaged or contains no classifier.
        """
        head = load_head(SequenceClassificationNetwork, folder, holds="classifier", task="classify")
        settings, facts = head.settings, head.facts
        return cls(
            head.network,
            head.tokenizer,
            max_words=settings.get("max_words", 128),
            polarity=bool(settings.get("polarity")),
            keys=settings.get("label_keys") or facts.get("label_keys", []),
            thresholds=facts.get("thresholds", []),
            separator=settings.get("label_separator", ","),
            trained_on=TrainedOn.of(settings),
        )

    def predict(
        self, texts: Iterable[Text] | str, *, top: int | None = None, batch_size: int = 64
    ) -> list[list[Label]]:
        """For each text its classes by falling probability, the best `top` of them or all; or a number.

        Where a text may have several labels, `given` says which of them it has. A text without words has a result too,
        which says nothing: a warning counts them.

        Args:
            texts: Raw texts, or lists of words; any iterable, a Series or a table of one column too. One text is a list
                of one.
            top: How many classes.
            batch_size: Texts that are read at a time.

        Raises:
            ValueError: A text is missing, or a mapping or a table of several columns came.
        """
        tokens = self.tokens(texts)
        if not len(tokens):
            return []
        self._warn_of_blank(tokens)
        return self.results(self._logits(tokens, batch_size=batch_size), top=top)

    def results(self, logits: NDArray[np.float32], *, top: int | None = None) -> list[list[Label]]:
        """What `predict` gives for the logits (N, K) of the model."""
        return [self.ranked(row, top=top) for row in probabilities_of(logits, self.target)]

    def outputs(self, words: Tensor, mask: Tensor) -> Tensor:
        """See `SequenceClassificationNetwork.outputs`; the model may be the one that transformers sees."""
        network: SequenceClassificationNetwork = getattr(self.model, "network", self.model)
        return network.outputs(words, mask)

    def given(self, result: Sequence[Label]) -> list[str]:
        """The labels of a result whose probability reaches their threshold, the most likely first."""
        least = dict(zip(self.labels, self.thresholds, strict=True))
        return [label for label, probability in result if probability >= least[label]]

    def _logits(self, tokens: TokenizedTexts, *, batch_size: int = 64) -> NDArray[np.float32]:
        data = CharDataset(tokens, rows=np.arange(len(tokens)))
        return logits_of(self.model, data, batch_size=batch_size)

    def tokens(self, texts: Iterable[Text] | str) -> TokenizedTexts:
        """Texts as the classifier reads them: cleaned, split and cut as in training.

        Raises:
            ValueError: As `predict`.
        """
        steps = steps_of(self.model, self.tokenizer)
        given = given_texts(texts)
        tokens = tokenize(
            [normalize(text, steps) if isinstance(text, str) else normalize_words(text, steps) for text in given],
            max_words=self.max_words,
            word_rows=self.tokenizer.word_rows,
            split=word_splitter(self.tokenizer),
        )
        self._warn_of_cut(tokens)
        return tokens

    def stream(
        self, texts: Iterable[Text] | str, *, top: int | None = None, chunk: int = 1024
    ) -> Iterator[tuple[Text, list[Label]]]:
        """`predict` over any number of texts in order, with the memory of `chunk` of them."""
        return in_chunks(given_texts(texts), lambda part: self.predict(part, top=top), chunk=chunk)

    predict_stream = stream  # its earlier name

    def score(
        self,
        files: Sequence[str],
        *,
        text_column: str | None = None,
        label_column: str | None = None,
        label_names: Path | None = None,
        file_options: FileOptions = AS_FOUND,
    ) -> Mapping[str, Any]:
        """Accuracy, precision, recall and F1 on the rows of some files; of numbers their correlations.

        Args:
            files: With texts and labels, as of `elmo train classify`. Sentiment trees are read as in training.
            text_column, label_column: Where they stand; default: where they stood in the training files, if it fits.
            label_names: One name per line for the sorted labels of the training files. It is needed for rows with other
                labels than those and than the names the model knows.
            file_options: How the files are written, where that does not show; default: as the training files.

        Returns:
            What `classification_scores`, `several_label_scores` or `number_scores` gives, the "labels" of the model,
            and how many rows were "left_out" and why.

        Raises:
            DataError: The files cannot be read, or a label is none of the model's.
        """
        texts, labels, counts = read_rows(
            files,
            text_column=text_column,
            label_column=label_column,
            split="test",
            trees=TreeReading(polarity=self.polarity),
            options=file_options.filled(self.trained_on.files),
            remembered=(self.trained_on.text_column, self.trained_on.label_column),
            separator=self.separator if self.target == "labels" else None,
        )
        kept = [row for row, text in enumerate(texts) if text.strip()]
        counts.empty += len(texts) - len(kept)
        if not kept:
            raise DataError(f"{', '.join(files)} contains no labelled text (--test)")
        known = [labels[row] for row in kept]
        if self.target == "number":
            gold = numbers_of(((label, counts.places[label]) for (label,) in known), flag="test")
        else:
            gold = self._classes(known, counts, label_names)
        chunks = in_chunks((texts[row] for row in kept), lambda part: list(self._logits(self.tokens(part))), chunk=1024)
        found = probabilities_of(np.stack([logits for _, logits in chunks]), self.target)
        scores = target_scores(self.target, gold, found, labels=self.labels, thresholds=self.thresholds)
        return {**scores, "labels": self.labels, "left_out": counts.troubles()}

    def _classes(self, labels: Sequence[Sequence[str]], counts: ReadCounts, file: Path | None) -> NDArray[Any]:
        """The labels of rows as `numbered`. Those of other names than the model's are told by `file`."""
        found = {label for own in labels for label in own}
        names: dict[str, str] = {}
        if not found <= set(self.labels):
            if len(self.keys) == len(self.labels) and found <= set(self.keys):
                names = dict(zip(self.keys, self.labels, strict=True))
            elif file is not None or self.keys:
                names = read_class_names(sorted(found), file)
        known = {label for label in found if names.get(label, label) in self.labels}
        others = f"the classifier knows {', '.join(self.labels[:8])}: is --label-column the right one"
        refuse_unseen(labels, known, counts, flag="test", but=f"{others}, or do the labels need --label-names?")
        numbers = {label: number for number, label in enumerate(self.labels)}
        named = [[names.get(label, label) for label in own] for own in labels]
        return numbered(named, numbers, several=self.target == "labels")

    def line(self, given: Text, result: list[Label] | None, *, alone: bool = False) -> str:
        """See `Predictor`."""
        if result is None:
            return "(no text)"
        scores = "  ".join(f"{name} {probability:.3f}" for name, probability in result)
        if self.target == "number":
            scores = f"{result[0].probability:.4g}"
        elif self.target == "labels":
            scores = f"{', '.join(self.given(result)) or '(no label)'}  ({scores})"
        return scores if alone else f"{scores}  | {in_a_line(given)}"

    def record(self, given: Text, result: list[Label] | None) -> JsonObject:
        """See `Predictor`."""
        text = joined(given).strip()
        probabilities = {name: round(probability, 6) for name, probability in result or []}
        best, highest = next(iter(probabilities.items()), (None, None))
        if self.target == "number":
            return {"text": text, "number": highest}
        if self.target == "labels":
            return {"text": text, "labels": self.given(result or []), "probabilities": probabilities}
        return {"text": text, "label": best, "probability": highest, "probabilities": probabilities}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        lines = [f"{count:,} {trouble}" for trouble, count in scores["left_out"].items()]
        if self.target == "number":
            return "\n".join([*lines, f"{line_of_numbers(scores)} on {scores['rows']:,} rows"])
        width = max(len(label) for label in scores["labels"])
        figures = f"accuracy {scores.get('accuracy', 0.0):.4f}"
        if self.target == "labels":
            figures = f"micro F1 {scores['micro_f1']:.4f}  label ranking {scores['lrap']:.4f}"
        lines += [f"{figures} on {scores['rows']:,} rows", f"macro {line_of_average(scores['macro'])}"]
        for label, each in scores["per_class"].items():
            lines.append(f"  {label:<{width}}  {line_of_average(each)}  {each['rows']:,} rows")
        return "\n".join(lines)

    def ranked(self, probabilities: np.ndarray, *, top: int | None = None) -> list[Label]:
        """Probabilities (labels,) as labels, the most likely first."""
        order = np.argsort(-probabilities, kind="stable")[:top]
        return [Label(self.labels[number], float(probabilities[number])) for number in order]


def probabilities_of(logits: NDArray[np.float32], target: Target) -> NDArray[np.float32]:
    """Logits (N, K) as probabilities; numbers (N, 1) stay as they are."""
    whole = torch.from_numpy(logits)
    return {"label": whole.softmax(dim=1), "labels": whole.sigmoid(), "number": whole}[target].numpy()
