"""What comes in is bounded before it is read: requests at once, bytes of a body, seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from elmokit.web.errors import ApiError, busy, too_large
from elmokit.web.limits import Limits

UPLOADS = ("/api/corpora", "/api/studies")
_CLAIM = "elmokit.claimed"


@dataclass
class Budget:
    """The numbers in all answers at once; a claim lasts until its answer is sent. `wait` as of `Intake`."""

    most: int
    used: int = 0
    wait: Callable[[], int] = lambda: 1

    def claim(self, scope: Scope, numbers: int) -> None:
        """Raises ApiError (503) where the answers under way hold too many; a lone request always goes through."""
        if self.used and self.used + numbers > self.most:
            raise busy("The memory limit for answers in progress is reached.", seconds=self.wait())
        self.used += numbers
        scope[_CLAIM] = scope.get(_CLAIM, 0) + numbers

    def release(self, scope: Scope) -> None:
        """What the request of this scope claimed."""
        self.used -= scope.pop(_CLAIM, 0)


class Intake:
    """ASGI: lets `limits.requests` in at once, and bodies of `limits.body` bytes, whatever their header says.

    `wait` gives the seconds after which one who is turned away may come back.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, budget: Budget, wait: Callable[[], int] = lambda: 1) -> None:
        self.app, self.limits, self.budget, self.wait = app, limits, budget, wait
        self.inside = 0
        self.uploading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        upload = scope["method"] == "POST" and scope["path"].startswith(UPLOADS)
        if self.inside >= self.limits.requests or (upload and self.uploading >= self.limits.uploads):
            await _closing(busy("Too many requests are in progress.", seconds=self.wait()))(scope, receive, send)
            return
        self.inside += 1
        self.uploading += upload
        try:
            async with asyncio.timeout(self.limits.total_seconds):
                await self._answer(scope, receive, send)
        except TimeoutError:
            pass  # who asked did not read the answer: the connection ends without it
        finally:
            self.inside -= 1
            self.uploading -= upload
            self.budget.release(scope)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                body = await self._body(scope, receive)
        except TimeoutError:
            error = ApiError(408, f"The body took longer than {self.limits.body_seconds:g} s.")
            await _closing(error)(scope, receive, send)
            return
        except ApiError as error:
            await _closing(error)(scope, receive, send)
            return
        if body is None:
            return
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, replayed, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """All of it, or None when the caller has gone."""
        most = self.limits.upload if scope["path"].startswith(UPLOADS) else self.limits.body
        said = Headers(scope=scope).get("content-length", "0")
        if said.isdecimal() and int(said[:20]) > most:
            raise _body_too_large(most)
        parts = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts += message.get("body", b"")
            if len(parts) > most:
                raise _body_too_large(most)
            if not message.get("more_body", False):
                return bytes(parts)


def _body_too_large(most: int) -> ApiError:
    return too_large(f"The body is larger than {most:,} bytes.", "Send fewer sentences at a time.")


def _closing(error: ApiError) -> ASGIApp:
    """The answer, after which the connection ends: what else comes is not read."""
    error.headers["Connection"] = "close"
    return error.response()
