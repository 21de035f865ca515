"""Optional clean-up of raw text before it is split. Each step is a function from text to text, named in `STEPS`."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

import regex  # knows Unicode's classes of characters

from elmokit.errors import ConfigError

_Names = TypeVar("_Names", bound=Sequence[str])

_CLITIC_QUOTE = re.compile(r" ?#39;(?=(?:s|t|re|ve|ll|d|m)\b)", re.IGNORECASE)  # tuesday #39;s
_CLOSING = re.compile(r" ?(#39|quot);(?=\s|[.,;:!?)\]]|-|$)")  # nuts, quot; adding
_OPENING = re.compile(r"(?<!\w)(#39|quot);")
_AMPERSAND = re.compile(r" amp;(?=\S)")  # AT amp;T
_BARE_ENTITY = re.compile(r"(?<![&\w])(#\d{2,5}|#x[0-9a-fA-F]{2,5}|lt|gt|amp|quot|nbsp);")  # #36;10 with its & lost
_ENTITY = re.compile(r"&#?\w{2,31};")  # none without its ";": "?a=1&copy=2" is an address
_TAG = re.compile(r"<(?:/?[A-Za-z][^<>]{0,1000}|!--[^<>]{0,1000}--)>")
_BACKSLASHES = re.compile(r"\\+")
_ADDRESS = re.compile(r"(?i:https?://|ftp://|www\.)\S+|[\w.%+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_PUNCTUATION = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_CONTRACTIONS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b", "can not"),
        (r"\bshan't\b", "shall not"),
        (r"n't\b", " not"),
        (r"\blet's\b", "let us"),
        (r"(?<=\w)'re\b", " are"),
        (r"(?<=\w)'ve\b", " have"),
        (r"(?<=\w)'ll\b", " will"),
        (r"(?<=\w)'d\b", " would"),
        (r"\b(I)'m\b", r"\1 am"),
        (r"\b(it|he|she|that|this|there|here|what|who|where|when|how)'s\b", r"\1 is"),
    )
]
_QUOTES = {"#39": "'", "quot": '"'}


def clean_markup(text: str) -> str:
    """Repair web mark-up: entities (also some that lost their `&`: `#39;s`, `quot;`), tags, backslashes for line ends.

    `Kerry #39;s  quot;nuts, quot; \\&lt;b&gt;...&lt;/b&gt;` becomes `Kerry's "nuts," ...`.
    """
    if "\\" in text:
        text = _BACKSLASHES.sub(" ", text)
    if ";" in text:
        text = _unescaped(text)
        text = _CLITIC_QUOTE.sub("'", text)
        text = _CLOSING.sub(lambda match: _QUOTES[match[1]], text)
        text = _OPENING.sub(lambda match: _QUOTES[match[1]], text)
        text = _AMPERSAND.sub("&", text)
        text = _BARE_ENTITY.sub(r"&\1;", text)
        text = _unescaped(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return " ".join(text.split())


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def lower_case(text: str) -> str:
    """Lower-case letters."""
    return text.lower()


def unicode_nfc(text: str) -> str:
    """Composed characters (NFC): one spelling for `é`, whether it came as one character or as two."""
    return unicodedata.normalize("NFC", text)


def expand_contractions(text: str) -> str:
    """`I can't` becomes `I can not`, `they're` `they are`. `'s` is `is` after pronouns alone."""
    text = text.replace("’", "'")
    if "'" not in text:
        return text
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    return text


def replace_urls(text: str) -> str:
    """Addresses of the web and of mail become the word `URL`."""
    return _ADDRESS.sub("URL", text)


def remove_punctuation(text: str) -> str:
    """Only letters, digits and marks stay; everything else is a blank."""
    return " ".join(_PUNCTUATION.sub(" ", text).split())


STEPS: dict[str, Callable[[str], str]] = {
    "clean_markup": clean_markup,
    "lower_case": lower_case,
    "unicode_nfc": unicode_nfc,
    "expand_contractions": expand_contractions,
    "replace_urls": replace_urls,
    "remove_punctuation": remove_punctuation,
}


def check_steps(names: _Names) -> _Names:
    """`names`; raises `ConfigError` for one that is no clean-up step."""
    for name in names:
        if name not in STEPS:
            raise ConfigError(f"unknown clean-up step {name!r}; expected one of {', '.join(STEPS)}")
    return names


def normalize_words(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """Each word after the named steps; one of which nothing would be left stays as it is."""
    return [normalize(word, names).strip() or word for word in words] if names else list(words)


def normalize(text: str, names: Sequence[str]) -> str:
    """`text` after the named steps, in their order."""
    for name in names:
        text = STEPS[name](text)
    return text
