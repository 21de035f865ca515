"""Spans with character offsets for new texts, from a folder that `elmo train tag` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch

from elmokit.nn.heads.token_classification import TokenClassificationNetwork
from elmokit.pretrained import located
from elmokit.run_folder import settings_of
from elmokit.tasks.inputs.batches import CharDataset, RowDataset, by_falling_length
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.data import read_tagged, refuse_unseen
from elmokit.tasks.tagging.pieces import Pieces
from elmokit.tasks.tagging.schemes import spans_of
from elmokit.tasks.tagging.scores import span_scores
from elmokit.tasks.trained import Tokenizer, load_head, steps_of
from elmokit.text.given import Text, given_texts, in_a_line, joined
from elmokit.text.normalize import normalize_words
from elmokit.text.sentence_borders import split_sentences


class Entity(NamedTuple):
    """A span of a text: `text[start:end]` with its label."""

    label: str
    text: str
    start: int
    end: int


class Tagger:
    """A trained tagger: `Tagger.from_pretrained(folder).predict(["Ada Lovelace lived in London."])`."""

    parts: ClassVar[Sequence[str]] = ()

    def __init__(
        self, model: TokenClassificationNetwork, tokenizer: Tokenizer, *, max_words: int = 256,
        context_words: int | None = None, word_column: int = 1, tag_column: int = -1,
    ) -> None:  # fmt: skip
        self.model, self.tokenizer = model.train(False), tokenizer
        self.max_words, self.context_words = max_words, context_words if model.config.n_layers else None
        self.word_column, self.tag_column = word_column, tag_column
        self.tags = model.config.labels

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Tagger:
        """Load a folder of `elmo train tag`.

        Raises ModelError when the folder is missing, damaged or contains no tagger.
        """
        folder = located(folder)
        model, tokenizer = load_head(TokenClassificationNetwork, folder, holds="tagger", task="tag")
        settings = settings_of(folder)
        names = ("max_words", "context_words", "word_column", "tag_column")
        return cls(model, tokenizer, **{name: settings[name] for name in names if name in settings})

    def tag(
        self, sentences: Sequence[Sequence[str]], *, documents: Sequence[int] | None = None, batch_size: int = 128
    ) -> list[list[str]]:
        """A tag for every word of sentences that are lists of words; long ones are read in pieces.

        Words go through the clean-up steps of the training.

        Args:
            sentences: Lists of words.
            documents: (sentences,) numbers of the documents they come from, in order: a tagger that was trained with
                `context_words` reads those of one document together. Without it each sentence is one.
            batch_size: Sentences (or runs of them) that are read at a time.

        Raises:
            ValueError: Not as many documents as sentences, or a sentence is a string, not a list of words.
        """
        if any(isinstance(sentence, str) for sentence in sentences):
            raise ValueError("Expected lists of words, got a text; predict takes texts.")
        if documents is not None and len(documents) != len(sentences):
            raise ValueError(f"{len(documents)} documents came for {len(sentences)} sentences.")
        pieces = Pieces.cut(sentences, max_words=self.max_words)
        if not pieces.parts:
            return [[] for _ in sentences]
        contexts = pieces.contexts(documents or [], words=self.context_words if documents is not None else None)
        steps = steps_of(self.model, self.tokenizer)
        words = [normalize_words(part, steps) for part in pieces.parts]
        tokens = tokenize(words, max_words=self.max_words, word_rows=self.tokenizer.word_rows)
        runs = np.arange(len(contexts.borders) - 1)
        data = CharDataset(contexts.joined(tokens), sentence_ids=contexts.sentence_ids(), rows=runs)
        numbers = contexts.cut(tag_all(self.model, data, batch_size=batch_size), runs)
        return pieces.joined([[self.tags[number] for number in row] for row in numbers], np.arange(len(sentences)))

    def predict(self, texts: Iterable[Text] | str, *, batch_size: int = 128) -> list[list[Entity]]:
        """The spans of each text, in order, with offsets into it. A raw text is tagged sentence by sentence.

        It is the document of its sentences. A list of words is one sentence; offsets are those of its words joined by
        spaces. One text is a list of one.

        Raises:
            ValueError: A mapping or a table of several columns came.
        """
        spans, owners, sentences = [], [], []
        raw: list[str] = []
        for number, given in enumerate(given_texts(texts)):
            text = joined(given)
            raw.append(text)
            for offsets in self._sentences(text) if isinstance(given, str) else [_joined_offsets(given)]:
                spans.append(offsets)
                owners.append(number)
                sentences.append([text[start:end] for start, end in offsets])
        found: list[list[Entity]] = [[] for _ in raw]
        tagged = self.tag(sentences, documents=owners, batch_size=batch_size)
        for owner, offsets, tags in zip(owners, spans, tagged, strict=True):
            for first, stop, label in spans_of(tags):
                start, end = offsets[first][0], offsets[stop - 1][1]
                found[owner].append(Entity(label, raw[owner][start:end], start, end))
        return found

    def stream(self, texts: Iterable[Text] | str, *, chunk: int = 1024) -> Iterator[tuple[Text, list[Entity]]]:
        """`predict` over any number of texts in order, with the memory of `chunk` of them."""
        return in_chunks(given_texts(texts), self.predict, chunk=chunk)

    predict_stream = stream  # its earlier name

    def score(
        self, files: Sequence[str], *, word_column: int | None = None, tag_column: int | None = None
    ) -> dict[str, Any]:
        """`span_scores` on tagged files, as of `elmo train tag`; the columns are those of the training files.

        Raises:
            DataError: The files cannot be read, or have a label that the tagger does not know.
        """
        config = TagConfig(
            model="", output=Path(), train=["-"], test=list(files), max_words=self.max_words,
            word_column=self.word_column if word_column is None else word_column,
            tag_column=self.tag_column if tag_column is None else tag_column,
        )  # fmt: skip
        sentences = read_tagged(files, config, flag="test")
        known = {tag.partition("-")[2] for tag in self.tags} - {""}
        refuse_unseen(sentences, known, flag="test", lack="the tagger does not know")
        return span_scores(sentences.tags, self.tag(sentences.words, documents=sentences.documents))

    def line(self, given: Text, result: list[Entity] | None, *, alone: bool = False) -> str:
        """See `Predictor`."""
        spans = "  ".join(f"{label} {span!r} {start}-{end}" for label, span, start, end in result or []) or "(nothing)"
        return spans if alone else f"{spans}  | {in_a_line(given)}"

    def record(self, given: Text, result: list[Entity] | None) -> dict[str, Any]:
        """See `Predictor`."""
        return {"text": joined(given), "entities": [entity._asdict() for entity in result or []]}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        lines = [
            f"{scores['spans']:,} spans in {scores['sentences']:,} sentences of {scores['words']:,} words",
            f"precision {scores['precision']:.4f}  recall {scores['recall']:.4f}  F1 {scores['f1']:.4f}",
        ]
        for label, each in scores["per_label"].items():
            figures = f"precision {each['precision']:.4f}  recall {each['recall']:.4f}  F1 {each['f1']:.4f}"
            lines.append(f"  {label}  {figures}")
        return "\n".join(lines)

    def _sentences(self, text: str) -> Iterator[list[tuple[int, int]]]:
        """Word offsets of each sentence of a text."""
        place = 0
        for sentence in split_sentences(text):
            begin = text.index(sentence, place)
            place = begin + len(sentence)
            offsets = [(begin + start, begin + end) for start, end in self.tokenizer.spans(sentence)]
            if offsets:
                yield offsets


@torch.no_grad()
def tag_all(model: TokenClassificationNetwork, data: RowDataset, *, batch_size: int = 128) -> list[list[int]]:
    """The best tag numbers of every row, in the order of `data`, computed by falling length."""
    model.train(False)
    found: list[list[int]] = [[] for _ in range(len(data))]
    for picked, batch in by_falling_length(data, batch_size=batch_size):
        sequences = model.decode(**{name: tensor.to(model.device) for name, tensor in batch.items()})
        for row, tags in zip(picked, sequences, strict=True):
            found[row] = tags
    return found


def _joined_offsets(words: Sequence[str]) -> list[tuple[int, int]]:
    """Of words that are joined by spaces."""
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]
