"""ESIM over mixed layers: each step against a plain computation, and what padding must not change."""

from __future__ import annotations

import pytest
import torch

from elmokit.nn.heads.shapes import SequenceClassificationShape
from elmokit.nn.heads.text_pairs import TextPairsNetwork


def model(**values: object) -> TextPairsNetwork:
    torch.manual_seed(0)
    names = {0: "a", 1: "b", 2: "c"}
    config = SequenceClassificationShape.preset(
        "tiny", head_hidden_dim=6, head_dropout=0.0, id2label=names, **values
    )  # fmt: skip
    return TextPairsNetwork(config).train(False)


def inputs(words: int, *, more: int = 0) -> dict[str, torch.Tensor]:
    """Layers and a mask of one text, with `more` places of padding."""
    layers = torch.randn(1, 3, words + more, 32, generator=torch.Generator().manual_seed(words))
    mask = torch.tensor([[1] * words + [0] * more])
    return {"layers": layers * mask[:, None, :, None], "attention_mask": mask}


def pair(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**first, **{f"second_{name}": tensor for name, tensor in second.items()}}


@torch.no_grad()
def test_it_is_esim() -> None:
    network = model()
    first, second = inputs(3), inputs(2)
    a, _ = network.read(None, first["attention_mask"], first["layers"], None)
    b, _ = network.read(None, second["attention_mask"], second["layers"], None)
    e = torch.einsum("xid,xjd->xij", a, b)
    sides = []
    for own, other, weights in ((a, b, e.softmax(dim=2)), (b, a, e.softmax(dim=1).transpose(1, 2))):
        aligned = weights @ other
        compared = torch.cat([own, aligned, own - aligned, own * aligned], dim=2)
        states, _ = network.composition(torch.relu(network.projection(compared)), [own.shape[1]])
        sides += [states.mean(dim=1), states.max(dim=1).values]
    expected = network.output(torch.tanh(network.hidden(torch.cat(sides, dim=1))))
    torch.testing.assert_close(network(**pair(first, second)).logits, expected)


@torch.no_grad()
def test_padding_changes_nothing() -> None:
    network = model()
    bare = network(**pair(inputs(3), inputs(2))).logits
    first = inputs(3)
    padded = {"layers": torch.cat([first["layers"], torch.zeros(1, 3, 2, 32)], dim=2),
              "attention_mask": torch.tensor([[1, 1, 1, 0, 0]])}  # fmt: skip
    torch.testing.assert_close(network(**pair(padded, inputs(2))).logits, bare)
    with pytest.raises(ValueError, match="expected it at the right"):
        network(**pair({**padded, "attention_mask": torch.tensor([[0, 0, 1, 1, 1]])}, inputs(2)))


def test_numbers_are_learned_in_standard_deviations() -> None:
    network = model()
    network.config.problem_type = "regression"
    network.standardize(3.0, 2.0)
    output = network(**pair(inputs(3), inputs(2)), labels=torch.tensor([5.0]))
    assert output.loss.item() == pytest.approx(((output.logits[0, 0].item() - 5.0) / 2.0) ** 2, rel=1e-5)
    assert network.state_dict()["target_mean"] == 3.0
