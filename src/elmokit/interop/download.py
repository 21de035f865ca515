"""Files from http(s) addresses: resumed, checked, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from email.message import Message
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from elmokit.cache import cache_folder
from elmokit.errors import ModelError

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 5  # connections that may break off before the download gives up; what came is kept for the next call
_BLOCK = 1 << 18


def is_url(path: str | Path) -> bool:
    """Whether this is an http(s) address."""
    return str(path).startswith(("http://", "https://"))


def fetch(url: str, *, sha256: str | None = None, progress: bool = True) -> Path:
    """The file at an address, downloaded once. A connection that breaks off is taken up where it ended.

    Args:
        url: http or https; a redirect may not lead to anything else.
        sha256: The hexadecimal sum that the whole file must have.
        progress: Show a bar on stderr.

    Returns:
        The file in the cache, under its own name.

    Raises:
        ModelError: The server cannot be reached, refuses, keeps breaking off, or the sum is another.
    """
    folder = cache_folder("downloads") / hashlib.sha256(url.encode()).hexdigest()[:24]
    path = folder / (Path(unquote(urlsplit(url).path)).name or "download")
    partial = folder / ".partial"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _download(url, partial, progress=progress)
        found = _sum(partial)
        if sha256 is not None and found != sha256.lower():
            partial.unlink()
            raise ModelError(f"{url} has the SHA-256 sum {found}; expected {sha256}")
        os.replace(partial, path)
    elif sha256 is not None and _sum(path) != sha256.lower():
        raise ModelError(f"{path}, downloaded earlier, has another SHA-256 sum than {sha256}: delete it to try again")
    return path


def _download(url: str, partial: Path, *, progress: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task(url)
        broken: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                if _continued(url, partial, lambda done, total: bar.update(task, completed=done, total=total)):
                    return
            except urllib.error.HTTPError as error:
                raise ModelError(f"{url}: the server answers {error.code} {error.reason}") from error
            except (OSError, HTTPException) as error:
                broken = error
    raise ModelError(f"{url} broke off {ATTEMPTS} times ({broken or 'too few bytes'}); call again to go on from there")


def _continued(url: str, partial: Path, report: Any) -> bool:
    """One connection, from the end of what is there; whether the file is whole after it."""
    done = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "elmokit", "Accept-Encoding": "identity"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        answer = _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing lies behind the end: it was whole, or is another file
            error.close()
            if _total(error.headers, 0) == done:
                return True
            partial.unlink()
            return False
        raise
    with answer:
        if answer.status != 206:
            done = 0  # the server cannot resume
        total = _total(answer.headers, done)
        with partial.open("ab" if done else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                report(done, total)
    return total is None or done >= total


def _total(headers: Message, done: int) -> int | None:
    whole = headers.get("Content-Range", "").rpartition("/")[2]
    if whole.isdecimal():
        return int(whole)
    length = headers.get("Content-Length", "")
    return done + int(length) if length.isdecimal() else None


class _HttpOnly(urllib.request.HTTPRedirectHandler):
    """A redirect may not lead to a file of this machine."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not is_url(newurl):
            raise ModelError(f"{req.full_url} redirects to {newurl[:200]!r}; expected an http(s) address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Without handlers for file: and ftp: addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor, _HttpOnly,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
