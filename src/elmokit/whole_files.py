"""Files that are whole or not there, and text and JSON read with their errors told."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from elmokit.errors import ConfigError, ModelError

JsonObject = dict[str, Any]
"""An object as JSON has it: its values are text, numbers, lists and objects, and its writer decides which."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name next to `path` to write to: it takes `path`'s place when the block ends, and goes when it fails."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one move."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_json_object(path: Path) -> JsonObject:
    """The JSON object in a file of a model.

    Raises:
        ModelError: It cannot be read, is no JSON, or no object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged, its contents are no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds {type(content).__name__}; expected an object")
    return content


def json_or_none(path: Path) -> Any:
    """The content of a file that may be anything."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None


@contextmanager
def text_file(path: Path, *, what: str = "", newline: str | None = None) -> Iterator[IO[str]]:
    """A UTF-8 file to read; `what` it is, for errors, and `newline` as of `open`.

    Raises:
        ModelError: It cannot be read, or is no UTF-8 text.
    """
    named = f"{what} {path}".strip()
    try:
        with path.open(encoding="utf-8", newline=newline) as file:
            yield file
    except OSError as error:
        raise ModelError(f"cannot read {named}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{named} is not UTF-8 text: {error}") from error


def check_new_file(path: Path, *, overwrite: bool, name: str) -> None:
    """A file can be written; `name` is what the user calls it.

    Raises:
        ConfigError: It exists, or its folder does not.
    """
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists: --overwrite replaces it")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {name}, {path.absolute().parent}, does not exist")


def json_text(content: Any, *, indent: int | None = None) -> str:
    """JSON that every reader understands: NaN and infinities become null."""
    return json.dumps(_finite(content), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def share_weights(folder: Path) -> None:
    """Give the files of weights in a folder the rights that the user's umask leaves.

    Libraries write under temporary names, which only their writer can read, and keep those rights when they rename.
    """
    for path in folder.glob("*.safetensors"):
        path.chmod(0o666 & ~umask())


def umask() -> int:
    """The rights that new files are made without."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
