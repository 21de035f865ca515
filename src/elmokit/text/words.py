"""Words of raw text with their character offsets: Penn-style, for any script.

Splitting works blank by blank: what stands between two blanks (a *chunk*) is split without a look at its neighbours.
That keeps the result independent of sentence borders and lets a cache answer most chunks of real text: few are new.

House rules where the Penn Treebank leaves room:
  - a final period stays with abbreviations ("Inc.", "U.S.", "J.") and is split off everywhere else, also in mid-text;
  - hyphens stay inside words ("three-year", "53-3"), slashes only between digits ("9/11");
  - Han characters are words of their own and kana runs are words; other scripts without blanks (Thai, Khmer) stay in
    runs: split those beforehand and use the whitespace mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import regex  # not `re`: marks, scripts and emoji need Unicode properties; transformers brings it along anyway

Span = tuple[int, int]


class Word(NamedTuple):
    """A word of a text and where it stands in it: `text[word.start:word.end] == word.text`."""

    text: str
    start: int
    end: int


SPLITTER_VERSION = 1  # raise when the same text would be split differently: prepared corpora are then rebuilt

_CHUNK = re.compile(r"\S+")

# What may make up a word: letters, marks, digits and the invisible joiners inside them, but no Han or kana.
_W = r"[[\p{L}\p{M}\p{N}\p{C}_]--[\p{Han}\p{Hiragana}\p{Katakana}ー]--\p{Extended_Pictographic}]"
_JOIN = (
    r"(?:\.?[-\u2010\u2011]|['’]"  # three-year, U.S.-based, O'Neill, don't (clitics are cut off later)
    r"|\.(?!\p{Lu}\p{Ll})"  # U.S, 1.88, SPACE.com, but not "slide.The"
    r"|(?<=\d)[,:/٫٬](?=\d)"  # 1,875,000  10:30  9/11
    r"|(?<=\p{Lu})&(?=\p{Lu}))"  # AT&T, S&P
)
_TOKEN = regex.compile(
    rf"""
    (?P<url>(?i:https?://|ftp://|www\.)[^\s<>"“”]*[^\s<>"“”'’.,;:!?)\]}}])
  | (?P<email>[\p{{L}}\p{{N}}._%+-]{{1,64}}+@[\p{{L}}\p{{N}}-]+(?:\.[\p{{L}}\p{{N}}-]+)+)
  | (?P<entity>&(?:[A-Za-z]{{2,8}}|\#\d{{1,6}});)                       # &lt; of raw web text
  | (?P<dollar>(?<!\p{{L}})(?:US|HK|NZ|A|C)\$)                           # US$
  | (?P<clitic>['’](?i:s|re|ve|ll|d|m)(?!{_W}))                          # U.S.'s
  | (?P<word>
        (?:(?<![^(\[$€£¥])(?:[-+−]\.?|\.)(?=\d)                          # -5  +.5  .5
          |(?<![^(\["“])['’](?=\d\d(?:s|\b)|(?i:em|til|cause|tis|twas)(?!{_W})))?    # '90s  'em
        {_W}++(?:{_JOIN}{_W}++)*+)
  | \p{{Regional_Indicator}}{{1,2}}                                      # flags
  | [\p{{Hiragana}}ー]+\p{{M}}* | [\p{{Katakana}}ー]+\p{{M}}*
  | (?P<run>[-=*~\#+.])(?P=run)+ | ``|''                                         # --  ...  ''
  | \X                                                                   # one of anything else: Han, emoji, punctuation
    """,
    regex.VERSION1 | regex.VERBOSE | regex.DOTALL,
)

# n't, possessives and auxiliaries leave their host: do|n't, we|'ll, dog|'s (Penn Treebank).
_CLITIC = regex.compile(r"(?<=\p{L})(?i:n['’]t)$|(?<=[\p{L}\p{M}\p{N}.])['’](?i:s|re|ve|ll|d|m)$")
# MacIntyre's list of joined words, cut after this many characters: can|not, gon|na …
_JOINED = {"cannot": 3, "gimme": 3, "gonna": 3, "gotta": 3, "lemme": 3, "wanna": 3}
_JOINED |= {"d'ye": 2, "more'n": 4, "'tis": 2, "'twas": 2}
_ACRONYM = regex.compile(r"(?:.*-)?(?:\p{L}\.)+\p{L}|[\p{Lu}--I]|Ph\.D", regex.VERSION1)  # U.S  a.m  J
_TITLES = """Mr Mrs Ms Messrs Dr Drs Prof Sr Jr St Ste Mt Ft Gen Gov Sen Sens Rep Reps Lt Col Sgt Capt Cpl Maj Cmdr Adm
    Rev Hon Pres Supt Inc Corp Co Cos Ltd Bros Assn Dept Univ Ave Blvd No Nos vs etc al cf approx Vol"""
_DATES = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri"
_STATES = """Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky Mass Md Mich Minn Miss Mo Mont Neb Nev Okla Ore Pa
    Penn Tenn Tex Va Vt Wash Wis Wyo Ont Que"""
_ABBREVIATIONS = frozenset(f"{_TITLES} {_DATES} {_STATES}".split())
_LONGEST_CACHED = 48  # longer chunks hardly ever come back and would only fill the cache


def word_spans(text: str) -> list[Span]:
    """Penn-style words of `text` as (start, end): increasing, without overlap, over every non-blank character."""
    spans: list[Span] = []
    for match in _CHUNK.finditer(text):
        start, chunk = match.start(), match.group()
        inside = _cached_spans(chunk) if len(chunk) <= _LONGEST_CACHED else _split_chunk(chunk)
        spans += [(start + s, start + e) for s, e in inside]
    return spans


def split_words(text: str) -> list[str]:
    """Penn-style words of `text`: `"I can't."` gives `["I", "ca", "n't", "."]`."""
    words: list[str] = []
    for chunk in text.split():
        words += _chunk_words(chunk)
    return words


def iter_words(text: str) -> Iterator[str]:
    """The words of `split_words` one by one, without a list of them: for texts as long as a book."""
    for match in _CHUNK.finditer(text):
        yield from _chunk_words(match.group())


def whitespace_spans(text: str) -> list[Span]:
    """Offsets of the blank-separated pieces of `text`: for text whose words are already split."""
    return [match.span() for match in _CHUNK.finditer(text)]


def _chunk_words(chunk: str) -> tuple[str, ...]:
    if len(chunk) <= _LONGEST_CACHED:
        return _cached_words(chunk)
    return tuple(chunk[s:e] for s, e in _split_chunk(chunk))


@lru_cache(maxsize=1 << 16)
def _cached_spans(chunk: str) -> tuple[Span, ...]:
    return tuple(_split_chunk(chunk))


@lru_cache(maxsize=1 << 16)
def _cached_words(chunk: str) -> tuple[str, ...]:
    return tuple(chunk[s:e] for s, e in _split_chunk(chunk))


def _split_chunk(chunk: str) -> Iterator[Span]:
    """Spans of one chunk (no blanks inside)."""
    position = 0
    while position < len(chunk):
        match = _TOKEN.match(chunk, position)  # always matches: the last alternative takes any character
        start, position = match.span()
        if match.lastgroup != "word":
            yield start, position
            continue
        # A period that follows belongs to an abbreviation, unless it opens an ellipsis.
        word, period = match.group(), chunk[position : position + 2]
        if period[:1] == "." and period != ".." and len(word) <= 20:
            position += word in _ABBREVIATIONS or _ACRONYM.fullmatch(word) is not None
        end, tail = position, []
        while match := _CLITIC.search(chunk, max(start + 1, end - 3), end):  # a clitic has three characters at most
            tail.append((match.start(), end))
            end = match.start()
        if cut := _JOINED.get(chunk[start : min(end, start + 8)].lower().replace("’", "'"), 0):
            yield start, start + cut
        yield start + cut, end
        yield from reversed(tail)
