"""Which scheme the tags of a file are in: recognised, or checked against the one that was asked for."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from elmokit.errors import DataError
from elmokit.tasks.tagging.schemes import OUTSIDE, SCHEMES, Scheme, schemes_of

log = logging.getLogger(__name__)

_LETTERED = re.compile(r"[BIMELSU]-.")


@dataclass
class SchemesMet:
    """The schemes of the sentences of a file, as far as they have spans.

    Attributes:
        flag: The option that named the file.
        asked: The scheme it is said to have; None: the one that fits.
        counts: How many sentences fit just these schemes.
        first: Where the first of them stands.
    """

    flag: str
    asked: Scheme | None = None
    counts: dict[frozenset[Scheme], int] = field(default_factory=dict)
    first: dict[frozenset[Scheme], str] = field(default_factory=dict)

    def add(self, tags: Sequence[str], place: str) -> None:
        """A sentence at `place`.

        Raises:
            DataError: A tag is of no scheme.
        """
        if all(tag == OUTSIDE for tag in tags):
            return
        fits = schemes_of(tags)
        self.counts[fits] = self.counts.get(fits, 0) + 1
        self.first.setdefault(fits, place)

    def report(self) -> None:
        """Warn of sentences that fit another scheme than most of the file, or none.

        Raises:
            DataError: No sentence fits the scheme that was asked for.
        """
        total = sum(self.counts.values())
        if not total:
            return
        fitting = {scheme: sum(n for fits, n in self.counts.items() if scheme in fits) for scheme in SCHEMES}
        most: Scheme = max(SCHEMES, key=fitting.__getitem__)
        scheme = most if self.asked is None else self.asked
        if self.asked is not None and not fitting[self.asked]:
            seen = max(self.counts, key=lambda fits: self.counts[fits])
            raise DataError(
                f"{self.first[seen]}: none of the {total:,} sentences with tags fits {self.asked}; they fit "
                f"{_names(seen) or 'no scheme'} (--file-scheme)"
            )
        log.info("%s: the tags are %s", self.flag, scheme)
        for fits, count in self.counts.items():
            if not fits:
                log.warning(
                    "%s: the tags of %d sentences, the first at %s, fit none of %s; a tag that does not continue the "
                    "span before it begins a new one, as for conlleval",
                    self.flag,
                    count,
                    self.first[fits],
                    ", ".join(SCHEMES),
                )
            elif scheme not in fits:
                log.warning(
                    "%s: a file mixes schemes: %d of %d sentences with tags, the first at %s, fit %s and not %s; each "
                    "is read by its own letters",
                    self.flag,
                    count,
                    total,
                    self.first[fits],
                    _names(fits),
                    scheme,
                )


def with_letters(tags: Sequence[str]) -> list[str]:
    """Tags of IO, which may be labels alone, as `I-` and a label."""
    return [tag if tag == OUTSIDE or _LETTERED.match(tag) else f"I-{tag}" for tag in tags]


def _names(fits: frozenset[Scheme]) -> str:
    return " or ".join(scheme for scheme in SCHEMES if scheme in fits)
