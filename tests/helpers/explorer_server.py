"""The explorer on a free port, in a thread of the test, and what a page of it asked for and complained of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from elmokit.web.app import create_app
from elmokit.web.loaded import Loaded
from elmokit.web.serving import listening


@contextmanager
def running(loaded: Loaded) -> Iterator[str]:
    """The server's address, `http://127.0.0.1:PORT/`, while it runs."""
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(loaded), log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


class Watched:
    """A page of the explorer, with its troubles (console, errors) and the addresses it asked for."""

    def __init__(self, context: Any, base: str) -> None:
        self.base = base
        self.troubles: list[str] = []
        self.asked: list[str] = []
        self.opened = 0
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, view: str) -> Any:
        """Go to a view with fresh inputs, without loading the page again where it is open."""
        self.opened += 1
        self.page.goto(f"{self.base}#{view}{'&' if '?' in view else '?'}opened={self.opened}")
        self.page.locator("main .view").wait_for()
        return self.page

    def text(self, text: str) -> Any:
        """The first place in the view with this text."""
        return self.page.locator("main").get_by_text(text).first

    def outside(self) -> list[str]:
        """Addresses of other places."""
        return [url for url in self.asked if not url.startswith((self.base, "data:", f"blob:{self.base}"))]
