"""Text whose words are split already: how it shows, and one warning where it is about to be split again."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from elmokit.text.records import Record

log = logging.getLogger(__name__)

_TEXTS = 500  # looked at
_SIGNS = {
    re.compile(r"(?:(?<=\s)|^)<unk>(?=\s|$)", re.IGNORECASE): "<unk>",
    re.compile(r"(?<=\s)@[-,.]@(?=\s)"): "@-@",
    re.compile(r"(?:(?<=\s)|^)-[LR][RSC]B-(?=\s|$)"): "-LRB-",
    re.compile(r"(?<=\w) n't\b"): " n't",
}
_STOP = re.compile(r"(?<=\w)( ?)[,;?!](?=\s|$)|(?<=\w)( )\.(?=\s|$)")
_FEW, _SHARE = 4, 0.9


def signs_of_tokens(texts: Iterable[str]) -> list[str]:
    """What shows that the words of these texts are split already; nothing where it does not show."""
    found: Counter[str] = Counter()
    apart = stops = 0
    for text in texts:
        for pattern, sign in _SIGNS.items():
            found[sign] += len(pattern.findall(text))
        for match in _STOP.finditer(text):
            stops += 1
            apart += bool(match[1] or match[2])
    signs = [sign for sign, count in found.items() if count and (sign != " n't" or count >= _FEW)]
    if apart >= _FEW and apart >= _SHARE * stops:
        signs.append("a space before commas and full stops")
    return signs


def warned_of_tokens(records: Iterable[Record], *, where: object = None) -> Iterator[Record]:
    """The same records; one warning where the first ones are raw texts that show signs of split words.

    `where` names their file in the warning; default: the path of the first record.
    """
    held: list[Record] = []
    records = iter(records)
    for record in records:
        held.append(record)
        if len(held) == _TEXTS:
            break
    signs = signs_of_tokens(record.text for record in held if record.words is None)
    if signs:
        shown = ", ".join(repr(sign) if " " not in sign.strip() else sign for sign in signs)
        log.warning(
            "%s: the words seem to be split already (%s) and are split again%s; --pretokenized takes them as they are",
            where or held[0].path,
            shown,
            ", which makes three words of <unk>" if "<unk>" in signs else "",
        )
    yield from held
    yield from records
