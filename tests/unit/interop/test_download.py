"""Downloads from a server on this machine that breaks off, redirects and refuses."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from elmokit.errors import ModelError
from elmokit.interop import download
from elmokit.interop.download import fetch

CONTENT = bytes(range(256)) * 300


class Handler(BaseHTTPRequestHandler):
    requests: list[str]
    breaks: int  # answers that end half-way
    version: str  # of the file

    def do_GET(self) -> None:
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.requests.append(f"{self.path} {start}")
        if self.path == "/missing.zip":
            self.send_error(404)
        elif self.path == "/redirect.zip":
            self._head(302, Location=f"http://127.0.0.1:{self.server.server_address[1]}/model.zip")
        elif self.path == "/secret.zip":
            self._head(302, Location="file:///etc/passwd")
        elif self.path == "/ftp.zip":
            self._head(302, Location="ftp://127.0.0.1/model.zip")
        elif self.path == "/stuck.zip":
            self._head(200, **{"Content-Length": "1000"})
            threading.Event().wait(3)
        elif start >= len(CONTENT):
            self._head(416, **{"Content-Range": f"bytes */{len(CONTENT)}"})
        else:
            whole = self.path == "/whole.zip"  # a server that cannot resume
            whole = whole or (start > 0 and self.headers.get("If-Range") != type(self).version)
            body = CONTENT if whole else CONTENT[start:]
            extra = {} if whole or not start else {"Content-Range": f"bytes {start}-/{len(CONTENT)}"}
            self._head(206 if extra else 200, **{"Content-Length": str(len(body)), "ETag": type(self).version, **extra})
            if type(self).breaks:
                type(self).breaks -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Handler.requests, Handler.breaks, Handler.version = [], 0, '"one"'
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_file_comes_once(server: str) -> None:
    for _ in range(2):
        path = fetch(f"{server}/model.zip", sha256=hashlib.sha256(CONTENT).hexdigest().upper(), progress=False)
        assert path.name == "model.zip"
        assert path.read_bytes() == CONTENT
    assert Handler.requests == ["/model.zip 0"]


@pytest.mark.parametrize("name", ["model", "whole"])
def test_a_broken_connection_is_taken_up(server: str, name: str) -> None:
    Handler.breaks = 2
    assert fetch(f"{server}/{name}.zip", progress=False).read_bytes() == CONTENT
    assert len(Handler.requests) == 3
    half = len(CONTENT) // 2
    assert Handler.requests[1] == f"/{name}.zip {half}"


def test_what_came_is_kept_for_the_next_call(server: str) -> None:
    Handler.breaks = download.ATTEMPTS
    with pytest.raises(ModelError, match=r"broke off 5 times .* call again"):
        fetch(f"{server}/model.zip", progress=False)
    assert fetch(f"{server}/model.zip", progress=False).read_bytes() == CONTENT
    assert Handler.requests[-1] != "/model.zip 0"


def test_redirects_lead_to_http_only(server: str) -> None:
    assert fetch(f"{server}/redirect.zip", progress=False).read_bytes() == CONTENT
    with pytest.raises(ModelError, match=r"'file:///etc/passwd' is not allowed"):
        fetch(f"{server}/secret.zip", progress=False)
    with pytest.raises(ModelError, match=r"redirects to 'ftp://127.0.0.1/model.zip'"):
        fetch(f"{server}/ftp.zip", progress=False)


def test_refusals_and_silence(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="the server answers 404"):
        fetch(f"{server}/missing.zip", progress=False)
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(ModelError, match=r"broke off 1 times .*timed out"):
        fetch(f"{server}/stuck.zip", progress=False)


def test_another_sum_is_an_error_and_nothing_is_kept(server: str) -> None:
    with pytest.raises(ModelError, match="SHA-256"):
        fetch(f"{server}/model.zip", sha256="0" * 64, progress=False)
    assert fetch(f"{server}/model.zip", progress=False).read_bytes() == CONTENT
    with pytest.raises(ModelError, match="delete it to try again"):
        fetch(f"{server}/model.zip", sha256="0" * 64, progress=False)


def test_a_file_that_changed_meanwhile_comes_anew(server: str) -> None:
    Handler.breaks = download.ATTEMPTS
    with pytest.raises(ModelError, match="broke off"):
        fetch(f"{server}/model.zip", progress=False)
    Handler.version = '"two"'
    assert fetch(f"{server}/model.zip", progress=False).read_bytes() == CONTENT


def test_processes_that_want_the_same_file_wait_for_each_other(server: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetch(f"{server}/model.zip", progress=False), range(8)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert Handler.requests == ["/model.zip 0"]


def test_addresses_that_are_none(server: str) -> None:
    with pytest.raises(ModelError, match="no address"):
        fetch("http://[::1", progress=False)
    assert fetch(f"{server}/a%2F..%00", progress=False).name == "_"
    assert fetch(f"{server}/größe.zip", progress=False).name == "größe.zip"
