"""The driver: gives the parts that are missing to an engine and keeps account of what comes back."""

from __future__ import annotations

from collections.abc import Iterator

from elmokit.errors import DataError
from elmokit.parts.engines import Engine
from elmokit.parts.folder import MANIFEST, PartFolder
from elmokit.parts.manifest import WHOLE, Share, read_manifest
from elmokit.parts.work import Part, Work
from elmokit.progress import parts_bar


def run_parts(
    folder: PartFolder, engine: Engine, work: Work, *, what: str, share: Share = WHOLE, progress: bool = True
) -> None:
    """Compute the parts of a share that are not there.

    Raises:
        ConfigError, DataError: The engine cannot begin, or a part cannot be computed; what is done stays.
    """
    pending = folder.pending(share)
    mine = sum(1 for _ in range(share.number - 1, len(pending), share.of))
    before = mine - int(pending.sum())
    if before == mine:
        return
    windows: Iterator[list[Part]] = read_manifest(folder.place / MANIFEST, pending)
    with parts_bar(what, mine, done=before, show=progress) as advance:
        results = engine.results(work, windows)
        try:
            for result in results:
                if result.error:
                    raise DataError(f"{result.error} (part {result.number}; the parts that are done are kept)")
                folder.take(result.number, result.counts)
                advance(result.counts.words)
        finally:
            results.close()  # type: ignore[attr-defined]
