"""Characters as the biLM reads them: the UTF-8 bytes of a word between two word markers (the convention of bilm-tf)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError

BOS, EOS, UNK = "<S>", "</S>", "<UNK>"
N_CHARACTERS = 262  # 0 sentence padding, 1..256 bytes, 257 <S>, 258 </S>, 259 and 260 around a word, 261 after it

_SENTENCE_BEGIN, _SENTENCE_END, _WORD_BEGIN, _WORD_END, _PADDING = 257, 258, 259, 260, 261
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def char_ids(words: Sequence[str], *, max_characters: int = 50) -> NDArray[np.int16]:
    """Character ids of `words`, shape (n, max_characters), shifted by one so that 0 is free for sentence padding.

    A word is cut to `max_characters - 2` bytes, possibly inside a character: published models were trained that way.
    Every word is plain bytes, a literal `<S>` too: the sentence markers come from `marker_char_ids`.
    """
    room = _room(max_characters)
    encoded = [word_bytes(word)[:room] for word in words]
    lengths = np.fromiter(map(len, encoded), dtype=np.intp, count=len(encoded))
    body = np.frombuffer(b"".join([word.ljust(room, b"\0") for word in encoded]), dtype=np.uint8)  # (n * room,)
    ids = np.full((len(encoded), max_characters), _PADDING, dtype=np.int16)
    ids[:, 0] = _WORD_BEGIN
    inside = np.arange(room) < lengths[:, None]
    np.copyto(ids[:, 1:-1], body.reshape(len(encoded), room).astype(np.int16) + 1, where=inside)
    ids[np.arange(len(encoded)), lengths + 1] = _WORD_END
    return ids


def marker_char_ids(max_characters: int = 50) -> NDArray[np.int16]:
    """Character ids of the sentence markers `<S>` and `</S>`, shape (2, max_characters): one id each, not letters."""
    _room(max_characters)
    ids = np.full((2, max_characters), _PADDING, dtype=np.int16)
    ids[:, 0], ids[:, 2] = _WORD_BEGIN, _WORD_END
    ids[:, 1] = _SENTENCE_BEGIN, _SENTENCE_END
    return ids


def _room(max_characters: int) -> int:
    """Bytes of a word that fit between its two markers."""
    if max_characters < 3:
        raise ConfigError(f"max_characters is {max_characters}, expected 3 at least: a character and two markers")
    return max_characters - 2


def word_bytes(word: str) -> bytes:
    """UTF-8 bytes of `word`; lone surrogates, which UTF-8 cannot hold, count as U+FFFD as they do in files."""
    try:
        return word.encode()
    except UnicodeEncodeError:
        return replace_surrogates(word).encode()


def replace_surrogates(text: str) -> str:
    """`text` with U+FFFD for every lone surrogate."""
    return _LONE_SURROGATE.sub("\ufffd", text)
