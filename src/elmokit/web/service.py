"""The answers to requests: checked against the limits, computed by the worker, shaped for JSON."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from elmokit.encode.encoder import Level
from elmokit.encode.language_model import Score
from elmokit.encode.layer_choice import Layers
from elmokit.encode.pooling import Pooling
from elmokit.errors import ElmokitError
from elmokit.web import blanks, explaining, planes, responses, uses
from elmokit.web.corpora import corpus_of_text
from elmokit.web.errors import ApiError, invalid, too_large
from elmokit.web.intake import Budget
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded
from elmokit.web.requests import (
    ClassifyRequest,
    CorpusRequest,
    EmbedRequest,
    LayersRequest,
    NeighboursRequest,
    ScoreRequest,
    SensesRequest,
    SubstitutesRequest,
)
from elmokit.web.worker import Worker
from elmokit.whole_files import JsonObject

_INLINE = 50_000  # numbers; more are written in a thread, so that other requests continue


class Service:
    """What the routes call. `budget` bounds the numbers in all answers, `worker` computes."""

    def __init__(self, loaded: Loaded, limits: Limits) -> None:
        self.loaded, self.limits = loaded, limits
        self.worker = Worker(waiting=limits.waiting, seconds=limits.seconds)
        self.budget = Budget(limits.all_numbers, wait=self.worker.seconds_to_wait)
        self._reading = asyncio.Lock()
        self._search = uses.Search(loaded, most=limits.searched)

    def model(self) -> responses.ModelInfo:
        """What is loaded."""
        loaded, encoder = self.loaded, self.loaded.encoder
        classifier, vectors = None, None
        if loaded.classifier is not None:
            classifier = responses.ClassifierInfo(
                name=loaded.classifier_name,
                labels=loaded.classifier.labels,
                max_words=loaded.classifier.max_words,
                combine=loaded.classifier.model.mix.mode,
                terms=loaded.classifier_terms,
            )
        if loaded.vectors is not None:
            vectors = responses.VectorsInfo(name=loaded.vectors_name, words=len(loaded.vectors), dim=loaded.vectors.dim)
        return responses.ModelInfo(
            version=version("elmokit"),
            name=loaded.name,
            n_layers=encoder.n_layers,
            dim=encoder.dim,
            parameters=sum(parameter.numel() for parameter in encoder.model.parameters()),
            state=encoder.state,
            layers=[responses.LayerName(layer=layer, name=name) for layer, name in planes.layer_names(encoder)],
            language_model=loaded.language_model,
            word_counts=encoder.word_weights is not None,
            mix=encoder.mix is not None,
            notes=encoder.notes,
            classifier=classifier,
            vectors=vectors,
            limits=responses.RequestLimits(
                words=self.limits.words, body_bytes=self.limits.body, upload_bytes=self.limits.upload
            ),
        )

    async def embed(self, request: EmbedRequest, scope: Scope) -> bytes:
        """The JSON of an `EmbedResponse`, written without a detour over Python's numbers where it is base64."""
        encoder = self.loaded.encoder
        wanted: Wanted = {
            "layers": tuple(request.layers) if isinstance(request.layers, list) else request.layers,
            "level": request.level,
            "pooling": request.pooling,
            "remove_common_component": request.remove_common_component,
        }
        try:
            numbers = encoder.layer_choice(request.layers).numbers
        except ElmokitError as error:
            raise invalid(f"layers: {error}", field="layers") from error
        try:
            encoder.stream([], **wanted)  # says what the model lacks
        except ElmokitError as error:
            raise invalid(f"pooling: {error}", field="pooling") from error
        if request.level == "sentence":
            numbers = math.prod(encoder.sentence_shape(layers=request.layers, pooling=request.pooling))
        sentences = self._words(request.sentences)
        count = sum(map(len, sentences)) if request.level == "token" else len(sentences)
        most = self.limits.list_numbers if request.encoding == "list" else self.limits.numbers
        self._claim(scope, count * numbers, most)

        def encode(batch: Sequence[list[str]]) -> list[NDArray[np.float32]]:
            return list(encoder.stream(batch, **wanted, is_split_into_words=True))

        arrays = await self.worker.joined(("embed", *wanted.values()), sentences, encode, cost=sum(map(len, sentences)))
        if sum(array.size for array in arrays) <= _INLINE:
            return _embedded(sentences, arrays, request.encoding)
        return await run_in_threadpool(_embedded, sentences, arrays, request.encoding)

    async def senses(self, request: SensesRequest, scope: Scope) -> responses.SensesResponse:
        """See `SensesResponse`."""
        encoder = self.loaded.encoder
        found = uses.given_uses(request, self.loaded)
        self._check_words(sum(len(use.words) for use in found))
        self._claim(scope, len(found) * (len(found) + encoder.dim) * (encoder.n_layers + 1), self.limits.numbers)
        return await self.worker.run(lambda: uses.senses(request, found, self.loaded))

    async def neighbours(self, request: NeighboursRequest) -> responses.NeighboursResponse:
        """See `NeighboursResponse`."""
        self.loaded.corpus(request.corpus)
        words = uses.words_of(self.loaded.encoder, request.sentence, field="sentence")
        place = uses.checked_place(words, request.place, request.word, field="sentence")
        return await self.worker.run(lambda: self._search.nearest(request, words, place))

    async def score(self, request: ScoreRequest) -> responses.ScoreResponse:
        """See `ScoreResponse`."""
        encoder = self.loaded.a_language_model()
        sentences = self._words(request.sentences)

        def scored(batch: Sequence[list[str]]) -> list[Score]:
            return encoder.score(batch, is_split_into_words=True)

        scores = await self.worker.joined("score", sentences, scored, cost=sum(map(len, sentences)))
        found = [
            responses.Scored(
                words=score.words,
                forward=np.round(score.forward, 4).tolist(),
                backward=np.round(score.backward, 4).tolist(),
                mean=np.round(score.mean, 4).tolist(),
                known=score.known.tolist(),
                perplexity=score.perplexity,
            )
            for score in scores
        ]
        return responses.ScoreResponse(sentences=found)

    async def substitutes(self, request: SubstitutesRequest) -> responses.SubstitutesResponse:
        """See `SubstitutesResponse`."""
        encoder = self.loaded.a_language_model()
        words = uses.words_of(encoder, request.sentence, field="sentence")
        place = request.place
        if place is None:
            place = next((number for number, word in enumerate(words) if not word.strip("_")), None)
            if place is None:
                raise invalid("sentence: there is no blank (___) in it", field="sentence", hint="Or give its place.")
        place = uses.checked_place(words, place, None, field="place")
        if request.rank == "lift" and encoder.word_weights is None:
            raise ApiError(409, "The model has no word counts to rank by.", hint="Ask for rank probability.")
        found = await self.worker.run(lambda: blanks.fillers(encoder, words, place, request))
        return responses.SubstitutesResponse(words=words, place=place, substitutes=found)

    async def classify(self, request: ClassifyRequest) -> responses.ClassifyResponse:
        """See `ClassifyResponse`."""
        classifier = self.loaded.a_classifier()
        if request.label is not None and request.label not in classifier.labels:
            raise invalid(f"label: expected one of: {', '.join(classifier.labels)}", field="label")
        if request.explain is not None and len(request.texts) > 4:
            raise invalid(
                f"texts: {len(request.texts)} texts to explain; expected at most 4",
                field="texts",
                hint="Leave out explain, or send fewer.",
            )
        texts = await self.worker.run(lambda: explaining.classified(request, classifier))
        return responses.ClassifyResponse(texts=texts)

    async def layers(self, request: LayersRequest, scope: Scope) -> responses.LayersResponse:
        """See `LayersResponse`."""
        encoder = self.loaded.encoder
        words = uses.words_of(encoder, request.sentence, field="sentence")
        self._claim(scope, len(words) * (encoder.n_layers + 1) * encoder.dim, self.limits.numbers)
        place = uses.checked_place(words, request.place, None, field="place")
        text = request.sentence if isinstance(request.sentence, str) else " ".join(request.sentence)
        return await self.worker.run(lambda: explaining.inside(words, place, text, self.loaded))

    async def add_corpus(self, request: CorpusRequest) -> responses.CorpusInfo:
        """Read a corpus and keep it."""
        async with self._reading:  # one at a time: splitting takes Python's lock from the other requests
            corpus = await run_in_threadpool(corpus_of_text, request.name, request.text, self.loaded.encoder)
        if not len(corpus):
            raise invalid("text: there is no word in it", field="text")
        self.loaded.add_corpus(corpus, most_uploaded=self.limits.corpora)
        return self.corpora()[-1]

    def corpora(self) -> list[responses.CorpusInfo]:
        """All corpora, the newest last."""
        return [
            responses.CorpusInfo(
                id=corpus.id, name=corpus.name, sentences=len(corpus), words=corpus.words, uploaded=corpus.uploaded
            )
            for corpus in self.loaded.corpora.values()
        ]

    def _words(self, sentences: Sequence[str | list[str]]) -> list[list[str]]:
        encoder = self.loaded.encoder
        found = [encoder.words(sentence) if isinstance(sentence, str) else sentence for sentence in sentences]
        self._check_words(sum(map(len, found)))
        return found

    def _check_words(self, count: int) -> None:
        if count > self.limits.words:
            raise too_large(f"{count:,} words; a request may hold {self.limits.words:,}.", "Send fewer sentences.")

    def _claim(self, scope: Scope, numbers: int, most: int) -> None:
        if numbers > most:
            raise too_large(
                f"The answer would hold {numbers:,} numbers; expected at most {most:,}.",
                "Send fewer sentences, ask for one layer, or for encoding base64.",
            )
        self.budget.claim(scope, numbers)


class Wanted(TypedDict):
    """Arguments of `Encoder.stream` that a request chooses; the values can be compared."""

    layers: Layers
    level: Level
    pooling: Pooling | None
    remove_common_component: bool | None


def _embedded(sentences: Sequence[list[str]], arrays: Sequence[NDArray[np.float32]], encoding: str) -> bytes:
    rows: list[JsonObject] = []
    for words, array in zip(sentences, arrays, strict=True):
        vectors: Any = array.tolist()
        if encoding != "list":
            vectors = base64.b64encode(np.ascontiguousarray(array, dtype="<f4").data).decode("ascii")
        rows.append({"words": words, "shape": array.shape, "vectors": vectors})
    return to_json({"encoding": encoding, "sentences": rows})
