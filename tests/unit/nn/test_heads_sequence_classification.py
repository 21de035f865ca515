"""The losses of a classifier: weights of labels, several labels, numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from elmokit.nn.heads.sequence_classification import SequenceClassificationNetwork
from elmokit.nn.heads.shapes import SequenceClassificationShape
from elmokit.text.char_ids import char_ids

WORDS = torch.from_numpy(char_ids(["a", "dog", "runs", "far"])).long().view(2, 2, -1)


def network(problem: str, labels: int) -> SequenceClassificationNetwork:
    torch.manual_seed(0)
    names = {number: str(number) for number in range(labels)}
    config = SequenceClassificationShape.preset(
        "tiny", head_hidden_dim=4, head_dropout=0.0, id2label=names, problem_type=problem
    )
    return SequenceClassificationNetwork(config).train(False)


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 3.0, 0.5])])
def test_weights_of_labels(weights: torch.Tensor | None) -> None:
    one, several = (network(f"{kind}_label_classification", 3) for kind in ("single", "multi"))
    classes, rows = torch.tensor([2, 1]), torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    cases: list[tuple[Any, torch.Tensor, Any]] = [
        (one, classes, lambda logits: functional.cross_entropy(logits, classes, weight=weights)),
        (several, rows, lambda logits: functional.binary_cross_entropy_with_logits(logits, rows, pos_weight=weights)),
    ]
    for model, labels, loss in cases:
        model.class_weights = weights
        found = model(WORDS, labels=labels)
        torch.testing.assert_close(found.loss, loss(found.logits))
        assert not [name for name in model.state_dict() if "class_weights" in name]


def test_numbers_are_learned_in_deviations() -> None:
    model = network("regression", 1)
    plain = model(WORDS).logits
    model.standardize(50.0, 10.0)
    gold = torch.tensor([40.0, 60.0])
    found = model(WORDS, labels=gold)
    torch.testing.assert_close(found.logits, plain * 10 + 50)
    torch.testing.assert_close(found.loss, functional.mse_loss(found.logits[:, 0], gold) / 100)
    assert {"target_mean", "target_scale"} <= set(model.state_dict())
