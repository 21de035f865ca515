"""Uses of a word on a map, and those nearest to one of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from elmokit.analysis.occurrences import Occurrence
from elmokit.cosines import cosines, unit
from elmokit.encode.encoder import Encoder
from elmokit.static.vectors import WordVectors
from elmokit.web import planes, responses
from elmokit.web.corpora import Found
from elmokit.web.errors import invalid
from elmokit.web.loaded import Loaded
from elmokit.web.requests import NeighboursRequest, SensesRequest

_STATIC_NEIGHBOURS = 12
_SEARCHES = 8  # words of corpora whose vectors are kept


def words_of(encoder: Encoder, sentence: str | list[str], *, field: str) -> list[str]:
    """The words of a sentence that must have some. Raises ApiError (422)."""
    words = encoder.words(sentence) if isinstance(sentence, str) else sentence
    if not words:
        raise invalid(f"{field}: there is no word in it", field=field)
    return words


def checked_place(words: Sequence[str], place: int | None, word: str | None, *, field: str) -> int:
    """A place that the sentence has: `place`, or that of the first `word`, whatever its case. Raises ApiError (422)."""
    if place is None:
        wanted = (word or "").lower()
        place = next((number for number, each in enumerate(words) if each.lower() == wanted), None)
        if place is None:
            raise invalid(f"{field}: the word does not occur in this sentence: {' '.join(words)[:80]!r}", field=field)
    if place >= len(words):
        raise invalid(f"{field}: the sentence has {len(words)} words; there is no word {place}", field=field)
    return place


def given_uses(request: SensesRequest, loaded: Loaded) -> list[responses.Use]:
    """The uses of a request, those given first. Raises ApiError (404, 422)."""
    uses = []
    for number, given in enumerate(request.uses[: request.most]):
        field = f"uses.{number}"
        words = words_of(loaded.encoder, given.sentence, field=field)
        place = checked_place(words, given.place, request.word, field=field)
        text = given.sentence if isinstance(given.sentence, str) else None
        uses.append(responses.Use(words=words, place=place, sense=given.sense, source="given", text=text))
    if request.corpus is not None:
        corpus = loaded.corpus(request.corpus)
        there = {(tuple(use.words), use.place) for use in uses}
        found = map(_corpus_use, corpus.uses(request.word, most=request.most))
        uses += [use for use in found if (tuple(use.words), use.place) not in there]
    if not uses:
        raise invalid(
            f"{request.word[:80]!r} does not occur in this corpus.", field="word", hint="Try another word or corpus."
        )
    return uses[: request.most]


def _corpus_use(found: Found) -> responses.Use:
    occurrence, text = found
    return responses.Use(words=occurrence.words, place=occurrence.place, source="corpus", text=text)


def senses(request: SensesRequest, uses: list[responses.Use], loaded: Loaded) -> responses.SensesResponse:
    """The map of these uses in every layer."""
    vectors = planes.view_vectors(loaded.encoder, [Occurrence(use.words, use.place) for use in uses])  # (V, n, D)
    method = request.method if len(uses) >= planes.LEAST_TSNE else "pca"
    labels = [use.sense for use in uses]
    views, last = [], None
    for (layer, name), found in zip(planes.layer_names(loaded.encoder), vectors, strict=True):
        points, explained = planes.pca(found)
        if last is not None:
            points = planes.turned(points, last)
        last = points if points.any() else last
        similarity = cosines(found)
        view = responses.MapView(
            layer=layer,
            name=name,
            similarity=planes.rounded(similarity),
            agreement=planes.sense_agreement(similarity, labels),
            points=[],
            explained=None,
        )
        if method == "tsne":
            points = planes.tsne(found, points, seed=request.seed)
        else:
            view.explained = explained
        view.points = planes.rounded(points, 5)
        views.append(view)
    static = static_view(loaded.vectors, request.word)
    return responses.SensesResponse(word=request.word, method=method, uses=uses, views=views, static=static)


def static_view(vectors: WordVectors | None, word: str) -> responses.StaticView | None:
    """The one point of a word in static vectors, among its nearest words on a plane; None without vectors."""
    if vectors is None:
        return None
    known = next((each for each in (word, word.lower()) if each in vectors), None)
    if known is None:
        return responses.StaticView(word=word, known=False, neighbours=[], points=[])
    near = vectors.nearest(known, _STATIC_NEIGHBOURS)
    points, _ = planes.pca(unit(vectors.of([known, *(name for name, _ in near)])))
    return responses.StaticView(
        word=known,
        known=True,
        points=planes.rounded(points, 5),
        neighbours=[responses.StaticNeighbour(word=name, cosine=round(cosine, 4)) for name, cosine in near],
    )


class Search:
    """Nearest uses in corpora; the vectors of the last words searched for are kept. For one thread."""

    def __init__(self, loaded: Loaded, *, most: int) -> None:
        self._loaded, self._most = loaded, most
        self._kept: OrderedDict[tuple[str, str], tuple[list[Found], planes.Array]] = OrderedDict()

    def nearest(self, request: NeighboursRequest, words: list[str], place: int) -> responses.NeighboursResponse:
        """The uses of the word in a corpus whose vectors are nearest to the word's here, layer by layer."""
        loaded, word = self._loaded, words[place]
        corpus = loaded.corpus(request.corpus)
        found, vectors = self._vectors(corpus.id, word)  # (V, n, D)
        uses = [use for use, _ in found]
        here = planes.view_vectors(loaded.encoder, [Occurrence(words, place)])  # (V, 1, D)
        same = np.array([use.words == words and use.place == place for use in uses], dtype=bool)
        chosen: dict[int, int] = {}
        views = []
        for number, (layer, name) in enumerate(planes.layer_names(loaded.encoder)):
            similarity = cosines(vectors[number], here[number])[:, 0]  # (n,)
            order = [int(use) for use in np.argsort(-similarity, kind="stable") if not same[use]][: request.k]
            neighbours = [
                responses.Neighbour(use=chosen.setdefault(use, len(chosen)), cosine=round(float(similarity[use]), 4))
                for use in order
            ]
            views.append(responses.NeighboursView(layer=layer, name=name, neighbours=neighbours))
        shown = [_corpus_use(found[use]) for use in chosen]
        return responses.NeighboursResponse(
            word=word,
            words=words,
            place=place,
            corpus=corpus.id,
            found=corpus.count(word),
            searched=len(uses),
            uses=shown,
            views=views,
            static=static_view(loaded.vectors, word),
        )

    def _vectors(self, corpus: str, word: str) -> tuple[list[Found], planes.Array]:
        key = (corpus, word.lower())
        if key not in self._kept:
            encoder = self._loaded.encoder
            found = self._loaded.corpus(corpus).uses(word, most=self._most)
            uses = [use for use, _ in found]
            empty = np.zeros((len(planes.layer_names(encoder)), 0, encoder.dim), dtype=np.float32)
            self._kept[key] = found, planes.view_vectors(encoder, uses) if uses else empty
            while len(self._kept) > _SEARCHES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
