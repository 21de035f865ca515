"""Where computed and downloaded files are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """`$ELMOKIT_CACHE/kind`, or `~/.cache/elmokit/kind`."""
    return Path(os.environ.get("ELMOKIT_CACHE") or Path.home() / ".cache" / "elmokit") / kind
