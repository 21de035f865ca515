"""What is answered, typed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from elmokit.web.limits import MOST_CHARACTERS, MOST_SENTENCES, MOST_TEXTS, MOST_USES, UPLOAD_CHARACTERS


class Health(BaseModel):
    """Alive; `waiting` jobs wait for the model."""

    status: Literal["ok"]
    version: str
    waiting: int


class LayerName(BaseModel):
    """A layer: 0 are the tokens, then the LSTMs; `layer` is null for the trained mix."""

    layer: int | None
    name: str


class RequestLimits(BaseModel):
    """What a request may hold."""

    sentences: int = MOST_SENTENCES
    characters: int = MOST_CHARACTERS
    words: int
    texts: int = MOST_TEXTS
    uses: int = MOST_USES
    body_bytes: int
    upload_bytes: int
    upload_characters: int = UPLOAD_CHARACTERS


class ClassifierInfo(BaseModel):
    """The classifier: its labels, the words of a text that it reads, and how it mixes layers."""

    name: str
    labels: list[str]
    max_words: int
    combine: str
    terms: str | None = Field(description="Under which a classifier that comes with the package may be used.")


class VectorsInfo(BaseModel):
    """Static vectors."""

    name: str
    words: int
    dim: int


class ModelInfo(BaseModel):
    """What is loaded."""

    version: str
    name: str
    n_layers: int = Field(description="The token layer counted.")
    dim: int
    parameters: int
    state: str
    layers: list[LayerName]
    language_model: bool
    word_counts: bool = Field(description="Whether words for a blank can be ranked by lift.")
    mix: bool
    notes: list[str]
    classifier: ClassifierInfo | None
    vectors: VectorsInfo | None
    limits: RequestLimits


class ExampleSense(BaseModel):
    """Sentences in which the word has one sense."""

    sense: str
    sentences: list[str]


class ExampleWord(BaseModel):
    """An ambiguous word."""

    word: str
    senses: list[ExampleSense]


class Opening(BaseModel):
    """The example whose senses lie farthest apart on the map of the loaded model.

    `layer`: its place in the list of layers of `GET /api/model`.
    """

    word: str
    layer: int


class Examples(BaseModel):
    """Sentences to begin with, and the example to open with."""

    words: list[ExampleWord]
    opening: Opening | None


class Embedded(BaseModel):
    """A sentence: `vectors` of `shape` (layers, words, dim), (words, dim), (layers, dim) or (dim,)."""

    words: list[str]
    shape: list[int]
    vectors: str | list[Any]


class EmbedResponse(BaseModel):
    """Vectors, in the order of the sentences."""

    encoding: Literal["list", "base64"]
    sentences: list[Embedded]


class Use(BaseModel):
    """A sentence and the place of the word in it; `text` is the sentence as written, null if only words are known."""

    words: list[str]
    place: int
    text: str | None = None
    sense: str | None = None
    source: Literal["given", "corpus"]


class MapView(LayerName):
    """The uses in one layer.

    `points` (n, 2) lie on the plane, turned so that neighbouring layers look alike; `explained` is the share of the
    variance on each axis (PCA); `similarity` (n, n) are cosines; `agreement` is the share of uses whose nearest use has
    the same sense, among those whose sense is known and shared.
    """

    points: list[list[float]]
    explained: list[float] | None
    similarity: list[list[float]]
    agreement: float | None


class StaticNeighbour(BaseModel):
    """A word near a static vector."""

    word: str
    cosine: float


class StaticView(BaseModel):
    """The one vector that static vectors have for all uses; `points` (1 + neighbours, 2), the word itself first."""

    word: str
    known: bool
    neighbours: list[StaticNeighbour]
    points: list[list[float]]


class SensesResponse(BaseModel):
    """The uses of a word, a map a layer."""

    word: str
    method: Literal["pca", "tsne"] = Field(description="PCA also where t-SNE was asked for and there are under 5 uses.")
    uses: list[Use]
    views: list[MapView]
    static: StaticView | None


class Neighbour(BaseModel):
    """`use` is a place in `uses`."""

    use: int
    cosine: float


class NeighboursView(LayerName):
    """The nearest uses in one layer, the nearest first."""

    neighbours: list[Neighbour]


class NeighboursResponse(BaseModel):
    """`uses` are all that some layer has among its nearest; `found` stand in the corpus, `searched` were looked at."""

    word: str
    words: list[str]
    place: int
    corpus: str
    found: int
    searched: int
    uses: list[Use]
    views: list[NeighboursView]
    static: StaticView | None


class Scored(BaseModel):
    """Surprisal in bits, a value a word. `known`: in the vocabulary; others are scored as <UNK>."""

    words: list[str]
    forward: list[float]
    backward: list[float]
    mean: list[float]
    known: list[bool]
    perplexity: float


class ScoreResponse(BaseModel):
    """In the order of the sentences."""

    sentences: list[Scored]


class FoundSubstitute(BaseModel):
    """A word with its probability given the words before it, and given those after it.

    `lift`: how many times more likely that is than the word is in the model's training text (geometric mean of both
    directions); null where the model has no word counts.
    """

    word: str
    forward: float
    backward: float
    score: float
    lift: float | None


class SubstitutesResponse(BaseModel):
    """Words for one place, the best by the `rank` asked for first."""

    words: list[str]
    place: int
    substitutes: list[FoundSubstitute]


class LabelScore(BaseModel):
    """A label and its probability."""

    label: str
    probability: float


class Explanation(BaseModel):
    """What each word did to the logit of `label`.

    By integrated gradients the scores sum to `logit` − `baseline` (word vectors of zero) but for `gap`; by occlusion a
    score is how far the logit falls without the word, and `baseline` is the logit without any word.
    """

    method: Literal["gradients", "occlusion"]
    label: str
    scores: list[float]
    logit: float
    baseline: float
    gap: float | None


class Classified(BaseModel):
    """A text: the `words` read (`cut`: there were more), labels by falling probability; a blank text has none."""

    words: list[str]
    cut: bool
    labels: list[LabelScore]
    explanation: Explanation | None


class ClassifyResponse(BaseModel):
    """In the order of the texts."""

    texts: list[Classified]


class LayerView(LayerName):
    """One layer of a sentence: the length of each word's vector, and its cosine with that of the chosen word."""

    norms: list[float]
    similarity: list[float]


class MixInfo(BaseModel):
    """How layers are mixed: λ a layer and their common factor γ; null for a learned function, which has none."""

    source: Literal["classifier", "model"]
    mode: str
    lambdas: list[float] | None
    gamma: float | None


class LayerVerdict(LayerName):
    """What the classifier says when it is given this layer alone."""

    labels: list[LabelScore]


class LayersResponse(BaseModel):
    """A sentence layer by layer.

    `between` (layers, layers) are cosines of the chosen word's vectors in two layers; `mixed` and `alone` are the
    classifier's labels from its mix and from each layer alone, by falling probability.
    """

    words: list[str]
    place: int
    views: list[LayerView]
    between: list[list[float]]
    mix: MixInfo | None
    mixed: list[LabelScore] | None
    alone: list[LayerVerdict] | None


class CorpusInfo(BaseModel):
    """A corpus that can be searched."""

    id: str
    name: str
    sentences: int
    words: int
    uploaded: bool


class Corpora(BaseModel):
    """All of them."""

    corpora: list[CorpusInfo]


class StudyInfo(BaseModel):
    """A study that can be opened."""

    id: str
    title: str
    rows: int


class Studies(BaseModel):
    """All of them."""

    studies: list[StudyInfo]
