"""One entry for each token encoder: all that the other files ask about it, in one place and without PyTorch.

An encoder's module is in `token_encoders.py` (`CharCNN` in `char_cnn.py`), what it reads of a word in
`elmokit.text.word_rows`. Everything else asks the entry, so no other file compares names of encoders.
"""

# No `from __future__ import annotations`: `ElmoConfig`, which has these fields too, checks their types at run time.

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from elmokit.text.char_ids import N_CHARACTERS, marker_char_ids
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.word_rows import ByteRows, LookupRows, PieceRows, WordByteRows, WordRows

if TYPE_CHECKING:
    from elmokit.nn.char_cnn import CharCNN
    from elmokit.nn.config import NetworkConfig, NetworkFields
    from elmokit.nn.token_encoder import TokenEncoder

TokenEncoderName = Literal["char_cnn", "word", "subword", "word_char"]


@dataclass(kw_only=True)
class TokenFields:
    """The fields of a `NetworkConfig` that are about its token encoder. `ElmoConfig` explains each."""

    token_encoder: TokenEncoderName = "char_cnn"
    n_words: int = 0
    max_pieces_per_token: int = 12
    word_dim: int = 0
    n_characters: int = 262
    character_padding: int = 261
    marker_rows: list[list[int]] | None = None
    max_characters_per_token: int = 50
    char_embedding_dim: int = 16
    filters: list[list[int]] | None = None
    n_highway: int = 1
    char_cnn_activation: Literal["relu", "tanh"] = "relu"


class NewTables(Protocol):
    """The settings of a pretraining run that say how large a new encoder's table of words or pieces is."""

    @property
    def word_table(self) -> int:
        """Words that have a vector of their own next to their characters."""

    @property
    def n_pieces(self) -> int:
        """Pieces of words."""


class Graph(Protocol):
    """An ONNX graph as it grows: each method gives the name of its result."""

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node with one result."""

    def integers(self, *values: int) -> str:
        """A constant of one dimension."""

    def number(self, value: float) -> str:
        """A constant of no dimension."""

    def weight(self, name: str, *shape: int) -> str:
        """A weight of the model by its name."""

    def linear(self, x: str, name: str, *, outputs: int, inputs: int) -> str:
        """x (N, inputs) through an `nn.Linear` to (N, outputs)."""


class TokenKind(ABC):
    """A token encoder as other files see it.

    Attributes:
        reads: What it reads, in words.
        table: What its table of `n_words` rows is a table of: the name of that table in `lexicon.json`.
        needs_lexicon: It looks something up. Without, it reads bytes (`ByteRows`).
        reads_spelling: A word that no table knows still differs from others.
        vector_field: The field with the size of a word's own vector; None: words have none.
        least_layers: LSTM layers that a model needs over it.
        in_bilm_tf: The files of bilm-tf have it.
    """

    reads: ClassVar[str]
    table: ClassVar[str] = "words"
    needs_lexicon: ClassVar[bool] = True
    reads_spelling: ClassVar[bool] = True
    vector_field: ClassVar[str | None] = None
    least_layers: ClassVar[int] = 1
    in_bilm_tf: ClassVar[bool] = False

    def positions(self, shape: TokenFields) -> int:
        """Characters or pieces of a word that are read."""
        return shape.max_characters_per_token

    @abstractmethod
    def width(self, shape: TokenFields) -> int:
        """Integers that are read of a word."""

    def markers(self, shape: TokenFields) -> list[list[int]]:
        """The rows of the begin and the end of a sentence, where a model has no `marker_rows`."""
        rows: list[list[int]] = marker_char_ids(self.width(shape)).tolist()
        return rows

    def first_character(self, shape: TokenFields) -> int | None:
        """The column from which on a row has characters; None: it has none."""
        return None

    @abstractmethod
    def padding_numbers(self, shape: "NetworkConfig") -> int:
        """Numbers in the padding rows of its tables."""

    @abstractmethod
    def check(self, shape: TokenFields) -> None:
        """Raise `ValueError` for a table without the rows that it needs."""

    @abstractmethod
    def build(self, shape: "NetworkConfig") -> "TokenEncoder":
        """Its module, with new weights."""

    @abstractmethod
    def graph(self, g: Graph, rows: str, shape: "NetworkConfig") -> str:
        """Its nodes in an ONNX graph: `rows` (N, width) to vectors (N, P)."""

    # A new model ----------------------------------------------------------------------------------------------------

    def new_fields(self, values: Mapping[str, Any]) -> "NetworkFields":
        """The fields of a model that is to be pretrained, from those that are set."""
        return {**values, "n_characters": 0}

    @abstractmethod
    def new_rows(self, vocabulary: Vocabulary, shape: TokenFields, settings: NewTables) -> WordRows:
        """How a model that is to be pretrained reads words, from the words of its text."""


class Characters(TokenKind):
    """The bytes of a word (Kim et al. 2016): every published English model."""

    reads = "characters"
    needs_lexicon = False
    in_bilm_tf = True

    def width(self, shape: TokenFields) -> int:
        return shape.max_characters_per_token

    def first_character(self, shape: TokenFields) -> int | None:
        return 0

    def padding_numbers(self, shape: "NetworkConfig") -> int:
        return shape.char_embedding_dim

    def check(self, shape: TokenFields) -> None:
        if shape.n_characters < N_CHARACTERS:
            raise ValueError(f"n_characters is {shape.n_characters}; expected at least {N_CHARACTERS}.")

    def build(self, shape: "NetworkConfig") -> "TokenEncoder":
        return _char_cnn(shape, projection_dim=shape.projection_dim)

    def graph(self, g: Graph, rows: str, shape: "NetworkConfig") -> str:
        vectors, n_filters = _char_cnn_graph(g, rows, shape, "token_encoder"), _n_filters(shape)
        if n_filters == shape.projection_dim:
            return vectors
        return g.linear(vectors, "token_encoder.projection", outputs=shape.projection_dim, inputs=n_filters)

    def new_fields(self, values: Mapping[str, Any]) -> "NetworkFields":
        return dict(values)

    def new_rows(self, vocabulary: Vocabulary, shape: TokenFields, settings: NewTables) -> WordRows:
        return ByteRows(shape.max_characters_per_token)


class Words(TokenKind):
    """The number of a word: word-level models of bilm-tf, and static vectors."""

    reads = "words"
    reads_spelling = False
    vector_field = "projection_dim"
    least_layers = 0
    in_bilm_tf = True

    def width(self, shape: TokenFields) -> int:
        return 1

    def markers(self, shape: TokenFields) -> list[list[int]]:
        return [[1], [2]]

    def padding_numbers(self, shape: "NetworkConfig") -> int:
        return shape.projection_dim

    def check(self, shape: TokenFields) -> None:
        _check_words(shape)

    def build(self, shape: "NetworkConfig") -> "TokenEncoder":
        from elmokit.nn.token_encoders import WordEmbedding

        return WordEmbedding(n_words=shape.n_words, dim=shape.projection_dim)

    def graph(self, g: Graph, rows: str, shape: "NetworkConfig") -> str:
        table = g.weight("token_encoder.embedding.weight", shape.n_words, shape.projection_dim)
        return g.add("Gather", table, g.add("Squeeze", rows, g.integers(1)))

    def new_rows(self, vocabulary: Vocabulary, shape: TokenFields, settings: NewTables) -> WordRows:
        return LookupRows({word: number for number, word in enumerate(vocabulary.words)})


class Pieces(TokenKind):
    """The pieces of a word, by byte-pair encoding."""

    reads = "pieces of words"
    table = "pieces"

    def positions(self, shape: TokenFields) -> int:
        return shape.max_pieces_per_token

    def width(self, shape: TokenFields) -> int:
        return shape.max_pieces_per_token

    def padding_numbers(self, shape: "NetworkConfig") -> int:
        return shape.projection_dim

    def check(self, shape: TokenFields) -> None:
        _check_words(shape)

    def build(self, shape: "NetworkConfig") -> "TokenEncoder":
        from elmokit.nn.token_encoders import SubwordEncoder

        return SubwordEncoder(n_pieces=shape.n_words, dim=shape.projection_dim)

    def graph(self, g: Graph, rows: str, shape: "NetworkConfig") -> str:
        size = shape.projection_dim
        pieces = g.add("Gather", g.weight("token_encoder.embedding.weight", shape.n_words, size), rows)  # (N, L, P)
        real = g.add("Cast", g.add("Greater", rows, g.integers(0)), to=1)  # (N, L)
        counts = g.add("Max", g.add("ReduceSum", real, g.integers(1), keepdims=1), g.number(1))  # (N, 1)
        places = g.add("Constant", value_floats=[float(place + 1) for place in range(self.width(shape))])
        is_last = g.add("Cast", g.add("Equal", counts, places), to=1)  # (N, L)
        last = g.add(
            "ReduceSum", g.add("Mul", pieces, g.add("Unsqueeze", is_last, g.integers(2))), g.integers(1), keepdims=0
        )
        first = g.add("Squeeze", g.add("Slice", pieces, g.integers(0), g.integers(1), g.integers(1)), g.integers(1))
        mean = g.add("Div", g.add("ReduceSum", pieces, g.integers(1), keepdims=0), counts)
        joined = g.add("Concat", first, last, mean, axis=1)
        return g.linear(joined, "token_encoder.projection", outputs=size, inputs=3 * size)

    def new_rows(self, vocabulary: Vocabulary, shape: TokenFields, settings: NewTables) -> WordRows:
        counts = dict(zip(vocabulary.words, vocabulary.counts, strict=True))
        return PieceRows.trained(counts, n_pieces=settings.n_pieces, max_pieces=shape.max_pieces_per_token)


class WordsAndCharacters(TokenKind):
    """The number of a word and its characters (Che et al. 2018, ELMoForManyLangs); either may be missing."""

    reads = "words and characters side by side"
    vector_field = "word_dim"

    def width(self, shape: TokenFields) -> int:
        return shape.max_characters_per_token + 1

    def first_character(self, shape: TokenFields) -> int | None:
        return 1 if shape.n_characters else None

    def padding_numbers(self, shape: "NetworkConfig") -> int:
        return shape.word_dim * bool(shape.n_words) + shape.char_embedding_dim * bool(shape.n_characters)

    def check(self, shape: TokenFields) -> None:
        if shape.n_characters < 0:
            raise ValueError(f"n_characters is {shape.n_characters}; expected at least 0.")
        if (shape.n_words > 0) != (shape.word_dim > 0):
            raise ValueError(f"n_words is {shape.n_words} and word_dim {shape.word_dim}; expected both or neither.")
        if not shape.n_words and not shape.n_characters:
            raise ValueError("n_words and n_characters are 0; expected a table of words, of characters, or both.")

    def build(self, shape: "NetworkConfig") -> "TokenEncoder":
        from elmokit.nn.token_encoders import WordCharEncoder, WordEmbedding

        characters = _char_cnn(shape, projection_dim=None) if shape.n_characters else None
        words = WordEmbedding(n_words=shape.n_words, dim=shape.word_dim) if shape.n_words else None
        return WordCharEncoder(words=words, characters=characters, projection_dim=shape.projection_dim)

    def graph(self, g: Graph, rows: str, shape: "NetworkConfig") -> str:
        end = g.integers(2**31)
        parts, width = [], 0
        if shape.n_words:
            table = g.weight("token_encoder.words.embedding.weight", shape.n_words, shape.word_dim)
            first = g.add("Slice", rows, g.integers(0), g.integers(1), g.integers(1))
            parts.append(g.add("Gather", table, g.add("Squeeze", first, g.integers(1))))
            width += shape.word_dim
        if shape.n_characters:
            spelled = g.add("Slice", rows, g.integers(1), end, g.integers(1))
            parts.append(_char_cnn_graph(g, spelled, shape, "token_encoder.characters"))
            width += _n_filters(shape)
        joined = parts[0] if len(parts) == 1 else g.add("Concat", *parts, axis=1)
        return g.linear(joined, "token_encoder.projection", outputs=shape.projection_dim, inputs=width)

    def new_fields(self, values: Mapping[str, Any]) -> "NetworkFields":
        return {"word_dim": 128, **values}

    def new_rows(self, vocabulary: Vocabulary, shape: TokenFields, settings: NewTables) -> WordRows:
        frequent = vocabulary.words[len(MARKERS) :][: settings.word_table]
        table = {word: number for number, word in enumerate(frequent)}
        return WordByteRows(table, max_characters=shape.max_characters_per_token, other_case=True)


TOKEN_KINDS: dict[TokenEncoderName, TokenKind] = {
    "char_cnn": Characters(),
    "word": Words(),
    "subword": Pieces(),
    "word_char": WordsAndCharacters(),
}


class NamesEncoder(Protocol):
    """Settings or a configuration with a token encoder."""

    @property
    def token_encoder(self) -> TokenEncoderName:
        """Its name."""


def kind_of(settings: NamesEncoder) -> TokenKind:
    """The entry of the token encoder that settings name."""
    return TOKEN_KINDS[settings.token_encoder]


def names_where(wanted: str) -> str:
    """The encoders with some attribute of `TokenKind`, as an error lists them."""
    *most, last = [name for name, kind in TOKEN_KINDS.items() if getattr(kind, wanted)]
    return f"{', '.join(most)} or {last}" if most else last


def _check_words(shape: TokenFields) -> None:
    if shape.n_characters < 0:
        raise ValueError(f"n_characters is {shape.n_characters}; expected at least 0.")
    if shape.n_words < 3:
        raise ValueError(f"n_words is {shape.n_words}; expected at least 3: padding and the two sentence markers.")


def _char_cnn(shape: TokenFields, *, projection_dim: int | None) -> "CharCNN":
    from elmokit.nn.char_cnn import CharCNN

    return CharCNN(
        n_characters=shape.n_characters,
        embedding_dim=shape.char_embedding_dim,
        filters=shape.filters or [],
        n_highway=shape.n_highway,
        projection_dim=projection_dim,
        activation=shape.char_cnn_activation,
        max_characters=shape.max_characters_per_token,
        padding=shape.character_padding,
    )


def _char_cnn_graph(g: Graph, characters: str, shape: TokenFields, name: str) -> str:
    """(N, L) to the maxima of the filters behind the highways, (N, filters)."""
    table = g.weight(f"{name}.embedding.weight", shape.n_characters, shape.char_embedding_dim)
    x = g.add("Transpose", g.add("Gather", table, characters), perm=[0, 2, 1])  # (N, E, L)
    maxima = []
    for number, (width, count) in enumerate(shape.filters or []):
        kernel = g.weight(f"{name}.convolutions.{number}.weight", count, shape.char_embedding_dim, width)
        bias = g.weight(f"{name}.convolutions.{number}.bias", count)
        maxima.append(g.add("ReduceMax", g.add("Conv", x, kernel, bias), g.integers(2), keepdims=0))
    x = g.add("Relu" if shape.char_cnn_activation == "relu" else "Tanh", g.add("Concat", *maxima, axis=1))
    size = _n_filters(shape)
    for number in range(shape.n_highway):
        part = f"{name}.highways.{number}"
        gate = g.add("Sigmoid", g.linear(x, f"{part}.carry", outputs=size, inputs=size))
        transformed = g.add("Relu", g.linear(x, f"{part}.transform", outputs=size, inputs=size))
        x = g.add("Add", x, g.add("Mul", gate, g.add("Sub", transformed, x)))
    return x


def _n_filters(shape: TokenFields) -> int:
    return sum(count for _, count in shape.filters or [])
