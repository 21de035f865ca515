"""Weights stored in a type that the processor does not multiply: computed in float32, exact but for the rounding."""

from __future__ import annotations

import pytest
import torch

from elmokit import Encoder
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.nn import lstm, network, precision
from elmokit.nn.packed_product import product_with
from elmokit.nn.precision import multiplies, wide_product

SENTENCES = [["The", "bank", "was", "wet", "."], ["Do", "n't", "row", "!"], ["x"]]


def test_float32_and_other_devices_have_units() -> None:
    assert multiplies(torch.float32, "cpu")
    assert multiplies(torch.bfloat16, "cuda")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_stored_weight_gives_the_float32_product(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_BLOCK", 30)  # four rows of seven at a time
    torch.manual_seed(0)
    x, weight = torch.randn(5, 7), torch.randn(9, 7).to(dtype)
    torch.testing.assert_close(wide_product(x, weight=weight), x @ weight.float().t())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_stored_weights_encode_as_their_float32_copies(
    monkeypatch: pytest.MonkeyPatch, dtype: str, projected: bool, together: bool
) -> None:
    for module in (lstm, network):
        monkeypatch.setattr(module, "multiplies", lambda dtype, device: dtype == torch.float32)
    torch.manual_seed(1)
    config = ElmoConfig.preset("tiny", **({} if projected else {"projection_dim": 32, "cell_dim": 32}))
    model = ElmoModel(config).to(getattr(torch, dtype))
    exact = ElmoModel(config)
    exact.load_state_dict({name: tensor.float() for name, tensor in model.state_dict().items()})
    calls = [SENTENCES] if together else [[sentence] for sentence in SENTENCES]  # one alone has a way of its own
    found, expected = Encoder(model), Encoder(exact)
    tolerance = 0.02 if dtype == "bfloat16" else 0.003
    for call in calls:
        for one, other in zip(
            found.encode(call, is_split_into_words=True), expected.encode(call, is_split_into_words=True), strict=True
        ):
            assert abs(one - other).max() <= tolerance * abs(other).max()


@pytest.mark.parametrize("units", [True, False])
def test_many_products_in_bfloat16_whatever_the_processor_has(monkeypatch: pytest.MonkeyPatch, units: bool) -> None:
    if units and not multiplies(torch.bfloat16, "cpu"):
        pytest.skip("this processor has no units for bfloat16")
    monkeypatch.setattr("elmokit.nn.packed_product.multiplies", lambda *_: units)
    torch.manual_seed(1)
    weight, x = torch.randn(64, 32).bfloat16(), torch.randn(5, 32).bfloat16()
    multiply = product_with(weight, rows=500, calls=100)
    torch.testing.assert_close(multiply(x).float(), x.float() @ weight.float().t(), rtol=0.02, atol=0.1)
