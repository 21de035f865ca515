"""How much each label weighs in the loss, so that rare ones count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import ClassificationData


def class_weights(config: ClassifyConfig, data: ClassificationData) -> NDArray[np.float32] | None:
    """(K,) weights of the labels, from the rows that are trained on; None where all weigh the same.

    `balanced`: rows / (labels · rows of the label), as scikit-learn has it; where a text may have several labels, the
    rows without a label divided by the rows with it, which is the weight of its presence.

    Raises:
        DataError: Weights are given for labels that the training rows lack, or a label occurs in no row that is trained
            on.
    """
    from sklearn.utils.class_weight import compute_class_weight

    if config.class_weights is None:
        return None
    if isinstance(config.class_weights, dict):
        names = dict(zip(data.keys, data.labels, strict=True)) | {label: label for label in data.labels}
        unknown = [label for label in config.class_weights if label not in names]
        if unknown:
            known = ", ".join(data.labels[:8])
            raise DataError(
                f"a weight for {unknown[0]!r}, which no training row has; the labels are {known} (--class-weights)"
            )
        given = {names[label]: weight for label, weight in config.class_weights.items()}
        return np.array([given.get(label, 1.0) for label in data.labels], dtype=np.float32)
    found = data.targets("train")
    counts = found.sum(axis=0) if found.ndim == 2 else np.bincount(found, minlength=len(data.labels))
    if not counts.all():
        missing = data.labels[int(counts.argmin())]
        raise DataError(
            f"the label {missing!r} occurs in none of the {len(found):,} rows that are trained on, so it has no "
            "balanced weight: give validation rows (--valid), or more rows of it (--class-weights)"
        )
    if found.ndim == 2:
        return ((len(found) - counts) / counts).astype(np.float32)
    weights = compute_class_weight("balanced", classes=np.arange(len(data.labels)), y=found)
    return np.asarray(weights, dtype=np.float32)
