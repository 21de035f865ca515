"""The API: one short function a path."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from elmokit.web import requests, responses
from elmokit.web.errors import ApiError, ErrorAnswer
from elmokit.web.examples import example_words
from elmokit.web.service import Service
from elmokit.web.study_file import Study

_Errors = dict[int | str, dict[str, Any]]

_MEANING = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "Another host name or another site's page.",
    408: "The body took too long.",
    413: "Too much at once.",
    422: "A value is wrong; `field` says which.",
    503: "Too many requests at once, or a job took too long: `Retry-After` says when to come back.",
}
_NOT_LOADED: _Errors = {409: {"model": ErrorAnswer, "description": "What is asked of is not loaded."}}
_UNKNOWN: _Errors = {404: {"model": ErrorAnswer, "description": "There is no such corpus or study."}}
_ERRORS: _Errors = {status: {"model": ErrorAnswer, "description": text} for status, text in _MEANING.items()}

health = APIRouter(tags=["server"])
api = APIRouter(prefix="/api", responses=_ERRORS)


def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


Asked = Annotated[Service, Depends(_service)]


@health.get("/health")
async def alive(service: Asked) -> responses.Health:
    """Whether the server is there."""
    return responses.Health(status="ok", version=version("elmokit"), waiting=service.worker.waiting)


@api.get("/model", tags=["server"])
async def model(service: Asked) -> responses.ModelInfo:
    """What is loaded, and what a request may hold."""
    return service.model()


@api.get("/examples", tags=["senses"])
async def example_sentences(service: Asked) -> responses.Examples:
    """Sentences with ambiguous words, by sense, and the one whose senses the model tells apart best."""
    return responses.Examples(words=example_words(), opening=service.loaded.opening)


@api.post("/embed", tags=["vectors"], response_model=responses.EmbedResponse)
async def embed(asked: requests.EmbedRequest, service: Asked, request: Request) -> Response:
    """Vectors of words, or of whole sentences."""
    return Response(await service.embed(asked, request.scope), media_type="application/json")


@api.post("/senses", tags=["senses"], responses=_UNKNOWN)
async def senses(asked: requests.SensesRequest, service: Asked, request: Request) -> responses.SensesResponse:
    """The uses of a word on a map, and their similarity, layer by layer."""
    return await service.senses(asked, request.scope)


@api.post("/neighbours", tags=["senses"], responses=_UNKNOWN)
async def neighbours(asked: requests.NeighboursRequest, service: Asked) -> responses.NeighboursResponse:
    """The uses in a corpus that are nearest to the use of a word, layer by layer."""
    return await service.neighbours(asked)


@api.post("/score", tags=["language model"], responses=_NOT_LOADED)
async def score(asked: requests.ScoreRequest, service: Asked) -> responses.ScoreResponse:
    """How surprising each word is, forward and backward."""
    return await service.score(asked)


@api.post("/substitutes", tags=["language model"], responses=_NOT_LOADED)
async def substitutes(asked: requests.SubstitutesRequest, service: Asked) -> responses.SubstitutesResponse:
    """What both directions would put in a blank."""
    return await service.substitutes(asked)


@api.post("/classify", tags=["classifier"], responses=_NOT_LOADED)
async def classify(asked: requests.ClassifyRequest, service: Asked) -> responses.ClassifyResponse:
    """Labels with probabilities, and which words carried them."""
    return await service.classify(asked)


@api.post("/layers", tags=["vectors"])
async def layers(asked: requests.LayersRequest, service: Asked, request: Request) -> responses.LayersResponse:
    """A sentence layer by layer, λ and γ, and what each layer alone would have said."""
    return await service.layers(asked, request.scope)


@api.get("/corpora", tags=["senses"])
async def corpora(service: Asked) -> responses.Corpora:
    """The corpora that can be searched."""
    return responses.Corpora(corpora=service.corpora())


@api.post("/corpora", tags=["senses"])
async def add_corpus(asked: requests.CorpusRequest, service: Asked) -> responses.CorpusInfo:
    """Load a text to search in. The oldest one loaded this way goes when there are too many."""
    return await service.add_corpus(asked)


@api.get("/studies", tags=["compare"])
async def studies(service: Asked) -> responses.Studies:
    """The studies that the server was started with."""
    found = service.loaded.studies.items()
    return responses.Studies(
        studies=[responses.StudyInfo(id=id, title=study.title, rows=len(study.rows)) for id, study in found]
    )


@api.get("/studies/{id}", tags=["compare"], responses=_UNKNOWN)
async def study(id: Annotated[str, Path(max_length=40)], service: Asked) -> Study:
    """A study, as `elmo compare` wrote it."""
    found = service.loaded.studies.get(id)
    if found is None:
        raise ApiError(404, "There is no such study.", hint="GET /api/studies lists them.")
    return found


@api.post("/studies", tags=["compare"])
async def check_study(asked: Study) -> Study:
    """The `results.json` of a study, checked and given back; nothing is kept."""
    return asked
