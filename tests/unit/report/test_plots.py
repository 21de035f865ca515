from pathlib import Path

import numpy as np
from matplotlib.image import imread

from elmokit.report.plots import confusion_matrices, layer_weights, learning_curves


def drawn(path: Path) -> bool:
    """A picture that is not one colour."""
    return bool(np.ptp(imread(path)[..., :3]) > 0.5)


def test_learning_curves_with_a_gap_and_a_short_series(tmp_path: Path) -> None:
    panels = {"loss": {"train": [0.9, float("nan"), 0.5], "validation": [0.8, 0.7]}, "accuracy": {"validation": [0.5]}}
    assert drawn(learning_curves(tmp_path / "sub" / "curves.png", panels, x=[1, 2, 3], title="A run"))


def test_confusion_matrices_of_few_and_of_many_classes(tmp_path: Path) -> None:
    few = [[3, 0], [1, 0]]
    assert drawn(confusion_matrices(tmp_path / "few.png", {"train": few, "test": few}, labels=["yes", "no"]))
    many = np.diag(np.arange(20)).tolist()  # with a class of no rows
    names = [f"a class with a long name {number}" for number in range(20)]
    assert drawn(confusion_matrices(tmp_path / "many.png", {"test": many}, labels=names))


def test_layer_weights_of_one_epoch(tmp_path: Path) -> None:
    assert drawn(layer_weights(tmp_path / "weights.png", [[0.2, 0.5, 0.3]], gammas=[1.1]))


def test_no_partial_file_stays_behind(tmp_path: Path) -> None:
    layer_weights(tmp_path / "weights.png", [[0.5, 0.5]], gammas=[1.0])
    assert [path.name for path in tmp_path.iterdir()] == ["weights.png"]
