"""Where the data is, and tables in Markdown: what the recipes that judge have in common."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from elmokit.errors import ConfigError


def data_folder(given: Path | None) -> Path:
    """`given`, or the folder that $ELMOKIT_DATA names.

    Raises:
        ConfigError: It is not the folder of the data sets.
    """
    folder = given or Path(os.environ.get("ELMOKIT_DATA", ""))
    if not (folder / "wordsim").is_dir():
        raise ConfigError(f"{folder} is not the folder of the data sets: set ELMOKIT_DATA, or give --data")
    return folder


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """A table of rows by column; the columns of the first row, then those that only others have."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row.get(name, "–") for name in columns) + " |" for row in rows)])
