"""Sentences of news to continue pretraining with for a task on news, without those of any test set.

    python recipes/prepare_newswire.py $ELMOKIT_DATA runs/newswire/data

Reads Reuters-21578, the BBC's articles of 2004 and 2005 and the Australian ABC's of 2006, all of them for research only
(README.md of the data folder): models of this text are to be measured, not given away. Writes `train.txt`, `valid.txt`
and `sources.json` by the rules of the text of the first `elmo-mini` (`english_text/first_text.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from english_text.data_folder import DataFolder
from english_text.first_text import Paragraphs, write_sentences


def abc(data: DataFolder) -> Iterator[str]:
    for name in ("rural", "science"):
        yield from data.lines(f"lm_news/abc2006/{name}.txt.gz")


SOURCES: dict[str, Paragraphs] = {
    "reuters21578": lambda data: data.lines("lm_news/reuters21578/reuters.txt.gz"),
    "bbc2004": lambda data: data.lines("lm_news/bbc2004/bbc.txt.gz"),
    "abc2006": abc,
}

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = write_sentences(SOURCES, DataFolder(Path(sys.argv[1])), Path(sys.argv[2]))
    for name, count in found.items():
        print(f"{name:<22}" + "  ".join(f"{key} {value:,}" for key, value in sorted(count.items())))
