"""The compiled kernels against the PyTorch code, for every instruction set of this processor."""

from __future__ import annotations

import ctypes.util
import logging
import pickle
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn import few_rows, lstm
from elmokit.nn.cross_entropy import cross_entropy
from elmokit.nn.few_rows import FewRows
from elmokit.nn.lstm import ProjectedLSTM, lay_out_for_inference
from elmokit.nn.lstm_steps import Weights
from elmokit.nn.native import library
from elmokit.nn.native.library import FILE, Kernels, kernels, load, use_instruction_set

RAGGED = [9, 9, 5, 2, 2, 1]
SHAPES = {"projected": (128, 64), "odd sizes": (37, 11), "no projection": (64, None)}

pytestmark = pytest.mark.skipif(kernels() is None, reason=f"no compiled kernels: {library.status()}")


@pytest.fixture(params=["baseline", "AVX2", "AVX-512"], autouse=True)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    if not use_instruction_set(FILE, request.param):
        pytest.skip(f"this processor has no {request.param}")
    yield request.param
    use_instruction_set(FILE, _usual().instruction_set)


def _usual() -> Kernels:
    found = kernels()
    assert found is not None
    return found


def layer(shape: str, *, clip: float | None = 0.1, seed: int = 0) -> ProjectedLSTM:
    torch.manual_seed(seed)
    cell, projection = SHAPES[shape]
    made = ProjectedLSTM(
        input_dim=24, cell_dim=cell, projection_dim=projection, directions=2, cell_clip=clip, proj_clip=clip
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.1)
    return made


def results(module: ProjectedLSTM, dtype: torch.dtype, *, state: bool) -> list[Tensor]:
    """Outputs, final states and all gradients."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, sum(RAGGED), 24, generator=generator).to(dtype).requires_grad_()
    given = None
    if state:
        h, c = (torch.randn(2, RAGGED[0], n, generator=generator) for n in (module.output_dim, module.cell_dim))
        given = h.to(dtype).requires_grad_(), c.requires_grad_()
    outputs, (h_last, c_last) = module(x, RAGGED, given)
    weights = torch.linspace(-1, 1, outputs.numel()).view_as(outputs)
    ((outputs.float() * weights).sum() + h_last.float().square().sum() + c_last.sin().sum()).backward()
    gradients = [x.grad, *(p.grad for p in module.parameters()), *([] if given is None else [g.grad for g in given])]
    return [each.detach().float() for each in (outputs, h_last, c_last, *gradients) if each is not None]


@pytest.mark.parametrize("state", [True, False], ids=["given state", "zero state"])
@pytest.mark.parametrize("clip", [0.1, None])
@pytest.mark.parametrize("shape", SHAPES)
def test_training_in_float32_equals_pytorch(
    shape: str, clip: float | None, state: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = results(layer(shape, clip=clip), torch.float32, state=state)
    monkeypatch.setattr(library, "_found", lambda: (None, "off"))
    expected = results(layer(shape, clip=clip), torch.float32, state=state)
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        states = number < 3  # the others are gradients: sums over many rows
        close = 1e-6 if states else 3e-6 * max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=close)


@pytest.mark.parametrize("shape", SHAPES)
def test_training_in_bfloat16_is_as_close_to_float32_as_pytorch(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = results(layer(shape, clip=None), torch.float32, state=True)
    found = results(layer(shape, clip=None).bfloat16(), torch.bfloat16, state=True)
    monkeypatch.setattr(library, "_found", lambda: (None, "off"))
    theirs = results(layer(shape, clip=None).bfloat16(), torch.bfloat16, state=True)
    for ours, pytorch, right in zip(found, theirs, exact, strict=True):
        allowed = 1.5 * float((pytorch - right).norm()) + 1e-3 * float(right.norm())
        assert float((ours - right).norm()) <= allowed


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", SHAPES)
def test_inference_equals_pytorch(shape: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    module = layer(shape).to(dtype)
    x = torch.randn(2, sum(RAGGED), 24, generator=torch.Generator().manual_seed(2)).to(dtype)
    with torch.inference_mode():
        found, (h, c) = module(x, RAGGED)
        monkeypatch.setattr(library, "_found", lambda: (None, "off"))
        expected, (h_expected, c_expected) = module(x, RAGGED)
    close = {"rtol": 0, "atol": 1e-6 if dtype == torch.float32 else 2e-2}
    for ours, theirs in ((found, expected), (h, h_expected), (c, c_expected)):
        torch.testing.assert_close(ours.float(), theirs.float(), **close)  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", ["projected", "no projection"])
@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_few_sentences_equal_many(
    shape: str, stored: torch.dtype, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiled loop, whatever the weights are stored in."""
    monkeypatch.setattr(few_rows, "_GATES_AT_ONCE", at_once)
    monkeypatch.setattr(lstm, "MOST_ROWS", RAGGED[0])
    module = layer(shape)
    with torch.no_grad():
        module.weight_hidden[:, 0, 0] = 1e-9  # which float16 cannot hold
    module = module.to(stored).float()
    x = torch.randn(2, sum(RAGGED), 24, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        expected, (h_expected, c_expected) = module(x, RAGGED)
        lay_out_for_inference(module)
        found, (h, c) = module(x, RAGGED)
    assert module._prepared is not None and module._prepared[1][0].input.dtype == stored
    for ours, theirs in ((found, expected), (h, h_expected), (c, c_expected)):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_changed_weights_are_not_read_from_the_copy() -> None:
    module = layer("projected")
    lay_out_for_inference(module)
    x = torch.randn(2, 3, 24)
    with torch.inference_mode():
        before, _ = module(x, [1, 1, 1])
    with torch.no_grad():
        module.weight_hidden.mul_(2)
    with torch.inference_mode():
        found, _ = module(x, [1, 1, 1])
        lay_out_for_inference(module)
        expected, _ = module(x, [1, 1, 1])
    assert not torch.allclose(before, found, atol=1e-4)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_a_prepared_layer_can_be_copied_and_pickled() -> None:
    module = layer("projected")
    lay_out_for_inference(module)
    x = torch.randn(2, 3, 24)
    with torch.inference_mode():
        expected, _ = module(x, [1, 1, 1])
        for copy in (deepcopy(module), pickle.loads(pickle.dumps(module))):
            torch.testing.assert_close(copy(x, [1, 1, 1])[0], expected, rtol=0, atol=1e-6)


def test_sizes_that_do_not_fit_have_no_copy() -> None:
    odd = layer("odd sizes")
    weights = Weights(odd.weight_input[0], odd.weight_hidden[0], odd.bias[0], odd.weight_projection)
    assert FewRows.of(weights._replace(projection=None), _usual()) is None
    wide = Weights(torch.zeros(8192, 512), torch.zeros(8192, 1024), torch.zeros(8192), None)
    assert FewRows.of(wide._replace(hidden=torch.full((8192, 1024), 1 / 3)), _usual()) is None


def test_the_backward_pass_runs_once() -> None:
    module = layer("projected")
    outputs, _ = module(torch.randn(2, 3, 24), [1, 1, 1])
    loss = outputs.sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="can run only once"):
        loss.backward()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("words", [3, 32, 517])
def test_cross_entropy(words: int, bias: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    hidden, weight = (torch.randn(n, 16, generator=generator).requires_grad_() for n in (130, words))
    offset = torch.randn(words, generator=generator).requires_grad_() if bias else None
    targets = torch.randint(0, words, (130,), generator=generator)
    scale = torch.linspace(-1, 1, 130)
    inputs = [tensor for tensor in (hidden, weight, offset) if tensor is not None]
    losses = cross_entropy(hidden, targets, weight, offset)
    found = torch.autograd.grad((losses * scale).sum(), inputs)
    exact = [tensor.detach().double().requires_grad_() for tensor in inputs]
    logits = functional.linear(exact[0], exact[1], exact[2] if bias else None)
    expected = functional.cross_entropy(logits, targets, reduction="none")
    right = torch.autograd.grad((expected * scale).sum(), exact)
    torch.testing.assert_close(losses.double(), expected, rtol=1e-6, atol=1e-5)
    for ours, theirs in zip(found, right, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_numbers_far_from_zero_and_no_numbers(dtype: torch.dtype) -> None:
    """Saturated gates are 0 and 1, and what is no number stays none."""
    kernel = _usual().of_type[dtype].infer_step
    size = 19
    z = torch.zeros(1, 4, size, dtype=dtype)
    z[0, 0], z[0, 1], z[0, 2], z[0, 3] = 200, -200, 200, 30
    z[0, 3, 5] = float("nan")
    cell, mixed, bias = torch.full((1, size), 0.5), torch.zeros(1, size, dtype=dtype), torch.zeros(4 * size)
    kernel(1, size, z.data_ptr(), None, None, bias.data_ptr(), cell.data_ptr(), 3.0, mixed.data_ptr())
    assert torch.isnan(cell[0, 5]) and torch.isnan(mixed[0, 5])
    rest = [j for j in range(size) if j != 5]
    torch.testing.assert_close(cell[0, rest], torch.full((size - 1,), 0.5), rtol=0, atol=1e-6)
    torch.testing.assert_close(mixed[0, rest].float(), torch.tensor(0.5).tanh().expand(size - 1), rtol=0, atol=2e-3)


def test_a_file_that_is_no_library_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / FILE.name
    broken.write_bytes(b"junk")
    monkeypatch.setattr(library, "FILE", broken)
    found, status = _searched(caplog)
    assert found is None and status.startswith("PyTorch (")


@pytest.mark.skipif(sys.platform != "linux", reason="the header of a library on Linux is changed")
def test_a_library_for_another_processor_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _usual()
    foreign = bytearray(FILE.read_bytes())
    foreign[18] = 0xF3 if foreign[18] != 0xF3 else 0x3E  # e_machine: RISC-V, or x86-64
    (tmp_path / FILE.name).write_bytes(foreign)
    monkeypatch.setattr(library, "FILE", tmp_path / FILE.name)
    found, status = _searched(caplog)
    assert found is None and status.startswith("PyTorch (") and FILE.name in status


def test_a_library_of_another_version_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _usual()
    monkeypatch.setattr(library, "ABI_VERSION", 99)
    found, status = _searched(caplog)
    assert found is None and "expected 99: install elmokit again" in status


def _searched(caplog: pytest.LogCaptureFixture) -> tuple[library.Kernels | None, str]:
    """What is found, without what is remembered; one line says why it is not used."""
    with caplog.at_level(logging.WARNING):
        result: tuple[library.Kernels | None, str] = library._found.__wrapped__()  # type: ignore[attr-defined]
    (record,) = caplog.records
    assert "PyTorch runs in their place" in record.getMessage()
    assert "\n" not in record.getMessage()
    return result


def test_another_library_is_refused(tmp_path: Path) -> None:
    name = ctypes.util.find_library("c")
    if name is None:
        pytest.skip("no C library is found by name")
    with pytest.raises(AttributeError, match="elmokit_abi"):
        load(Path(name))


def test_missing_and_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = library._found.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setenv(library.SWITCH, "off")
    assert search() == (None, "PyTorch (kernels switched off by ELMOKIT_KERNELS)")
    monkeypatch.delenv(library.SWITCH)
    monkeypatch.setattr(library, "FILE", tmp_path / "nothing.so")
    found, status = search()
    assert found is None and "no C compiler" in status
