"""Static vectors that a run reads: those of the words that its data has, and how many words have one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from elmokit.errors import ConfigError
from elmokit.models.loading import config_of
from elmokit.saved_model import SavedModel
from elmokit.static.vectors import WordVectors
from elmokit.tasks.config import HeadConfig

log = logging.getLogger(__name__)

_FEW = 0.5  # of the words of a text: with less, the file or the clean-up is probably the wrong one


@dataclass(frozen=True)
class Coverage:
    """Words of the data, and how many of them have a static vector: every occurrence, and each distinct word once."""

    words: int
    words_found: int
    types: int
    types_found: int

    @property
    def share(self) -> float:
        """Of the words."""
        return self.words_found / max(self.words, 1)

    def as_dict(self) -> dict[str, float]:
        """For metrics.json."""
        return {**asdict(self), "share": round(self.share, 4)}


def read_vectors(
    config: HeadConfig, file: Path, start: SavedModel, texts: Iterable[Sequence[str]]
) -> tuple[WordVectors, Coverage]:
    """The static vectors that a run asks for, and what they cover.

    Args:
        config: Of the run.
        file: Its vectors.
        start: The model that it starts from.
        texts: The words of all its texts, as its model reads them.

    Raises:
        ConfigError: The model has such vectors already.
        DataError: The file is damaged.
    """
    if config_of(start).n_static_words:
        raise ConfigError(f"{config.model} has static vectors already: leave out --vectors")
    counts: Counter[str] = Counter()
    for words in texts:
        counts.update(words)
    wanted = set(counts)
    if config.vectors_lower_case:
        wanted |= {word.lower() for word in counts}
    vectors = WordVectors.load(file, keep=wanted if config.vectors_kept == "data" else None)
    found = [word for word in counts if word in vectors or (config.vectors_lower_case and word.lower() in vectors)]
    coverage = Coverage(counts.total(), sum(counts[word] for word in found), len(counts), len(found))
    log.info(
        "%s: %s vectors are kept; they cover %.1f %% of %s words, %s of %s distinct ones",
        file,
        f"{len(vectors):,}",
        100 * coverage.share,
        f"{coverage.words:,}",
        f"{coverage.types_found:,}",
        f"{coverage.types:,}",
    )
    if coverage.share < _FEW:
        log.warning(
            "%s covers only %.1f %% of the words of the data: is it of another language, of split words (--split), or "
            "lower-cased where vectors_lower_case is off?",
            file,
            100 * coverage.share,
        )
    return vectors, coverage
