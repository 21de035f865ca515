from __future__ import annotations

import pytest
import torch

from elmokit.models import ElmoConfig, ElmoForPreTraining
from elmokit.nn.config import NetworkConfig
from elmokit.nn.language_network import LanguageNetwork


def test_the_defaults_are_those_of_the_configuration_of_transformers() -> None:
    shipped = NetworkConfig.of(ElmoConfig())
    assert NetworkConfig(filters=shipped.filters) == shipped


SHAPES = [
    {"vocab_size": 60},
    {"vocab_size": 60, "softmax": "full", "warm_state": True, "directions": 1},
    {"vocab_size": 60, "adaptive_cutoffs": [10, 30], "adaptive_div_value": 4, "n_highway": 2},
    {"vocab_size": 60, "softmax": "sampled", "projection_dim": 32, "cell_dim": 32, "cell_clip": None},
]


@pytest.mark.parametrize("values", SHAPES)
def test_its_weights_are_named_as_transformers_saves_them(values: dict[str, object]) -> None:
    model = ElmoForPreTraining(ElmoConfig.preset("tiny", **values)).eval()
    network = LanguageNetwork(NetworkConfig.of(model.config)).eval()
    network.load_state_dict(model.state_dict())
    rows = torch.randint(1, 260, (5, 50))
    assert torch.equal(network.elmo.token_vectors(rows), model.elmo.token_vectors(rows))
    for one, other in zip(network.elmo.initial_state(3), model.elmo.initial_state(3), strict=True):
        assert torch.equal(one, other)
    hidden, targets = torch.randn(4, model.config.projection_dim), torch.arange(4)
    assert torch.equal(network.head.nll(hidden, targets), model.head.nll(hidden, targets))


def test_values_of_a_file() -> None:
    values = {"cell_dim": 640, "cell_clip": 3, "filters": [[1, 4]], "pooling": "max", "adaptive_cutoffs": None}
    found = NetworkConfig.read(values)
    assert found == NetworkConfig(cell_dim=640, cell_clip=3, filters=[[1, 4]])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"cell_dim": "64"}, "'cell_dim' expected int, got str"),
        ({"cell_dim": True}, "'cell_dim' expected int, got bool"),
        ({"cell_dim": 64.0}, "'cell_dim' expected int, got float"),
        ({"directions": 3}, "'directions' expected one of"),
        ({"directions": True}, "'directions' expected one of .*True"),
        ({"filters": [[1, "4"]]}, "'filters' expected list of list of int or no value"),
        ({"softmax": "none"}, "'softmax' expected one of"),
        ({"warm_state": 1}, "'warm_state' expected bool, got int"),
        ({"cell_clip": -1.0}, "cell_clip is -1.0; expected a positive bound"),
        ({"proj_clip": 0}, "proj_clip is 0; expected a positive bound"),
    ],
)
def test_wrong_values_of_a_file(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        NetworkConfig.read(values)
