"""`ElmoTokenizer`: text to words and words to character ids, in the shape transformers knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import BatchEncoding, TokenizersBackend
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils.generic import PaddingStrategy

from elmokit.saved_model.remote_code import TOKENIZER_AUTO_MAP, write_remote_file
from elmokit.text.word_encoding import PAD_TOKEN, UNKNOWN_TOKEN, extended
from elmokit.text.word_rows import LEXICON_FILE, ByteRows, WordRows, load_word_rows, save_lexicon
from elmokit.text.word_tokenizer import WordTokenizer
from elmokit.text.words import Span


class ElmoTokenizer(TokenizersBackend):
    """Sentences to `char_ids` (B, W, max_characters) and `attention_mask` (B, W).

    Raw text is split Penn-style (`split="penn"`) or at blanks (`split="whitespace"`). Sentences that are lists of words
    (`is_split_into_words=True`) keep every word whole, blanks inside included. `max_length` counts words. Sentence
    markers are not added: the model does that. Padded places are rows of 0.

    `text_steps` are clean-up steps (`elmokit.text.normalize.STEPS`), which a trained head goes through: on the whole
    raw text before it is split, or with `by_word` on each word, so that offsets stay those of the raw text.
    """

    vocab_files_names = {"tokenizer_file": "tokenizer.json", "lexicon_file": LEXICON_FILE}  # noqa: RUF012 (declared by the base)
    model_input_names = ["char_ids", "attention_mask"]  # noqa: RUF012

    def __init__(
        self,
        *,
        max_characters: int = 50,
        split: Literal["penn", "whitespace"] = "penn",
        text_steps: Sequence[str] = (),
        by_word: bool = False,
        lexicon_file: str | None = None,
        word_rows: WordRows | None = None,
        **kwargs: Any,
    ) -> None:
        if max_characters < 3:
            raise ValueError(f"max_characters is {max_characters}; expected at least 3: a byte and two word markers.")
        if word_rows is None:
            read = lexicon_file is not None
            word_rows = (
                load_word_rows(Path(str(lexicon_file)), max_characters=max_characters)
                if read
                else ByteRows(max_characters)
            )
        own = WordTokenizer(word_rows, split, text_steps, by_word)
        max_characters = word_rows.max_characters
        for key in ("vocab", "merges", "tokenizer_file", "tokenizer_object"):
            kwargs.pop(key, None)  # words are never looked up: the file only tells tools that there is a tokenizer
        kwargs = {"pad_token": PAD_TOKEN, "unk_token": UNKNOWN_TOKEN, **kwargs}
        backend = Tokenizer(WordLevel({PAD_TOKEN: 0, UNKNOWN_TOKEN: 1}, unk_token=UNKNOWN_TOKEN))
        kept = {"max_characters": max_characters, "split": split, "text_steps": list(text_steps), "by_word": by_word}
        super().__init__(tokenizer_object=backend, **kept, **kwargs)  # type: ignore[no-untyped-call]
        self.max_characters = max_characters
        self.own = own

    @classmethod
    def of(cls, tokenizer: WordTokenizer) -> ElmoTokenizer:
        """A tokenizer of ours with the surface of transformers."""
        limit: dict[str, Any] = {} if tokenizer.max_words is None else {"model_max_length": tokenizer.max_words}
        return cls(
            word_rows=tokenizer.word_rows,
            split=tokenizer.split,
            text_steps=tokenizer.text_steps,
            by_word=tokenizer.by_word,
            **limit,
        )

    @property
    def word_rows(self) -> WordRows:
        """How the model reads words."""
        return self.own.word_rows

    @word_rows.setter
    def word_rows(self, rows: WordRows) -> None:
        self.own.word_rows = rows

    @property
    def split(self) -> Literal["penn", "whitespace"]:
        """How raw text is split."""
        return self.own.split

    @property
    def text_steps(self) -> list[str]:
        """The clean-up steps."""
        return list(self.own.text_steps)

    @property
    def by_word(self) -> bool:
        """Whether words are cleaned one by one."""
        return self.own.by_word

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> tuple[str, ...]:
        """The base's files, the one that Auto classes load, and the words and characters that the model looks up."""
        self.init_kwargs["auto_map"] = dict(TOKENIZER_AUTO_MAP)
        if not Path(save_directory).is_file():  # else transformers says what is wrong
            write_remote_file(Path(save_directory))
        written: tuple[str, ...] = tuple(super().save_pretrained(save_directory, *args, **kwargs))
        if not self.word_rows.lexicon():
            return written
        path = Path(save_directory) / LEXICON_FILE
        save_lexicon(self.word_rows, path)
        return (*written, str(path))

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoTokenizer") -> None:
        """Nothing: transformers would copy this module into every folder that is saved afterwards."""

    def words(self, text: str) -> list[str]:
        """The words of a raw text, as `__call__` cleans and splits it."""
        return self.own.words(text)

    def spans(self, text: str) -> list[Span]:
        """Where the words of a raw text are; it is not cleaned."""
        return self.own.spans(text)

    def _encode_plus(  # type: ignore[override]  # the base annotates return_tensors as a bool
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        split_special_tokens: bool | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        if text_pair is not None:
            raise ValueError("Got text_pair; ELMo reads single sentences. Encode the two texts one after the other.")
        if return_overflowing_tokens:
            raise ValueError("return_overflowing_tokens is not supported; cut the text before, or raise max_length.")
        sentences, is_batch = _as_batch(text, is_split_into_words=is_split_into_words)
        encodings = [self.own.encoding(sentence) for sentence in sentences]
        if truncation_strategy != TruncationStrategy.DO_NOT_TRUNCATE and max_length is not None:
            encodings = [encoding.cut(max_length, side=self.truncation_side) for encoding in encodings]
        lengths = [len(encoding.tokens) for encoding in encodings]
        data: dict[str, list[Any]] = {
            "char_ids": [self.word_rows(encoding.tokens) for encoding in encodings],
            "attention_mask": [[1] * length for length in lengths],
        }
        if return_attention_mask is False:
            del data["attention_mask"]
        if return_offsets_mapping:
            data["offset_mapping"] = [encoding.offsets for encoding in encodings]
        if return_offsets_mapping and return_special_tokens_mask:  # what the token-classification pipeline asks for
            data["input_ids"] = [[self.unk_token_id] * length for length in lengths]
        if return_special_tokens_mask:
            data["special_tokens_mask"] = [[0] * length for length in lengths]
        target = _padded_length(lengths, padding_strategy, max_length, pad_to_multiple_of)
        if target is not None:
            side = padding_side or self.padding_side
            data = {key: _padded(key, values, target, side=side) for key, values in data.items()}
            encodings = [encoding.padded(target, side=side) for encoding in encodings]
        if return_length:
            data["length"] = [len(encoding.tokens) for encoding in encodings]
        if return_tensors is None:
            data["char_ids"] = [rows.tolist() for rows in data["char_ids"]]
        if not is_batch and return_tensors is None:
            data = {key: values[0] for key, values in data.items()}
        words: Any = encodings  # BatchEncoding expects the Rust class; ours answers the same questions
        return BatchEncoding(_rows(data, return_tensors), words, tensor_type=return_tensors)

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Sentences encoded one by one to one batch; what `DataCollatorWithPadding` calls.

        The base class pads lists of numbers; a sentence here is a list of rows. Other keys, such as labels, stay.
        """
        if isinstance(encoded_inputs, Sequence):
            encoded_inputs = {key: [item[key] for item in encoded_inputs] for key in encoded_inputs[0]}
        if not isinstance(encoded_inputs, Mapping) or "char_ids" not in encoded_inputs:
            raise ValueError("Nothing to pad: expected what this tokenizer returned, with the key 'char_ids'.")
        data = {key: list(values) for key, values in encoded_inputs.items()}
        is_batch = not data["char_ids"] or np.ndim(data["char_ids"][0]) != 1 or len(data["char_ids"][0]) == 0
        if not is_batch:
            data = {key: [values] for key, values in data.items()}
        shape = (-1, self.word_rows.width)  # (W, L), also of an empty sentence that came as a bare []
        data["char_ids"] = [np.asarray(rows, dtype=np.int32).reshape(shape) for rows in data["char_ids"]]
        lengths = [len(rows) for rows in data["char_ids"]]
        if return_attention_mask is not False:
            data.setdefault("attention_mask", [[1] * length for length in lengths])
        strategy, _, max_length, _ = self._get_padding_truncation_strategies(  # type: ignore[no-untyped-call]
            padding=padding, max_length=max_length, verbose=verbose
        )
        target = _padded_length(lengths, strategy, max_length, pad_to_multiple_of)
        if target is not None:
            side = padding_side or self.padding_side
            data = {key: _padded(key, values, target, side=side) for key, values in data.items()}
        if return_tensors is None:
            data["char_ids"] = [rows.tolist() for rows in data["char_ids"]]
        if not is_batch:
            data = {key: values[0] for key, values in data.items()}
        return BatchEncoding(_rows(data, return_tensors), tensor_type=return_tensors)

    def _decode(self, token_ids: Any, *args: Any, **kwargs: Any) -> str:
        """Character ids of one word, or of the words of a sentence, back to text."""
        rows = np.asarray(token_ids)
        if rows.ndim < 2:
            return self.word_rows.decode(rows.ravel())
        return " ".join(self._decode(row) for row in rows if np.any(row))


def _as_batch(text: Any, *, is_split_into_words: bool) -> tuple[list[Any], bool]:
    """Sentences, and whether there was a batch of them around."""
    if isinstance(text, str):
        if is_split_into_words:
            raise ValueError(
                f"is_split_into_words=True expects sentences as lists of words; got the text {text[:40]!r}."
            )
        return [text], False
    if not isinstance(text, Sequence):
        raise ValueError(f"Expected a text, or a list of texts or of word lists; got {type(text).__name__}.")
    is_batch = not is_split_into_words or (len(text) > 0 and not isinstance(text[0], str))
    sentences = list(text) if is_batch else [text]
    for sentence in sentences:
        words = [sentence] if not is_split_into_words else sentence
        if (is_split_into_words and isinstance(sentence, str)) or not all(isinstance(word, str) for word in words):
            expected = "words" if is_split_into_words else "texts (for lists of words pass is_split_into_words=True)"
            raise ValueError(f"Got {str(sentence)[:40]!r} among the sentences; expected {expected}.")
    return sentences, is_batch


def _padded_length(
    lengths: list[int], strategy: PaddingStrategy, max_length: int | None, multiple: int | None
) -> int | None:
    """Words every sentence is padded to; None for no padding."""
    if strategy == PaddingStrategy.DO_NOT_PAD:
        return None
    longest = max(lengths, default=0)
    target = longest if strategy == PaddingStrategy.LONGEST or max_length is None else max(max_length, longest)
    return -(-target // multiple) * multiple if multiple else target


def _padded(key: str, values: list[Any], length: int, *, side: str) -> list[Any]:
    """One value a sentence, each with one entry a word, all made `length` long. Unknown keys are left alone."""
    if key == "char_ids":
        missing = [length - len(rows) for rows in values]
        around = [((0, count) if side == "right" else (count, 0), (0, 0)) for count in missing]
        return [np.pad(rows, width) for rows, width in zip(values, around, strict=True)]
    fillings = {"attention_mask": 0, "special_tokens_mask": 1, "offset_mapping": (0, 0), "input_ids": 0}
    filling: Any = fillings.get(key)
    if filling is None:
        return values
    return [extended(list(value), filling, length - len(value), side=side) for value in values]


def _rows(data: dict[str, Any], return_tensors: str | None) -> dict[str, Any]:
    """Character ids as one int64 array, ready for tensors; the base class says what is wrong with ragged ones."""
    rows = data["char_ids"]
    if return_tensors is not None and len({len(sentence) for sentence in rows}) == 1:
        data["char_ids"] = np.stack(rows).astype(np.int64)
    return data
