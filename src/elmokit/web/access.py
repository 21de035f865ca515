"""Who may ask, and what every answer says to the browser."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from elmokit.web.errors import ApiError

COOKIE = "elmo_token"
OPEN = "/health"  # a probe has no token
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

SECURITY_HEADERS = {
    # Plotly sets styles on the elements it draws; scripts come from this server's files alone.
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Access:
    """ASGI: refuses foreign hosts, foreign pages and callers without the token; sets the security headers.

    Args:
        app: What is guarded.
        token: Asked for everywhere but at /health, as `Authorization: Bearer` or the cookie that `/?token=` sets.
        hosts: Names the server answers to, without port: a page of another name that was made to point here (DNS
            rebinding) is refused. None: any, which is safe with a token only.
    """

    def __init__(self, app: ASGIApp, *, token: str | None = None, hosts: Iterable[str] | None = LOOPBACK) -> None:
        self.app, self.token = app, token
        self.hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            answer: ASGIApp = self._checked(scope) or self.app
        except ApiError as error:
            answer = error.response()
        await answer(scope, receive, sealed)

    def _checked(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        name, colon, port = host.rpartition(":")
        if self.hosts is not None and (name if colon and port.isdecimal() else host) not in self.hosts:
            raise ApiError(
                403, "The server does not answer to this host name.", hint=f"Use {', '.join(sorted(self.hosts))}."
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host:
            raise ApiError(403, "The request comes from another site's page.")
        if self.token is None or scope["path"] == OPEN:
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["path"] == "/" and "token" in query:
            if not self._right(query["token"][0]):
                raise self._unauthorized("The token is wrong.")
            cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            return Response(status_code=303, headers={"Location": "/", "Set-Cookie": cookie})
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if kind.lower() == "bearer" else None
        with suppress(CookieError):
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
            given = morsel.value if given is None and morsel is not None else given
        if given is None:
            raise self._unauthorized("This server asks for a token.")
        if not self._right(given):
            raise self._unauthorized("The token is wrong.")
        return None

    def _right(self, given: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), (self.token or "").encode())

    def _unauthorized(self, message: str) -> ApiError:
        hint = "Send it as 'Authorization: Bearer TOKEN', or open /?token=TOKEN in a browser."
        return ApiError(401, message, hint=hint, headers={"WWW-Authenticate": "Bearer"})
