"""A line per request: client, method, path, status, milliseconds. Never the query, which may contain the token."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("elmokit.web.access")
_STATIC = "/static/"


class AccessLog:
    """ASGI: logs at INFO, requests for the page's files at DEBUG, answers of 500 and above at WARNING."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0  # the caller has gone before there was an answer

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            path = scope["path"]
            level = logging.WARNING if status >= 500 else logging.DEBUG if path.startswith(_STATIC) else logging.INFO
            client = scope.get("client") or ("-", 0)
            took = 1000 * (time.perf_counter() - began)
            log.log(level, "%s %s %s %s %.0f ms", client[0], scope["method"], ascii(path)[1:-1], status or "-", took)
