"""What a model folder holds for sentence vectors, on its way into a converted folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from elmokit.encode.common_component import COMPONENT_FILE, CommonComponent
from elmokit.encode.word_weights import COUNTS_FILE, WordWeights


def carry_over(source: Path | None, target: Path, *, component: CommonComponent | None = None) -> None:
    """Word counts and the common component of `source` (None: of a foreign format) into the model folder `target`.

    `component` is written in place of that of `source`.

    Raises:
        ModelError: A file of `source` is damaged.
    """
    if component is not None:
        component.save(target)
    if source is None:
        return
    if component is None and (source / COMPONENT_FILE).is_file():
        shutil.copy(source / COMPONENT_FILE, target)
    if (source / COUNTS_FILE).is_file() or not (target / "vocab.txt").is_file():
        weights = WordWeights.of_folder(source)
        if weights is not None:
            weights.save(target)
