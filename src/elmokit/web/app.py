"""The app: routes, the page's files, and what stands around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from elmokit.web import errors, routes
from elmokit.web.access import LOOPBACK, Access
from elmokit.web.access_log import AccessLog
from elmokit.web.intake import Intake
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded
from elmokit.web.reference import reference_page
from elmokit.web.service import Service

STATIC = Path(__file__).parent / "static"
_CHECKED = {"Cache-Control": "no-cache"}  # asked for again each time, sent only when it has changed


class _Files(StaticFiles):
    def file_response(self, *arguments: object, **options: object) -> Response:
        response = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        response.headers.update(_CHECKED)
        return response


def create_app(
    loaded: Loaded, *, limits: Limits | None = None, token: str | None = None, hosts: Iterable[str] | None = LOOPBACK
) -> FastAPI:
    """The explorer as an ASGI app.

    Args:
        loaded: What can be asked; it is warmed.
        limits: What requests may hold.
        token, hosts: See `Access`.
    """
    loaded.warm()
    limits = limits or Limits()
    service = Service(loaded, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.worker.open()
        yield
        service.worker.close()

    app = FastAPI(
        title="elmokit explorer",
        version=version("elmokit"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        description="Contextual word vectors, their neighbours, surprisal, labels. Errors look alike everywhere.",
    )
    app.state.service = service
    errors.install(app)
    app.include_router(routes.health)
    app.include_router(routes.api)

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers=_CHECKED)

    @app.get("/docs", include_in_schema=False)
    async def reference() -> Response:
        return Response(reference_page(app.openapi()), media_type="text/html")

    @app.get("/static/plotly.min.js", include_in_schema=False)
    async def plotly() -> Response:
        path = str(files("plotly").joinpath("package_data/plotly.min.js"))
        return FileResponse(path, media_type="text/javascript", headers=_CHECKED)

    app.mount("/static", _Files(directory=STATIC))
    app.add_middleware(Intake, limits=limits, budget=service.budget, wait=service.worker.seconds_to_wait)
    app.add_middleware(Access, token=token, hosts=hosts)  # nobody is heard before it
    app.add_middleware(AccessLog)  # the outermost: it notes who was refused, too
    return app
