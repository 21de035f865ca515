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
SPELLING_WIDTH = 50
"""Columns of a word's bytes that are next to what a biLM reads."""

_BYTES = range(1, 257)  # ids of bytes; markers lie above

Rows = NDArray[np.integer]


class WordRows(ABC):
    """Words to rows (n, width). `max_characters` is the longest word with its two markers, where there are any."""

    width: int
    max_characters: int = 50

    @property
    def reads_spelling(self) -> bool:
        """Whether the row of a word that no table knows still tells how it is spelled."""
        return True

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

    def of_corpus(self, characters: Rows, *, n_known: int) -> Rows:
        """(n, width): the rows of the words of a corpus, which has their bytes.

        Args:
            characters: (n, max_characters) as `ByteRows` has them: the two sentence markers, then the vocabulary in its
                order, then rarer words.
            n_known: Words of the vocabulary, markers included.
        """
        spelled = ByteRows(characters.shape[1])
        return np.concatenate([self.markers(), self([spelled.decode(row) for row in characters[2:]])])


class ByteRows(WordRows):
    """UTF-8 bytes between word markers: bilm-tf, AllenNLP and every model trained here."""

    def __init__(self, max_characters: int = 50) -> None:
        self.width = self.max_characters = max_characters

    def __call__(self, words: Sequence[str]) -> Rows:
        return char_ids(words, max_characters=self.width)

    def markers(self) -> Rows:
        return marker_char_ids(self.width)

    def decode(self, row: Rows) -> str:
        inside = row[(row >= _BYTES[0]) & (row <= _BYTES[-1])]
        return (inside - 1).astype(np.uint8).tobytes().decode(errors="replace")

    def of_corpus(self, characters: Rows, *, n_known: int) -> Rows:
        return characters


class LookupRows(WordRows):
    """The number of a word, plus one: word-level models of bilm-tf. Unknown words are `<UNK>`."""

    width = 1

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words = dict(words)
        _require(self.words, (BOS, EOS, UNK), table_name="vocabulary")

    @property
    def reads_spelling(self) -> bool:
        return False

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

    def of_corpus(self, characters: Rows, *, n_known: int) -> Rows:
        """Numbers are those of the vocabulary; what lies beyond is unknown."""
        numbers = np.arange(len(characters), dtype=np.int32)
        numbers[n_known:] = self.words[UNK]
        return numbers[:, None] + 1


class WordByteRows(WordRows):
    """The number of a frequent word, plus one, then the bytes of any word as `ByteRows` has them.

    Words are looked up as they are written. Those that the table lacks, and the sentence markers, have the number 0,
    whose vector is zero: of them the bytes say all.

    Args:
        words: Numbers of the words of the table, from 0, the most frequent first.
        max_characters: Bytes of a word plus its two markers.
        other_case: A word that the table lacks has the number of the most frequent one that differs only in case:
            `STOCKS` that of `stocks`. The bytes still tell them apart.
    """

    def __init__(self, words: Mapping[str, int], *, max_characters: int = 50, other_case: bool = False) -> None:
        self.words, self._bytes = dict(words), ByteRows(max_characters)
        self.width, self.max_characters = max_characters + 1, max_characters
        self._dtype = np.int16 if len(words) < np.iinfo(np.int16).max else np.int32
        self._folded: dict[str, int] = {}
        if other_case:
            for word in sorted(self.words, key=self.words.__getitem__):
                self._folded.setdefault(word.casefold(), self.words[word])

    def __call__(self, words: Sequence[str]) -> Rows:
        return self._rows([self._number(word) + 1 for word in words], self._bytes(words))

    def markers(self) -> Rows:
        return self._rows([0, 0], self._bytes.markers())

    def decode(self, row: Rows) -> str:
        return self._bytes.decode(row[1:])

    def lexicon(self) -> dict[str, dict[str, int]]:
        return {
            "words": self.words,
            "bytes": {"width": self.max_characters} | ({"other_case": 1} if self._folded else {}),
        }

    def _number(self, word: str) -> int:
        number = self.words.get(word)
        if number is None and self._folded:
            number = self._folded.get(word.casefold())
        return -1 if number is None else number

    def _rows(self, numbers: Sequence[int], spelled: Rows) -> Rows:
        rows = np.empty((len(numbers), self.width), dtype=self._dtype)
        rows[:, 0], rows[:, 1:] = numbers, spelled
        return rows


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
    def reads_spelling(self) -> bool:
        return bool(self.characters)

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


class PieceRows(WordRows):
    """The numbers of a word's pieces, plus one: byte-pair encoding (Sennrich et al. 2016) over UTF-8 bytes.

    A word that training never saw falls into known pieces, in the worst case into bytes. Words are cut to `max_pieces`.

    Args:
        pieces: Ids of the pieces, the two sentence markers among them.
        merges: Rank of each merge of two pieces, written `left right`.
        max_pieces: Positions of a row.
    """

    def __init__(self, pieces: Mapping[str, int], merges: Mapping[str, int], *, max_pieces: int = 12) -> None:
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel

        self.pieces, self.merges = dict(pieces), dict(merges)
        self.width = self.max_characters = max_pieces
        _require(self.pieces, (BOS, EOS), table_name="table of pieces")
        ranked = sorted(self.merges, key=self.merges.__getitem__)
        pairs = [(left, right) for left, _, right in (pair.partition(" ") for pair in ranked)]
        try:
            self._tokenizer = Tokenizer(BPE(self.pieces, pairs))
        except Exception as error:  # whatever the Rust side finds wrong with them
            raise ModelError(f"the model's pieces and merges do not fit: {error}") from error
        self._tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)

    @classmethod
    def trained(cls, counts: Mapping[str, int], *, n_pieces: int = 8000, max_pieces: int = 12) -> PieceRows:
        """Pieces for words that occur as often as `counts` says: the bytes, then the most frequent merges."""
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel
        from tokenizers.trainers import BpeTrainer

        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
        trainer = BpeTrainer(
            vocab_size=n_pieces, special_tokens=[BOS, EOS], initial_alphabet=ByteLevel.alphabet(), show_progress=False
        )
        tokenizer.train_from_iterator((word for word, count in counts.items() for _ in range(count)), trainer)
        model = json.loads(tokenizer.to_str())["model"]
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
        return cls(model["vocab"], {pair: rank for rank, pair in enumerate(merges)}, max_pieces=max_pieces)

    def __call__(self, words: Sequence[str]) -> Rows:
        rows = np.zeros((len(words), self.width), dtype=np.int32)
        encoded = self._tokenizer.encode_batch([replace_surrogates(word) or " " for word in words])
        for row, word in zip(rows, encoded, strict=True):
            ids = word.ids[: self.width]
            row[: len(ids)] = np.asarray(ids) + 1
        return rows

    def markers(self) -> Rows:
        rows = np.zeros((2, self.width), dtype=np.int32)
        rows[:, 0] = self.pieces[BOS] + 1, self.pieces[EOS] + 1
        return rows

    def decode(self, row: Rows) -> str:
        names = {number: piece for piece, number in self.pieces.items() if piece not in (BOS, EOS)}
        return self._bytes([names[int(number) - 1] for number in row if int(number) - 1 in names])

    def lexicon(self) -> dict[str, dict[str, int]]:
        return {"pieces": self.pieces, "merges": self.merges}

    @staticmethod
    def _bytes(pieces: Sequence[str]) -> str:
        from tokenizers.decoders import ByteLevel

        text: str = ByteLevel().decode(list(pieces))
        return text


class JoinedRows(WordRows):
    """What a biLM reads of a word, and behind it what the features next to the biLM read.

    Args:
        first: The rows of the biLM.
        static: Numbers of the words in a table of static vectors, from 0: one more column; what is missing is 0.
        spelled: The word's bytes, as `ByteRows` has them, for a char CNN of the head's own: 50 more columns.
        lower_case: A word that `static` lacks is looked up in lower case, as uncased vectors want it.
    """

    def __init__(
        self,
        first: WordRows,
        static: Mapping[str, int] | None = None,
        *,
        spelled: bool = False,
        lower_case: bool = True,
    ) -> None:
        self.first, self.static, self.spelled = first, None if static is None else dict(static), spelled
        self.lower_case = lower_case
        self.width = first.width + (static is not None) + SPELLING_WIDTH * spelled
        self.max_characters = first.max_characters

    @property
    def reads_spelling(self) -> bool:
        return self.spelled or self.first.reads_spelling

    def __call__(self, words: Sequence[str]) -> Rows:
        parts = [self.first(words)]
        if self.static is not None:
            numbers: list[int] = []
            for word in words:
                number = self.static.get(word)
                if number is None and self.lower_case:
                    number = self.static.get(word.lower())
                numbers.append(0 if number is None else number + 1)
            parts.append(np.asarray(numbers).reshape(-1, 1))
        if self.spelled:
            parts.append(char_ids(words, max_characters=SPELLING_WIDTH))
        return _side_by_side(parts)

    def markers(self) -> Rows:
        parts = [self.first.markers()]
        if self.static is not None:
            parts.append(np.zeros((2, 1), dtype=np.int32))
        if self.spelled:
            parts.append(marker_char_ids(SPELLING_WIDTH))
        return _side_by_side(parts)

    def decode(self, row: Rows) -> str:
        return self.first.decode(row[: self.first.width])

    def lexicon(self) -> dict[str, dict[str, int]]:
        static = {} if self.static is None else {"static": self.static}
        cased = {} if self.static is None or self.lower_case else {"cased": {"static": 1}}
        spelling = {"spelling": {"width": SPELLING_WIDTH}} if self.spelled else {}
        return self.first.lexicon() | static | cased | spelling


def _side_by_side(parts: Sequence[Rows]) -> Rows:
    return np.hstack([part.astype(np.int32) for part in parts])


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
    """The convention that `save_lexicon` wrote: words, pieces, words and bytes or characters, and what is next to.

    Args:
        path: The file.
        max_characters: Width of a row of characters or pieces.

    Raises:
        ModelError: The file is missing or damaged.
    """
    if not path.exists():
        raise ModelError(f"there is no {path}, which a model that looks words up needs")
    tables = read_json_object(path)
    for table in tables.values():
        if not isinstance(table, dict) or not all(isinstance(id_, int) for id_ in table.values()):
            raise ModelError(f"{path} is damaged; expected tables of words and characters with their ids")
    static, spelled = tables.pop("static", None), tables.pop("spelling", None) is not None
    lower_case = tables.pop("cased", None) is None
    first = _of_bilm(tables, max_characters) if tables else ByteRows(max_characters)
    if not spelled and static is None:
        return first
    return JoinedRows(first, static, spelled=spelled, lower_case=lower_case)


def check_table_sizes(rows: WordRows, *, words: int, characters: int, static: int = 0) -> None:
    """Every number that `rows` can give has a row in a model's tables of these sizes; 0: the model has no such table.

    Raises:
        ModelError: It has not.
    """
    for name, table in rows.lexicon().items():
        if name in ("merges", "spelling", "bytes", "cased"):
            continue  # ranks; widths
        size = {"characters": characters, "static": static}.get(name, words)
        beyond = [entry for entry, number in table.items() if not 0 <= number + 1 < max(size, 1)]
        if beyond and size:
            raise ModelError(
                f"the table of {name} gives {beyond[0]!r} the number {table[beyond[0]]}, "
                f"but the model's table has {size - 1} rows"
            )


def _of_bilm(tables: Mapping[str, Mapping[str, int]], max_characters: int) -> WordRows:
    if "pieces" in tables:
        return PieceRows(tables["pieces"], tables.get("merges", {}), max_pieces=max_characters)
    if "bytes" in tables:
        other_case = bool(tables["bytes"].get("other_case"))
        return WordByteRows(tables.get("words", {}), max_characters=max_characters, other_case=other_case)
    if "characters" not in tables:
        return LookupRows(tables.get("words", {}))
    return DictionaryRows(words=tables.get("words", {}), characters=tables["characters"], max_characters=max_characters)
