"""Sentences of news to go on pretraining with for a task on news, without those of any test set.

    python scripts/prepare_newswire.py $ELMOKIT_DATA runs/newswire/data

Reads Reuters-21578, the BBC's articles of 2004 and 2005 and the Australian ABC's of 2006, all of them for research only
(README.md of the data folder): models of this text are to be measured, not given away. Writes what
`prepare_elmo_mini.py` writes, by the same rules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from prepare_elmo_mini import lines, write_sentences


def abc(data: Path) -> Iterator[str]:
    for name in ("rural", "science"):
        yield from lines(data / "lm_news" / "abc2006" / f"{name}.txt.gz")


SOURCES = {
    "reuters21578": lambda data: lines(data / "lm_news" / "reuters21578" / "reuters.txt.gz"),
    "bbc2004": lambda data: lines(data / "lm_news" / "bbc2004" / "bbc.txt.gz"),
    "abc2006": abc,
}

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_sentences(SOURCES, Path(sys.argv[1]), Path(sys.argv[2]))
