"""What may be asked, typed. Every text has a length, every list a size."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from elmokit.web.limits import (
    LONGEST_WORD,
    MOST_CHARACTERS,
    MOST_NEIGHBOURS,
    MOST_SENTENCES,
    MOST_SUBSTITUTES,
    MOST_TEXTS,
    MOST_USES,
    MOST_WORDS,
    UPLOAD_CHARACTERS,
)

UNKNOWN_KEY: Final = "unknown_key"


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains a null character")
    return text


def _readable(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank; expected at least one word")
    return _without_null(text)


def _kind(value: Any) -> str:
    return "words" if isinstance(value, list) else "text"


Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_readable)]
Word = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD), AfterValidator(_readable)]
Words = Annotated[list[Word], Field(min_length=1, max_length=MOST_WORDS)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Sentence = Annotated[Annotated[Text, Tag("text")] | Annotated[Words, Tag("words")], Discriminator(_kind)]
_AnyText = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(_without_null)]
_AnyWords = Annotated[list[Word], Field(max_length=MOST_WORDS)]
Sentences = Annotated[
    list[Annotated[Annotated[_AnyText, Tag("text")] | Annotated[_AnyWords, Tag("words")], Discriminator(_kind)]],
    Field(min_length=1, max_length=MOST_SENTENCES, description="Without any word, one has vectors of no words."),
]
Place = Annotated[int, Field(ge=0, lt=MOST_CHARACTERS)]
LayerChoice = Annotated[
    Literal["all", "top", "average", "mix", "concat"] | int | Annotated[list[int], Field(min_length=1, max_length=32)],
    Field(description="Or the number of one, 0 the token layer, or a list of numbers."),
]


class Request(BaseModel):
    """Unknown keys are mistakes, and so is a number where a text belongs."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        for key in given if isinstance(given, dict) else ():
            if key not in cls.model_fields:
                shown = str(key).encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be written
                raise PydanticCustomError(UNKNOWN_KEY, "", {"key": shown, "known": sorted(cls.model_fields)})
        return given


class EmbedRequest(Request):
    """Vectors of sentences: texts, or lists of words that stay whole."""

    sentences: Sentences
    layers: LayerChoice = "top"
    level: Literal["token", "sentence"] = "token"
    pooling: Annotated[
        Literal["mean", "max", "mean+max", "weighted"] | None,
        Field(description="With level sentence. Default: weighted if the model has word counts, else mean."),
    ] = None
    remove_common_component: Annotated[
        bool | None, Field(description="From sentence vectors, if the model contains one.")
    ] = None
    encoding: Annotated[
        Literal["list", "base64"], Field(description="base64: float32, little-endian, row by row; far quicker.")
    ] = "list"


class GivenUse(Request):
    """A sentence with the word in it.

    `place` is the number of the word; by default the first that is the word of the request. `sense` is a name for
    what it means here, if that is known.
    """

    sentence: Sentence
    place: Place | None = None
    sense: Name | None = None


class SensesRequest(Request):
    """The uses of a word: sentences given, those of a loaded corpus, or both."""

    word: Word
    uses: Annotated[list[GivenUse], Field(max_length=MOST_USES)] = []
    corpus: Annotated[Name | None, Field(description="Id of a corpus.")] = None
    most: Annotated[int, Field(ge=1, le=MOST_USES, description="Uses in all.")] = 100
    method: Literal["pca", "tsne"] = "pca"
    seed: Annotated[int, Field(ge=0, lt=2**31, description="Of t-SNE.")] = 1

    @model_validator(mode="after")
    def _something(self) -> SensesRequest:
        if not self.uses and self.corpus is None:
            raise ValueError("expected uses, a corpus or both")
        return self


class NeighboursRequest(Request):
    """A word in its sentence, by its `place` or as the first `word` there, and the corpus to search."""

    sentence: Sentence
    place: Place | None = None
    word: Word | None = None
    corpus: Annotated[Name | None, Field(description="Id of a corpus. Default: the first there is.")] = None
    k: Annotated[int, Field(ge=1, le=MOST_NEIGHBOURS)] = 10

    @model_validator(mode="after")
    def _one(self) -> NeighboursRequest:
        if (self.place is None) == (self.word is None):
            raise ValueError("expected either place or word")
        return self


class ScoreRequest(Request):
    """Sentences for the language model."""

    sentences: Sentences


class SubstitutesRequest(Request):
    """A sentence with a blank: the word `place`, or by default the first word that is all underscores (`___`)."""

    sentence: Sentence
    place: Place | None = None
    k: Annotated[int, Field(ge=1, le=MOST_SUBSTITUTES)] = 10
    rank: Annotated[
        Literal["probability", "lift"],
        Field(description="lift: against how frequent each word is anyway; needs a model with word counts."),
    ] = "probability"
    words: Annotated[
        Literal["all", "content"], Field(description="content: without English function words, digits and marks.")
    ] = "all"


class ClassifyRequest(Request):
    """Texts to label. `explain` says which words carried the label: `label`, or by default the most likely."""

    texts: Annotated[
        list[_AnyText], Field(min_length=1, max_length=MOST_TEXTS, description="Without any word, one has no labels.")
    ]
    explain: Literal["gradients", "occlusion"] | None = None
    label: Name | None = None


class LayersRequest(Request):
    """A sentence, and a word in it by `place` (default: the first)."""

    sentence: Sentence
    place: Place = 0


class CorpusRequest(Request):
    """Text to search in, a sentence or several a line."""

    name: Name
    text: Annotated[str, Field(min_length=1, max_length=UPLOAD_CHARACTERS), AfterValidator(_readable)]
