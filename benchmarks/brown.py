"""Sentences of the Brown corpus. Older versions of elmokit are measured on them: nothing of it is imported here."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path


def brown(count: int) -> list[list[str]]:
    """The first sentences of the Brown corpus."""
    data = os.environ.get("ELMOKIT_DATA")
    if not data:
        sys.exit("set ELMOKIT_DATA to the folder of the data sets: the sentences come from brown/brown.txt.gz")
    with gzip.open(Path(data) / "brown" / "brown.txt.gz", "rt", encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t")[1].split() for line, _ in zip(file, range(count), strict=False)]
