"""Files of static vectors as programs write them: word2vec (text or binary) and GloVe."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Collection
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError

log = logging.getLogger(__name__)

Array = NDArray[np.float32]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_vectors(path: Path, *, keep: Collection[str] | None = None) -> tuple[list[str], Array]:
    """Words and vectors (words, dim); of a word that occurs twice the first is kept, and a warning counts the others.

    Whether a file is text or binary shows in it. Where its first line promises a number of words, it has that many.

    Args:
        path: The file.
        keep: Only the vectors of these words: memory is for them alone, and the values of others are not looked at.

    Raises:
        DataError: The file is missing or damaged, has another number of words than it promises, a line has another
            number of values, a word is empty, or a value is no number.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with cast(IO[bytes], gzip.open(path) if packed else path.open("rb")) as file:
            read = _read_binary if _is_binary(path, file) else _read_text
            words, matrix = read(path, file, keep)
    except OSError as error:
        raise DataError(f"cannot read the vectors {path}: {error.strerror or error}") from error
    except EOFError as error:
        raise DataError(f"{path} is cut short") from error
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(broken):
        others = f", and {len(broken) - 1:,} more words" if len(broken) > 1 else ""
        raise DataError(
            f"{path}: the vector of {words[broken[0]]!r} (word {broken[0] + 1:,}){others} has values that are not "
            "finite numbers (nan or inf): leave such words out"
        )
    odd = sum("\ufffd" in word for word in words)
    if odd:
        log.warning("%s: %d words have bytes that are not UTF-8 (cut words?), read as U+FFFD", path, odd)
    first: dict[str, int] = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    if len(first) == len(words):
        return words, matrix
    log.warning("%s: %d words occur again; the first vector of each is kept", path, len(words) - len(first))
    return list(first), matrix[list(first.values())]


def _is_binary(path: Path, file: IO[bytes]) -> bool:
    """Whether a file is binary: it begins with two numbers, and what follows is not a word and that many values."""
    head = file.readline(100)
    if head.startswith(_UTF16):
        raise DataError(f"{path} is UTF-16 text; expected UTF-8")
    promised = _promise(head)
    first = file.read(1 << 20).lstrip(b"\r\n").partition(b"\n")[0]
    file.seek(0)
    named_binary = path.name.removesuffix(".gz").endswith(".bin")
    if promised is None:
        values = head.split()[1:]
        if named_binary and not (values and _is_number(values[-1])):
            raise DataError(f"{path} is no binary word2vec file: it does not begin with two numbers")
        return False
    fields = first.replace(b"\t", b" ").split()
    return bool(first or named_binary) and not all(_is_number(field) for field in fields[-promised[1] :][:3] or [b""])


def _promise(line: bytes) -> tuple[int, int] | None:
    """The numbers of words and of values of each in the first line, or None where it has a word and its vector."""
    fields = line.removeprefix(_BYTE_ORDER_MARK).split()
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(field.isdigit() for field in fields) else None


def _read_text(path: Path, file: IO[bytes], keep: Collection[str] | None) -> tuple[list[str], Array]:
    words: list[str] = []
    rows: list[Array] = []
    promised: int | None = None
    size: int | None = None  # values of a word
    begins = None if keep is None else {_begin(word.encode()) for word in keep}
    found = 0
    for number, raw in enumerate(file, 1):
        if number == 1:
            if (first := _promise(raw)) is not None:
                promised, size = first
                continue
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        if begins is not None and size is not None and _begin(raw) not in begins:
            found += bool(raw.strip())
            continue
        line = raw.decode(errors="replace").rstrip()
        if not line.strip():
            continue
        found += 1
        fields = line.replace("\t", " ").split(" ")
        size = len(fields) - 1 if size is None else size
        word, vector = _parsed(path, number, fields, size)
        if keep is None or word in keep:
            words.append(word)
            rows.append(vector)
    if promised is not None and promised != found:
        raise DataError(f"{path} promises {promised:,} words in its first line, and {found:,} follow")
    if not found:
        raise DataError(f"{path} contains no vectors")
    return words, _stacked(rows, size or 0)


def _begin(line: bytes) -> bytes:
    """What stands before the first space or tab."""
    return line.replace(b"\t", b" ").partition(b" ")[0]


def _stacked(rows: list[Array], size: int) -> Array:
    return np.stack(rows) if rows else np.zeros((0, size), dtype=np.float32)


def _parsed(path: Path, number: int, fields: list[str], size: int) -> tuple[str, Array]:
    """The word and the vector of a line. Some files have words with spaces: the values are counted from the end."""
    shown = " ".join(fields)[:60]
    if size < 1:
        raise DataError(f"{path} line {number}: expected a word and its numbers, got {shown!r}")
    if len(fields) < size + 1:
        raise DataError(f"{path} line {number}: {len(fields) - 1} values; expected {size}, as in the lines before")
    word = " ".join(fields[: len(fields) - size])
    try:
        vector = np.array(fields[-size:], dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{path} line {number}: expected a word and {size} numbers, got {shown!r}") from error
    if len(fields) > size + 1 and _is_number(fields[-size - 1]):
        raise DataError(f"{path} line {number}: {len(fields) - 1} values; expected {size}, as in the lines before")
    if not word.strip(" "):
        raise DataError(f"{path} line {number}: the word is empty, got {shown!r}")
    return word, vector


def _is_number(field: str | bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_binary(path: Path, file: IO[bytes], keep: Collection[str] | None) -> tuple[list[str], Array]:
    count, size = _promise(file.readline(100)) or (0, 0)
    words: list[str] = []
    rows: list[Array] = []
    for number in range(1, count + 1):
        letters = bytearray()
        while (letter := file.read(1)) not in (b" ", b""):
            if letter != b"\n":  # some programs end a vector with it, some do not
                letters += letter
        if letter and not letters:
            raise DataError(f"{path}: word {number} is empty")
        values = file.read(4 * size)
        if not letters or len(values) < 4 * size:
            raise DataError(f"{path} is cut short: it promises {count} words and ends in word {number}")
        word = letters.decode(errors="replace")
        if keep is None or word in keep:
            words.append(word)
            rows.append(np.frombuffer(values, dtype="<f4").astype(np.float32))
    behind = file.read(64).strip(b"\r\n")
    if behind:
        raise DataError(f"{path} promises {count} words, and after the last one more follows: {behind[:20]!r}")
    return words, _stacked(rows, size)
