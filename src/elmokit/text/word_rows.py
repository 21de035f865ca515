"""What a token encoder reads of a word: a row of integers, by the convention its model was trained under.

Id 0 is sentence padding in every convention, so a row of zeros is no word.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ModelError
from elmokit.text.char_ids import BOS, EOS, UNK, char_ids, marker_char_ids, replace_surrogates
from elmokit.whole_files import read_json_object

LEXICON_FILE = "lexicon.json"

_BYTES = range(1, 257)  # ids of bytes; markers lie above

Rows = NDArray[np.integer]


class WordRows(ABC):
    """Words to rows (n, width). `max_characters` is the longest word with its two markers, where there are any."""

    width: int
    max_characters: int = 50

    @abstractmethod
    def __call__(self, words: Sequence[str]) -> Rows:
        """(n, width): the row of each word."""

    @abstractmethod
    def markers(self) -> Rows:
        """(2, width): the rows of the begin and the end of a sentence."""

    @abstractmethod
    def decode(self, row: Rows) -> str:
        """The word of a row, as far as it can be told; nothing for padding and sentence markers."""

    def lexicon(self) -> dict[str, dict[str, int]]:
        """What the convention looks up, by the name of the table; nothing where it reads bytes."""
        return {}


class ByteRows(WordRows):
    """UTF-8 bytes between word markers: bilm-tf, AllenNLP and every model trained here."""

    def __init__(self, max_characters: int = 50) -> None:
        self.width = self.max_characters = max_characters

    def __call__(self, words: Sequence[str]) -> Rows:
        return char_ids(words, max_characters=self.width)

    def markers(self) -> Rows:
        return marker_char_ids(self.width)

    def decode(self, row: Rows) -> str:
        return bytes(int(i) - 1 for i in row if i in _BYTES).decode(errors="replace")


class LookupRows(WordRows):
    """The number of a word, plus one: word-level models of bilm-tf. Unknown words are `<UNK>`."""

    width = 1

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words = dict(words)
        _require(self.words, (BOS, EOS, UNK), table_name="vocabulary")

    def __call__(self, words: Sequence[str]) -> Rows:
        unknown = self.words[UNK]
        ids = [self.words.get(word, unknown) + 1 for word in words]
        return np.asarray(ids, dtype=np.int32).reshape(-1, 1)

    def markers(self) -> Rows:
        return self([BOS, EOS])

    def decode(self, row: Rows) -> str:
        return _named(self.words, int(row[0]) - 1, hidden=(BOS, EOS))

    def lexicon(self) -> dict[str, dict[str, int]]:
        return {"words": self.words}


class DictionaryRows(WordRows):
    """The conventions of ELMoForManyLangs: the number of the word, then the numbers of its Unicode characters.

    Its word markers are swapped on purpose: the published models were trained with `<eow>` before a word and `<bow>`
    behind it. Words are cut to `max_characters - 2` characters; what a dictionary does not know is `<oov>`; unused
    positions are `<pad>`, which has a learned vector. Sentence markers are one character, `<bos>` or `<eos>`.

    Args:
        words: Ids of words; empty for a model without a word table (the first column is then 0).
        characters: Ids of characters; empty for a model without them (the other columns are then 0).
        max_characters: Positions of a word, its two markers included.
    """

    def __init__(self, *, words: Mapping[str, int], characters: Mapping[str, int], max_characters: int = 50) -> None:
        self.words, self.characters = dict(words), dict(characters)
        self.width, self.max_characters = max_characters + 1, max_characters
        if words:
            _require(self.words, ("<oov>",), table_name="word dictionary")
        if characters:
            markers = ("<bos>", "<eos>", "<bow>", "<eow>", "<oov>", "<pad>")
            _require(self.characters, markers, table_name="character dictionary")

    @property
    def padding(self) -> int:
        """The id of an unused position inside a word."""
        return self.characters["<pad>"] + 1 if self.characters else 0

    def __call__(self, words: Sequence[str]) -> Rows:
        room = self.width - 3
        return self._rows([word[:room] for word in words], [word[:room] for word in words])

    def markers(self) -> Rows:
        return self._rows(["<bos>", "<eos>"], [["<bos>"], ["<eos>"]])

    def decode(self, row: Rows) -> str:
        hidden = ("<bos>", "<eos>", "<bow>", "<eow>", "<pad>")
        if not self.characters:
            return _named(self.words, int(row[0]) - 1, hidden=hidden)
        return "".join(_named(self.characters, int(number) - 1, hidden=hidden) for number in row[1:])

    def lexicon(self) -> dict[str, dict[str, int]]:
        return {"words": self.words, "characters": self.characters}

    def _rows(self, words: Sequence[str], spelled: Sequence[Sequence[str]]) -> Rows:
        rows = np.full((len(words), self.width), self.padding, dtype=np.int32)
        unknown = self.words.get("<oov>", -1)  # -1: no word table, column 0 is 0
        rows[:, 0] = [self.words.get(word, unknown) + 1 for word in words]
        if self.characters:
            ids = self.characters
            for row, characters in zip(rows, spelled, strict=True):
                middle = [ids.get(character, ids["<oov>"]) for character in characters]
                row[1 : len(middle) + 3] = np.asarray([ids["<eow>"], *middle, ids["<bow>"]]) + 1
        return rows


def _named(table: Mapping[str, int], number: int, *, hidden: Sequence[str]) -> str:
    found = next((entry for entry, id_ in table.items() if id_ == number), "")
    return "" if found in hidden else found


def _require(table: Mapping[str, int], entries: Sequence[str], *, table_name: str) -> None:
    missing = [entry for entry in entries if entry not in table]
    if missing:
        raise ModelError(f"the model's {table_name} lacks {', '.join(missing)}")


def save_lexicon(rows: WordRows, path: Path) -> None:
    """Write what `rows` looks up."""
    path.write_text(replace_surrogates(json.dumps(rows.lexicon(), ensure_ascii=False)), encoding="utf-8")


def load_word_rows(path: Path, *, max_characters: int = 50) -> WordRows:
    """The convention that `save_lexicon` wrote: whole words, or words and characters.

    Raises:
        ModelError: The file is missing or damaged.
    """
    tables = _load_lexicon(path)
    if "characters" not in tables:
        return LookupRows(tables.get("words", {}))
    return DictionaryRows(words=tables.get("words", {}), characters=tables["characters"], max_characters=max_characters)


def _load_lexicon(path: Path) -> dict[str, dict[str, int]]:
    if not path.exists():
        raise ModelError(f"there is no {path}, which a model that looks words up needs")
    tables = read_json_object(path)
    for table in tables.values():
        if not isinstance(table, dict) or not all(isinstance(id_, int) for id_ in table.values()):
            raise ModelError(f"{path} is damaged; expected tables of words and characters with their ids")
    return tables
