from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit import Encoder
from elmokit.encode import encoder as encoder_module
from elmokit.encode import memory as memory_module
from elmokit.encode.embed_file import EmbedSettings, embed_file
from elmokit.encode.memory import layer_budget, memory_in_bytes
from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoModel
from helpers.engines import engine_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (1, 1),
        (500_000_000, 500_000_000),
        ("4096", 4096),
        ("1B", 1),
        ("1KB", 1024),
        ("256MB", 256 << 20),
        (" 1.5 gb ", 3 << 29),
    ],
)
def test_sizes(given: Any, expected: int | None) -> None:
    assert memory_in_bytes(given) == expected


@pytest.mark.parametrize(
    "given", ["lots", "", "MB", "1TB", "-1GB", "1,5GB", "1 G B", "0", "0.1B", 0, -5, 1.5, True, b"1GB"]
)
def test_other_sizes_are_refused_in_one_line(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"memory is .*; expected a number of bytes, or a size as '256MB'") as error:
        memory_in_bytes(given)
    assert "\n" not in str(error.value)


def test_an_encoder_refuses_it_before_a_model_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="memory is '1 mountain'"):
        Encoder.from_pretrained(tmp_path / "nowhere", memory="1 mountain")


def test_it_raises_the_default_and_never_lowers_it() -> None:
    default = layer_budget(None)
    assert layer_budget(1) == default
    assert layer_budget(1 << 30) == (1 << 30) // 3 > default
    assert layer_budget(1, narrow=True) == layer_budget(None, narrow=True) > default


@pytest.fixture
def small_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a batch has 256 words, and a window 300."""
    monkeypatch.setattr(memory_module, "_LAYERS", 1)
    monkeypatch.setattr(encoder_module, "_WINDOW_BYTES", 1)
    monkeypatch.setattr(encoder_module, "_LEAST_WORDS", 300)


@pytest.mark.usefixtures("small_budgets", "code_path")
@pytest.mark.parametrize("layers", ["all", "top"])
def test_vectors_do_not_depend_on_it(monkeypatch: pytest.MonkeyPatch, layers: Any) -> None:
    torch.manual_seed(4)
    model = ElmoModel(ElmoConfig.preset("tiny"))
    generator = np.random.default_rng(2)
    sentences = [[f"w{n}" for n in generator.integers(0, 90, count)] for count in (0, 700, *range(1, 60))]
    usual, larger, largest = (Encoder(model, memory=memory) for memory in (None, 600 * 384 * 3, "1GB"))
    batches = [_batches(monkeypatch, each) for each in (usual, larger, largest)]
    arrays = [each.encode(sentences, layers=layers, is_split_into_words=True) for each in (usual, larger, largest)]
    sizes = [engine_of(each).words_per_batch for each in (usual, larger, largest)]
    assert sizes == [256, 600, (1 << 30) // 3 // 384]
    assert len(batches[0]) > len(batches[1]) > len(batches[2]) == 1
    for one, two, three in zip(*arrays, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
        np.testing.assert_allclose(three, one, atol=1e-5)


def _batches(monkeypatch: pytest.MonkeyPatch, encoder: Encoder) -> list[int]:
    """Filled with the number of sentences of every batch."""
    seen: list[int] = []
    original = engine_of(encoder)._start

    def start(batch: int, **given: Any) -> Any:
        seen.append(batch)
        return original(batch, **given)

    monkeypatch.setattr(engine_of(encoder), "_start", start)
    return seen


def test_a_run_resumes_with_the_memory_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ElmoModel(ElmoConfig.preset("tiny"))
    (tmp_path / "in.txt").write_text("a b c\nd e\n", encoding="utf-8")
    settings = EmbedSettings(str(tmp_path / "in.txt"), tmp_path / "o.npz")

    def interrupted(*given: Any, **more: Any) -> Iterator[None]:
        (tmp_path / ".o.npz.partial" / "0.npy").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("elmokit.encode.embed_file._compute_parts", interrupted)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT011
            embed_file(Encoder(model), settings, progress=False)
    with pytest.raises(ConfigError, match="has memory = None, this one 1073741824"):
        embed_file(Encoder(model, memory="1GB"), settings, resume=True, progress=False)
