"""Which parameters an optimizer trains in which way, and at what rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.optimizers import build_optimizer, hidden_matrices, set_learning_rates

HIGHWAY = ("highways.0.carry.weight", "highways.0.transform.weight")


def settings(**changed: Any) -> PretrainConfig:
    return PretrainConfig(**{"train": ["a.txt"], "output": Path("run"), **changed})


def model(**changed: Any) -> ElmoForPreTraining:
    return ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=30, **changed))


def test_muon_trains_the_matrices_between_hidden_vectors_and_no_others() -> None:
    network = model()
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {
        (each.blocks, each.transposed): [names[id(p)] for p in each.parameters] for each in hidden_matrices(network)
    }
    layers = [f"elmo.bilm.layers.{number}.weight_" for number in (0, 1)]
    encoder = "elmo.token_encoder."
    assert found == {
        (4, False): [layer + kind for layer in layers for kind in ("input", "hidden")],
        (1, True): [layer + "projection" for layer in layers],
        (1, False): [encoder + name for name in ("projection.weight", *HIGHWAY)],
    }
    optimizer = build_optimizer(settings(optimizer="muon"), network)
    groups = [[names[id(p)] for p in group["params"]] for group in optimizer.param_groups]
    assert sorted(name for group in groups for name in group) == sorted(names.values())
    assert [group["kind"] for group in optimizer.param_groups] == ["adamw", "muon", "muon", "muon"]
    assert sorted(groups[1:]) == sorted(found.values())


def test_a_cell_without_projection_has_gates_alone() -> None:
    found = hidden_matrices(model(projection_dim=32, cell_dim=32))
    assert sorted((each.blocks, each.transposed) for each in found) == [(1, False), (4, False)]


def test_large_matrices_are_cut_into_blocks_of_rows() -> None:
    """Tiny: gates 32 × 16, projections 32 × 16, highways 20 × 20, the char CNN's projection 16 × 20."""
    network = model()
    names = {id(parameter): name.rpartition(".token_encoder.")[2] for name, parameter in network.named_parameters()}

    def blocks(max_side: int) -> dict[str, int]:
        found = hidden_matrices(network, max_side=max_side)
        return {names[id(parameter)]: each.blocks for each in found for parameter in each.parameters}

    whole, cut = blocks(20), blocks(10)
    gates, highway = "elmo.bilm.layers.0.weight_input", "highways.0.carry.weight"
    assert (whole[gates], whole[highway], whole["projection.weight"]) == (4, 1, 1)
    assert (cut[gates], cut[highway], cut["projection.weight"]) == (16, 2, 2)
    assert blocks(7)[highway] == 4  # 3 does not divide 20


def test_each_part_has_its_rate_and_both_follow_the_schedule() -> None:
    config = settings(optimizer="muon", learning_rate=0.004, muon_learning_rate=0.04)
    optimizer = build_optimizer(config, model())
    assert [group["lr"] for group in optimizer.param_groups] == [0.004, 0.04, 0.04, 0.04]
    set_learning_rates(optimizer, config, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.002, 0.02, 0.02, 0.02]


def test_one_setting_scales_both_rates_unless_the_other_is_set() -> None:
    optimizer = build_optimizer(settings(optimizer="muon", learning_rate=0.0004), model())
    assert [group["lr"] for group in optimizer.param_groups] == [0.0004] + [pytest.approx(0.004)] * 3


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.AdamW), ("adagrad", torch.optim.Adagrad), ("sgd", torch.optim.SGD)]
)
def test_other_optimizers_have_one_rate(name: str, kind: type[torch.optim.Optimizer]) -> None:
    config = settings(optimizer=name, learning_rate=0.1)
    optimizer = build_optimizer(config, model())
    assert isinstance(optimizer, kind)
    set_learning_rates(optimizer, config, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [pytest.approx(0.01)]
