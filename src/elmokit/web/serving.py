"""Running the app: a socket, uvicorn, an orderly end."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import signal
import socket
import sys

import uvicorn

from elmokit.errors import ConfigError
from elmokit.web.access import LOOPBACK
from elmokit.web.app import create_app
from elmokit.web.loaded import Loaded

LEAST_TOKEN = 16
_GRACE = 30  # seconds for requests under way at the end
_SWITCH = 0.001  # seconds a thread keeps Python from the others; 0.005 lets answers wait for the network


def is_loopback(host: str) -> bool:
    """Whether nobody outside this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_token(token: str | None, *, host: str) -> str | None:
    """The token, which an address that others can reach needs.

    Raises:
        ConfigError: It is missing there, too short, or no printable ASCII.
    """
    if token is None:
        if is_loopback(host):
            return None
        raise ConfigError(
            f"--host {host} can be reached from outside: give a token, as --token {secrets.token_urlsafe(24)}"
        )
    if len(token) < LEAST_TOKEN or not all(letter.isalnum() or letter in "-_.~" for letter in token):
        raise ConfigError(
            f"the token has {len(token)} characters; expected at least {LEAST_TOKEN} of A-Z a-z 0-9 - _ . ~"
        )
    if not token.isascii():
        raise ConfigError("the token has other letters than A-Z a-z 0-9 - _ . ~")
    return token


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any that is free.

    Raises:
        ConfigError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot listen on {host} port {port}: {why} (--host, --port)") from error


def serve(loaded: Loaded, *, listener: socket.socket, host: str, token: str | None, log_level: str = "info") -> None:
    """Answer until SIGTERM or Ctrl-C; requests under way are answered first. The log goes to standard error."""
    hosts = [*LOOPBACK, _bracketed(host)] if is_loopback(host) else None
    app = create_app(loaded, token=token, hosts=hosts)
    sys.setswitchinterval(_SWITCH)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("elmokit", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("elmokit").setLevel(log_level.upper())
    logging.getLogger("uvicorn").setLevel(log_level.upper() if log_level in ("debug", "error") else "WARNING")
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=1 << 16,
    )
    server = uvicorn.Server(config)
    for end in (signal.SIGTERM, signal.SIGINT):  # uvicorn ends on them, then raises them again: asked for, no error
        signal.signal(end, lambda *_: None)
    port = listener.getsockname()[1]
    address = f"http://{_bracketed(host)}:{port}/"
    shown = "" if token is None else "  (the first time with ?token=…)"
    print(f"elmokit explorer on {address}{shown}, the API at {address}docs; Ctrl-C ends it", flush=True)
    server.run(sockets=[listener])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
