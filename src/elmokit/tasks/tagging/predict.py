"""Spans with character offsets for new texts, from a folder that `elmo train tag` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch

from elmokit.errors import DataError
from elmokit.nn.heads.token_classification import TokenClassificationNetwork
from elmokit.tasks.inputs.batches import CharDataset, RowDataset, by_falling_length
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.metrics import line_of_average
from elmokit.tasks.tagging.config import FileScheme, TagConfig
from elmokit.tasks.tagging.conll_files import tagged_lines, text_lines, write_scored
from elmokit.tasks.tagging.data import labels_of, read_tagged, unseen_labels, words_of
from elmokit.tasks.tagging.pieces import Pieces
from elmokit.tasks.tagging.scores import SpanScores, TagScores, scores_of
from elmokit.tasks.trained import UNKNOWN_TRAINING, Tokenizer, TrainedOn, load_head, steps_of
from elmokit.text.conllu import read_conllu
from elmokit.text.formats import format_of
from elmokit.text.given import Text, given_texts, in_a_line, joined
from elmokit.text.normalize import normalize_words
from elmokit.text.sentence_borders import split_sentences
from elmokit.text.word_columns import PlacedSentence
from elmokit.whole_files import JsonObject, replacing

Offsets = list[tuple[int, int]]  # of the words of a sentence


class Entity(NamedTuple):
    """A span of a text: `text[start:end]` with its label."""

    label: str
    text: str
    start: int
    end: int


class Tagger:
    """A trained tagger: `Tagger.from_pretrained(folder).predict(["Ada Lovelace lived in London."])`."""

    parts: ClassVar[Sequence[str]] = ()
    trained_on: ClassVar[TrainedOn] = UNKNOWN_TRAINING

    def __init__(
        self,
        model: TokenClassificationNetwork,
        tokenizer: Tokenizer,
        *,
        max_words: int = 256,
        context_words: int | None = None,
        word_column: int | str | None = None,
        tag_column: int | str | None = None,
        file_scheme: FileScheme | None = None,
    ) -> None:
        self.model, self.tokenizer = model.train(False), tokenizer
        self.max_words, self.context_words = max_words, context_words if model.config.n_layers else None
        self.word_column, self.tag_column, self.file_scheme = word_column, tag_column, file_scheme
        self.plain = self._reading().plain
        if self.plain:
            self.file_scheme = "plain"  # also of columns that do not say so by their name
        self.tags = model.config.labels

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Tagger:
        """Load a folder of `elmo train tag`.

        Raises ModelError when the folder is missing, damaged or contains no tagger.
        """
        head = load_head(TokenClassificationNetwork, folder, holds="tagger", task="tag")
        kept = head.kept("max_words", "context_words", "word_column", "tag_column", "file_scheme")
        return cls(head.network, head.tokenizer, **kept)

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
            ValueError: Not as many documents as sentences, or a sentence is missing or a string, not a list of words.
        """
        sentences = list(given_texts(sentences))
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
        spaces. One text is a list of one. Where tags are plain, every word is a span.

        Raises:
            ValueError: A text is missing, or a mapping or a table of several columns came.
        """
        found = []
        for text, sentences in self._tagged(list(given_texts(texts)), batch_size=batch_size):
            spans = [
                (label, offsets[first][0], offsets[stop - 1][1])
                for offsets, tags in sentences
                for first, stop, label in labels_of(tags, plain=self.plain)
            ]
            found.append([Entity(label, text[start:end], start, end) for label, start, end in spans])
        return found

    def _tagged(
        self, texts: Sequence[Text], *, batch_size: int = 128
    ) -> list[tuple[str, list[tuple[Offsets, list[str]]]]]:
        """Each text as it is read, and the offsets and tags of the words of its sentences."""
        raw = [joined(text) for text in texts]
        cut: list[list[Offsets]] = []
        for given, text in zip(texts, raw, strict=True):
            if isinstance(given, str):
                cut.append([])
                begin = end = 0
                for sentence in split_sentences(text):
                    begin = text.index(sentence, end)
                    end = begin + len(sentence)
                    cut[-1].append([(begin + first, begin + stop) for first, stop in self.tokenizer.spans(sentence)])
                cut[-1] = [offsets for offsets in cut[-1] if offsets]
            else:  # words that are joined by spaces
                ends = np.cumsum([len(word) + 1 for word in given]).tolist()
                cut.append([[(end - 1 - len(word), end - 1) for word, end in zip(given, ends, strict=True)]])
        owners = [number for number, sentences in enumerate(cut) for _ in sentences]
        words = [
            [text[start:end] for start, end in offsets]
            for text, sentences in zip(raw, cut, strict=True)
            for offsets in sentences
        ]
        tags = iter(self.tag(words, documents=owners, batch_size=batch_size))
        return [
            (text, [(offsets, next(tags)) for offsets in sentences]) for text, sentences in zip(raw, cut, strict=True)
        ]

    def write_conll(
        self,
        source: Path | Iterable[Text],
        output: Path,
        *,
        word_column: int | str | None = None,
        encoding: str | None = None,
    ) -> None:
        """Write tags in columns: next to those of a CoNLL or CoNLL-U file, or of texts a word a line with its tag.

        In CoNLL-U the tags take the place of the column that was learned, and all else stays as it is. Texts become
        CoNLL-U where `output` ends with `.conllu`.

        Args:
            source: A file, or texts.
            output: It appears when it is whole.
            word_column: Of the words in the file; by default as in the training files, or FORM of CoNLL-U.
            encoding: Of the file, where it is not UTF-8.

        Raises:
            DataError: The file cannot be read, or CoNLL-U has no column for these tags.
        """
        if isinstance(source, Path):
            reading = self._reading(word_column=word_column)

            def tag(sentences: list[PlacedSentence]) -> list[list[str]]:
                words = [words_of(sentence, reading) for sentence in sentences]
                return self.tag(words, documents=[sentence.document for sentence in sentences])

            lines = tagged_lines(source, tag, column=self.tag_column, encoding=encoding)
        else:
            named = str(self.tag_column) if format_of(output).read is read_conllu else None
            pairs = in_chunks(given_texts(source), self._tagged, chunk=1024)
            sentences = (
                ([text[start:end] for start, end in offsets], tags)
                for _, (text, found) in pairs
                for offsets, tags in found
            )
            lines = text_lines(sentences, column=named)
        with replacing(output) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)

    def stream(self, texts: Iterable[Text] | str, *, chunk: int = 1024) -> Iterator[tuple[Text, list[Entity]]]:
        """`predict` over any number of texts in order, with the memory of `chunk` of them."""
        return in_chunks(given_texts(texts), self.predict, chunk=chunk)

    predict_stream = stream  # its earlier name

    def score(
        self,
        files: Sequence[str],
        *,
        word_column: int | str | None = None,
        tag_column: int | str | None = None,
        file_scheme: FileScheme | None = None,
        output: Path | None = None,
    ) -> SpanScores | TagScores:
        """Scores on tagged files, as of `elmo train tag`; columns and scheme are those of the training files.

        Args:
            files: CoNLL or CoNLL-U.
            word_column, tag_column, file_scheme: As in `TagConfig`, where these files have others.
            output: Also write word, gold and predicted tag of each word there.

        Raises:
            DataError: The files cannot be read, or have no label that the tagger knows, or spans are compared with
                tags of single words.
        """
        reading = self._reading(word_column=word_column, tag_column=tag_column, file_scheme=file_scheme)
        if reading.plain != self.plain:
            kinds = {True: "tags of single words", False: "spans"}
            raise DataError(
                f"the tagger has learned {kinds[self.plain]}, and {', '.join(files)} is read as {kinds[reading.plain]} "
                "(--tag-column, --file-scheme)"
            )
        sentences = read_tagged(files, reading, flag="test")
        known = set(self.tags) if self.plain else {tag.partition("-")[2] for tag in self.tags} - {""}
        unseen_labels(sentences, known, flag="test", lack="the tagger does not know")
        found = self.tag(sentences.words, documents=sentences.documents)
        if output is not None:
            write_scored(output, sentences.words, sentences.tags, found, plain=self.plain)
        return scores_of(sentences.tags, found, plain=self.plain)

    def _reading(self, **asked: int | str | None) -> TagConfig:
        """How tagged files are read: as those of the training, but for what is asked."""
        own = {name: getattr(self, name) for name in ("word_column", "tag_column", "file_scheme", "max_words")}
        asked = {name: value for name, value in asked.items() if value is not None}
        return TagConfig(model="", output=Path(), train=["-"], test=["-"], **{**own, **asked})

    def line(self, given: Text, result: list[Entity] | None, *, alone: bool = False) -> str:
        """See `Predictor`."""
        if self.plain:
            spans = "  ".join(f"{word} {tag}" for tag, word, _, _ in result or []) or "(no text)"
        else:
            each = (f"{label} {span!r} {start}-{end}" for label, span, start, end in result or [])
            spans = "  ".join(each) or "(nothing)"
        return spans if alone or self.plain else f"{spans}  | {in_a_line(given)}"

    def record(self, given: Text, result: list[Entity] | None) -> JsonObject:
        """See `Predictor`."""
        found = [entity._asdict() for entity in result or []]
        if self.plain:
            return {"text": joined(given), "words": [{"tag": each.pop("label"), **each} for each in found]}
        return {"text": joined(given), "entities": found}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        if self.plain:
            figures = f"accuracy {scores['accuracy']:.4f}  macro F1 {scores['macro_f1']:.4f}"
            lines = [f"{figures} on {scores['words']:,} words in {scores['sentences']:,} sentences"]
        else:
            lines = [
                f"{scores['spans']:,} spans in {scores['sentences']:,} sentences of {scores['words']:,} words",
                line_of_average(scores),
            ]
        for label, each in scores["per_label"].items():
            lines.append(f"  {label}  {line_of_average(each)}")
        return "\n".join(lines)


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
