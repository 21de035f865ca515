"""Translations of new texts, from a folder that `elmo train translate` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from elmokit.errors import ModelError
from elmokit.nn.beam_search import LengthNorm
from elmokit.nn.heads.translation import TranslationNetwork
from elmokit.pretrained import located
from elmokit.tasks.inputs.batches import CharDataset, by_falling_length
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.trained import UNKNOWN_TRAINING, Tokenizer, TrainedOn, load_head, steps_of, word_splitter
from elmokit.tasks.translation.data import read_pairs
from elmokit.tasks.translation.scores import BleuScores, bleu_lines, bleu_scores
from elmokit.text.given import Text, given_texts, joined
from elmokit.text.normalize import normalize, normalize_words
from elmokit.text.sentence_pieces import SentencePieces
from elmokit.whole_files import JsonObject


class Translator:
    """A trained translator: `Translator.from_pretrained(folder).translate(["Ein Hund rennt."])`.

    Args:
        model: The network.
        tokenizer: How it reads words.
        pieces: What it writes.
        max_words: Longer texts are translated in parts of so many words.
        beam_size, length_norm, length_penalty: See `elmokit.nn.beam_search.beam_search`.
        max_ratio: A translation has at most ten pieces more than this times the words of its source.
        skip_empty: `score` leaves out lines that are empty on one side.
    """

    parts: ClassVar[Sequence[str]] = ()
    trained_on: ClassVar[TrainedOn] = UNKNOWN_TRAINING

    def __init__(
        self,
        model: TranslationNetwork,
        tokenizer: Tokenizer,
        pieces: SentencePieces,
        *,
        max_words: int = 128,
        beam_size: int = 5,
        length_norm: LengthNorm = "gnmt",
        length_penalty: float = 1.0,
        max_ratio: float = 3.0,
        skip_empty: bool = False,
    ) -> None:
        self.model, self.tokenizer, self.pieces = model.train(False), tokenizer, pieces
        self.max_words, self.beam_size = max_words, beam_size
        self.length_norm, self.length_penalty, self.max_ratio = length_norm, length_penalty, max_ratio
        self.skip_empty = skip_empty
        self._split = word_splitter(tokenizer)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Load a folder of `elmo train translate`, with the search it was measured under.

        Raises ModelError when the folder is missing, damaged or contains no translator.
        """
        head = load_head(TranslationNetwork, folder, holds="translator", task="translate")
        pieces, wanted = SentencePieces.load(located(folder)), head.network.config.n_target_pieces
        if len(pieces) != wanted:
            raise ModelError(f"{folder} has {len(pieces)} target pieces; its config.json asks for {wanted}")
        kept = head.kept("max_words", "beam_size", "length_norm", "length_penalty", "max_ratio", "skip_empty")
        return cls(head.network, head.tokenizer, pieces, **kept)

    def predict(self, texts: Iterable[Text] | str, *, batch_size: int = 64) -> list[str]:
        """The best translation of each text, raw or a list of words. A text without words has an empty one.

        Raises:
            ValueError: A text is missing, or a mapping or a table of several columns came.
        """
        steps = steps_of(self.model, self.tokenizer)
        texts = list(given_texts(texts))
        parts: list[list[str]] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            words = self._split(normalize(text, steps)) if isinstance(text, str) else normalize_words(text, steps)
            for start in range(0, len(words), self.max_words):
                parts.append(words[start : start + self.max_words])
                owners.append(number)
        if not parts:
            return ["" for _ in texts]
        tokens = tokenize(parts, max_words=self.max_words, word_rows=self.tokenizer.word_rows)
        translated = [""] * len(parts)
        for picked, batch in by_falling_length(CharDataset(tokens, rows=np.arange(len(parts))), batch_size=batch_size):
            hypotheses = self.model.translate(
                char_ids=batch["char_ids"].to(self.model.device),
                attention_mask=batch["attention_mask"].to(self.model.device),
                beam=self.beam_size,
                norm=self.length_norm,
                power=self.length_penalty,
                max_ratio=self.max_ratio,
            )
            for row, best in zip(picked, hypotheses, strict=True):
                # A line of text is trained on and asked for; a stray line break would shift all behind it.
                translated[row] = " ".join(self.pieces.decode(best[0].pieces).split())
        found: list[list[str]] = [[] for _ in texts]
        for owner, text in zip(owners, translated, strict=True):
            found[owner].append(text)
        return [" ".join(filter(None, row)) for row in found]

    def stream(self, texts: Iterable[Text] | str, *, chunk: int = 1024) -> Iterator[tuple[Text, str]]:
        """`predict` over any number of texts in order, with the memory of `chunk` of them."""
        return in_chunks(given_texts(texts), self.predict, chunk=chunk)

    translate, translate_stream = predict, stream  # their earlier names, and the verb of the task

    def score(self, files: Sequence[str], target: Sequence[str]) -> BleuScores:
        """`bleu_scores` on parallel files, as of `elmo train translate`.

        Args:
            files: Sentences to translate, one per line.
            target: Files with their translations, line by line.

        Raises:
            DataError: The files cannot be read or are not aligned.
        """
        pairs = read_pairs(files, target, flags=("--test", "--target"), skip_empty=self.skip_empty or None)
        return bleu_scores(pairs.target, self.predict(pairs.source))

    def line(self, given: Text, result: str | None, *, alone: bool = False) -> str:
        """See `Predictor`."""
        return result or ""

    def record(self, given: Text, result: str | None) -> JsonObject:
        """See `Predictor`."""
        return {"text": joined(given).strip(), "translation": result or ""}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        return bleu_lines(scores)
