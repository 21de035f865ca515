"""Files from http(s) addresses: resumed, checked, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.request
from email.message import Message
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit

from filelock import FileLock

from elmokit.cache import cache_folder
from elmokit.errors import ModelError
from elmokit.places import is_url

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 5  # connections that may break off before the download gives up; what came is kept for the next call
_BLOCK = 1 << 18


def fetch(url: str, *, sha256: str | None = None, progress: bool = True) -> Path:
    """The file at an address, downloaded once. A connection that breaks off is resumed where it ended.

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
    try:
        name = re.sub(r"[^\w.\- ]", "_", Path(unquote(urlsplit(url).path)).name).lstrip(".")
        path = folder / (name or "download")
        url = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    except ValueError as error:
        raise ModelError(f"{url} is no address: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # another process may want the same file
        if not path.is_file():
            _download(url, folder / ".partial", progress=progress)
            found = sha256_of(folder / ".partial")
            if sha256 is not None and found != sha256.lower():
                (folder / ".partial").unlink()
                raise ModelError(f"{url} has the SHA-256 sum {found}; expected {sha256}")
            os.replace(folder / ".partial", path)
        elif sha256 is not None and sha256_of(path) != sha256.lower():
            raise ModelError(
                f"{path} of an earlier download has another SHA-256 sum than {sha256}: delete it to try again"
            )
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
            except ValueError as error:
                raise ModelError(f"{url} is no address: {error}") from error
    raise ModelError(f"{url} broke off {ATTEMPTS} times ({broken or 'too few bytes'}); call again to continue")


def _continued(url: str, partial: Path, report: Any) -> bool:
    """One connection, from the end of what is there; whether the file is whole after it."""
    done = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "elmokit", "Accept-Encoding": "identity"})
    tag = partial.with_name(".version")
    if done and tag.is_file():
        request.add_header("Range", f"bytes={done}-")
        request.add_header("If-Range", tag.read_text(encoding="utf-8"))  # the rest of that very file, or all of it
    elif done:
        done = 0
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
        begins = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        if answer.status != 206 or begins != str(done):
            if answer.status == 206:
                partial.unlink(missing_ok=True)
                return False
            done = 0  # the server cannot resume, or has another file by now
        total = _total(answer.headers, done)
        # What tells this file from a later one at the same address; without it a download is not resumed.
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if version is None or version.startswith("W/"):
            tag.unlink(missing_ok=True)
        else:
            tag.write_text(version, encoding="utf-8")
        with partial.open("ab" if done else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                report(done, total)
    if total is not None and done > total:
        partial.unlink()
        raise OSError(f"{done} bytes came of {total}")
    return total is None or done == total


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
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _HttpOnly,
    ):
        opener.add_handler(handler())
    return opener


def sha256_of(path: Path) -> str:
    """The hexadecimal checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
