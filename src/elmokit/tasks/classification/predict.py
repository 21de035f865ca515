"""Labels with probabilities for new texts, from a folder that `elmo train classify` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrained import located
from elmokit.tasks.building import load_head, word_splitter
from elmokit.tasks.classification.evaluation import logits_of
from elmokit.tasks.inputs.batches import CharDataset
from elmokit.tasks.inputs.tokens import TokenizedTexts, refuse_one_text, tokenize
from elmokit.tasks.run_folder import settings_of
from elmokit.text.normalize import normalize


class Label(NamedTuple):
    """A class and its probability."""

    label: str
    probability: float


class Classifier:
    """A trained classifier: `Classifier.from_pretrained(folder).predict(["some text"])`."""

    def __init__(
        self,
        model: ElmoForSequenceClassification,
        tokenizer: ElmoTokenizer,
        *,
        max_words: int = 128,
    ) -> None:
        self.model, self.tokenizer, self.max_words = model.train(False), tokenizer, max_words
        self.labels = [str(label) for _, label in sorted((model.config.id2label or {}).items())]

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Classifier:
        """Load a folder of `elmo train classify`, with the clean-up and the length limit it was trained under.

        Raises ModelError when the folder is missing, damaged or holds no classifier.
        """
        folder = located(folder)
        model, tokenizer = load_head(ElmoForSequenceClassification, folder, holds="classifier", task="classify")
        settings = settings_of(folder)
        return cls(model, tokenizer, max_words=settings.get("max_words", 128))

    def predict(self, texts: Sequence[str], *, top: int | None = None, batch_size: int = 64) -> list[list[Label]]:
        """For each text its classes by falling probability, the best `top` of them or all.

        Raises:
            ValueError: A string came, not a list.
        """
        refuse_one_text(texts)
        if not texts:
            return []
        data = CharDataset(self.tokens(texts), rows=np.arange(len(texts)))
        logits = logits_of(self.model, data, batch_size=batch_size)
        probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
        return [self.ranked(row, top=top) for row in probabilities]

    def tokens(self, texts: Sequence[str]) -> TokenizedTexts:
        """Texts as the classifier reads them: cleaned, split and cut as in training."""
        return tokenize(
            [normalize(text, self.model.config.text_steps or []) for text in texts],
            max_words=self.max_words,
            word_rows=self.tokenizer.word_rows,
            split=word_splitter(self.tokenizer),
        )

    def predict_stream(
        self, texts: Iterable[str], *, top: int | None = None, chunk: int = 1024
    ) -> Iterator[tuple[str, list[Label]]]:
        """`predict` over any number of texts in order, with the memory of `chunk` of them."""
        source = iter(texts)
        while part := list(islice(source, chunk)):
            yield from zip(part, self.predict(part, top=top), strict=True)

    def ranked(self, probabilities: np.ndarray, *, top: int | None = None) -> list[Label]:
        """Probabilities (labels,) as labels, the likeliest first."""
        order = np.argsort(-probabilities, kind="stable")[:top]
        return [Label(self.labels[number], float(probabilities[number])) for number in order]
