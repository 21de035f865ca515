"""Files and folders by path or address: `s3://bucket/key`, `memory://…`, `https://…` and what else fsspec knows.

A local file is written under a temporary name and renamed. On an object store an object appears when it is whole; it is
written to a local file first. Credentials and endpoints come from where the store's own tools look for them
(`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from elmokit.cache import cache_folder
from elmokit.errors import ConfigError, DataError
from elmokit.whole_files import umask

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_ATTEMPTS = 4
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_CLIENTS = ("aiohttp", "botocore", "aiobotocore", "urllib3")  # whose errors are connections that broke off

_T = TypeVar("_T")


def is_address(name: str | Path) -> bool:
    """Whether this names something by address (`s3://…`), not a local path."""
    return _ADDRESS.match(str(name)) is not None


def is_url(name: str | Path) -> bool:
    """Whether this is an http(s) address."""
    return str(name).startswith(("http://", "https://"))


@dataclass(frozen=True)
class Place:
    """A file or folder, local or remote.

    Attributes:
        address: A path, or an address with its protocol.
    """

    address: str

    @property
    def is_local(self) -> bool:
        """Whether the operating system's own calls reach it."""
        return not is_address(self.address)

    @property
    def name(self) -> str:
        """The last part."""
        return self.address.rstrip("/").rpartition("/")[2]

    @property
    def path(self) -> Path:
        """The path of a local place."""
        return Path(self.address)

    def __truediv__(self, name: str) -> Place:
        return Place(f"{self.address.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.address

    @cached_property
    def _store(self) -> tuple[Any, str]:
        """The file system of fsspec and the path on it."""
        import fsspec

        try:
            return fsspec.core.url_to_fs(self.address)  # type: ignore[no-any-return]
        except ImportError as error:
            raise ConfigError(f"{self.address}: {error} (pip install -c constraints.txt '.[remote]')") from error
        except ValueError as error:
            raise ConfigError(
                f"{self.address}: {error}; expected a path, s3://, https:// or what fsspec knows"
            ) from error

    def _call(self, what: str, call: Callable[[Any, str], _T]) -> _T:
        """Call fsspec; connections that break off are tried again."""
        store, path = self._store
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call(store, path)
            except _FINAL:
                raise
            except Exception as error:
                if isinstance(error, ConfigError | DataError):
                    raise
                full = isinstance(error, OSError) and error.errno in _FULL
                broken = (
                    isinstance(error, OSError | TimeoutError) or type(error).__module__.partition(".")[0] in _CLIENTS
                )
                if full or not broken or attempt == _ATTEMPTS:
                    raise OSError(f"cannot {what} {self.address}: {type(error).__name__}: {error}") from error
                time.sleep(0.2 * 4 ** (attempt - 1))
        raise AssertionError("unreachable")

    def exists(self) -> bool:
        """Whether a file or folder is there."""
        if self.is_local:
            return self.path.exists()
        return self._call("find", lambda store, path: bool(_fresh(store).exists(path)))

    def is_folder(self) -> bool:
        """Whether a folder is there; on an object store, whether objects lie below it."""
        if self.is_local:
            return self.path.is_dir()
        return self._call("find", lambda store, path: bool(_fresh(store).isdir(path)))

    def size(self) -> int:
        """Bytes of a file."""
        if self.is_local:
            return self.path.stat().st_size
        return self._call("find", lambda store, path: int(_fresh(store).info(path)["size"] or 0))

    def version(self) -> str:
        """What tells this state of a file from another one: size and time of change, or the store's tag."""
        if self.is_local:
            found = self.path.stat()
            return f"{found.st_size}-{found.st_mtime_ns}"
        info = self._call("find", lambda store, path: dict(_fresh(store).info(path)))
        tag = next(
            (info[key] for key in ("ETag", "etag", "md5", "LastModified", "mtime", "created") if info.get(key)), ""
        )
        return f"{info.get('size')}-{tag}".replace('"', "")

    def names(self) -> list[str]:
        """Names of the files and folders in a folder, sorted; none where there is no folder."""
        if self.is_local:
            return sorted(os.listdir(self.path)) if self.path.is_dir() else []

        def listed(store: Any, path: str) -> list[str]:
            try:
                found = _fresh(store).ls(path, detail=False)
            except FileNotFoundError:
                return []
            return sorted({name.rstrip("/").rpartition("/")[2] for name in found} - {""})

        return self._call("list", listed)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes of a file, from any position on."""
        if self.is_local:
            with self.path.open("rb") as file:
                yield file
            return
        file = self._call("open", lambda store, path: store.open(path, "rb", block_size=1 << 20))
        with file:
            yield file

    def read_bytes(self) -> bytes:
        """All of a file."""
        if self.is_local:
            return self.path.read_bytes()
        return self._call("read", lambda store, path: bytes(store.cat_file(path)))

    def read_range(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end` of a file, fewer where it ends before."""
        if self.is_local:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        if start >= self.size():
            return b""
        return self._call("read", lambda store, path: bytes(store.cat_file(path, start=start, end=end)))

    def write_bytes(self, content: bytes) -> None:
        """Write a file, whole or not at all."""
        with self.written() as file:
            file.write_bytes(content)

    @contextmanager
    def written(self) -> Iterator[Path]:
        """A local file to write to: it takes its place here when the block ends, and is dropped when it fails."""
        if self.is_local:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{self.name}.", suffix=".partial", dir=self.path.parent)
        else:
            handle, name = tempfile.mkstemp(suffix=f".{self.name}")
        os.close(handle)
        partial = Path(name)
        try:
            yield partial
            if self.is_local:
                partial.chmod(0o666 & ~umask())
                partial.replace(self.path)
            else:
                self.put(partial)
        finally:
            partial.unlink(missing_ok=True)

    def put(self, file: Path) -> None:
        """Copy a local file here."""
        if self.is_local:
            with self.written() as partial:
                shutil.copyfile(file, partial)
            return
        self._call("write", lambda store, path: store.put_file(str(file), path))

    def get(self, file: Path) -> None:
        """Copy this file to a local one."""
        if self.is_local:
            shutil.copyfile(self.path, file)
            return
        partial = file.with_name(f".{file.name}.partial")
        try:
            self._call("read", lambda store, path: store.get_file(path, str(partial)))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove a file, or a folder with all in it; nothing happens where nothing is."""
        if self.is_local:
            if self.path.is_dir():
                shutil.rmtree(self.path)
            else:
                self.path.unlink(missing_ok=True)
            return

        def gone(store: Any, path: str) -> None:
            if _fresh(store).exists(path):
                store.rm(path, recursive=True)

        self._call("remove", gone)

    def matches(self) -> list[Place]:
        """The files that a glob names, by name; the file itself where it is no glob."""
        if self.is_local:
            raise ValueError("local globs are expanded by expand_paths")
        if not re.search(r"[*?\[]", self.address.partition("://")[2]) or self._call("find", _is_file):
            return [self]
        protocol = self.address.partition("://")[0]

        def found(store: Any, path: str) -> list[Place]:
            names = sorted(
                name for name, info in _fresh(store).glob(path, detail=True).items() if info["type"] == "file"
            )
            return [Place(name if is_address(name) else f"{protocol}://{name.removeprefix('//')}") for name in names]

        return self._call("list", found)


def local_copy(address: str, *, kind: str = "remote") -> Path:
    """The file or folder at an address as a local copy in the cache, fetched anew when it has changed.

    Raises:
        DataError: Nothing is there, or it cannot be read.
    """
    from filelock import FileLock

    place = Place(address.rstrip("/"))
    try:
        files = [("", place)]  # by name below the folder
        if not place._call("find", _is_file):
            _, root = place._store
            names = place._call("list", lambda store, path: sorted(_fresh(store).find(path)))
            if not names:
                raise DataError(f"{place} does not exist: check the address, and the credentials in the environment")
            below = [name.split(root.strip("/") + "/", 1)[1] for name in names]
            files = [(name, place / name) for name in below]
        state = hashlib.sha256(repr([(name, file.version()) for name, file in files]).encode()).hexdigest()
        base = cache_folder(kind) / hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:24]
        target = base / state[:16] / (re.sub(r"[^\w.\- ]", "_", place.name) or "copy")
        base.mkdir(parents=True, exist_ok=True)
        with FileLock(base / ".lock"):
            if not target.exists():
                partial = base / ".partial"
                shutil.rmtree(partial, ignore_errors=True)
                for name, file in files:
                    local = partial / target.name / name if name else partial / target.name
                    local.parent.mkdir(parents=True, exist_ok=True)
                    file.get(local)
                partial.rename(target.parent)
        return target
    except OSError as error:
        raise DataError(f"cannot read {address}: {error.strerror or error}") from error


def copies_of(pattern: str) -> list[Path]:
    """Local copies of the files that an address or a glob of addresses names.

    Raises:
        DataError: It names none.
    """
    try:
        found = Place(pattern).matches()
    except OSError as error:
        raise DataError(f"cannot read {pattern}: {error}") from error
    if not found:
        raise DataError(f"{pattern} matches no file: check the address, and the credentials in the environment")
    return [local_copy(place.address) for place in found]


def _is_file(store: Any, path: str) -> bool:
    return bool(_fresh(store).isfile(path))


def _fresh(store: Any) -> Any:
    """The store without what it remembers of earlier listings."""
    store.invalidate_cache()
    return store
