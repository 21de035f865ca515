"""Files of vectors: what each format holds, and that an interrupted run ends in the same bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from elmokit import Encoder
from elmokit.encode import embed_file as module
from elmokit.encode.embed_file import EmbedSettings, embed_file
from elmokit.errors import ConfigError, DataError
from elmokit.models import ElmoConfig, ElmoModel

torch.manual_seed(2)
ENCODER = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
LINES = ["The bank was wet .", "", "Do n't row !", "The bank was wet .", *(f"word{n} of line {n}" for n in range(40))]
FORMATS = ["hdf5", "parquet", "npz"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "in.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return str(tmp_path / "in.txt")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART_BYTES", 0)
    monkeypatch.setattr(module, "_LEAST_WORDS", 20)


def run(source: str, output: Path, **settings: Any) -> Path:
    flags = {key: settings.pop(key) for key in ("resume", "overwrite") if key in settings}
    settings = {"pre_split": True, **settings}
    return embed_file(ENCODER, EmbedSettings(source, output, **settings), progress=False, **flags).path


def kill_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let runs die when `parts` parts are written; returns the numbers of those that were."""
    original = module._write_part
    written: list[Any] = []

    def killed(*args: Any) -> None:
        if len(written) == parts:
            raise KeyboardInterrupt
        written.append(args[1])
        original(*args)

    monkeypatch.setattr(module, "_write_part", killed)
    return written


def expected(**settings: Any) -> Any:
    return ENCODER.encode([line.split() for line in LINES], is_split_into_words=True, **settings)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_hdf5_is_laid_out_as_allennlp_did(source: str, tmp_path: Path, dtype: str) -> None:
    with h5py.File(run(source, tmp_path / "o.hdf5", dtype=dtype)) as file:
        assert len(file) == len(LINES) + 1
        for number, array in enumerate(expected()):
            assert file[str(number)].dtype == dtype
            np.testing.assert_allclose(file[str(number)][...], array, atol=1e-6 if dtype == "float32" else 1e-3)
        assert file["1"].shape == (3, 0, 32)
        (index,) = file["sentence_to_index"].asstr()[...]
    assert json.loads(index)["Do n't row !"] == "2"


def test_parquet_has_a_row_a_word(source: str, tmp_path: Path) -> None:
    table = pq.read_table(run(source, tmp_path / "o.parquet")).to_pydict()
    words = [(n, place, word) for n, line in enumerate(LINES) for place, word in enumerate(line.split())]
    assert list(zip(table["sentence"], table["position"], table["word"], strict=True)) == words
    joined = np.concatenate(expected(), axis=1)
    for layer in range(3):
        np.testing.assert_allclose(np.array(table[f"layer_{layer}"]), joined[layer], atol=1e-6)
    table = pq.read_table(run(source, tmp_path / "one.parquet", layers="top")).to_pydict()
    np.testing.assert_allclose(np.array(table["vector"]), joined[-1], atol=1e-6)


@pytest.mark.parametrize("layers", ["all", 1])
def test_sentence_level(source: str, tmp_path: Path, layers: Any) -> None:
    vectors = expected(layers=layers, level="sentence")
    with np.load(run(source, tmp_path / "o.npz", layers=layers, level="sentence")) as file:
        np.testing.assert_allclose(file["vectors"], vectors, atol=1e-6)
    with h5py.File(run(source, tmp_path / "o.hdf5", layers=layers, level="sentence")) as file:
        np.testing.assert_allclose(file["2"][...], vectors[2], atol=1e-6)
    table = pq.read_table(run(source, tmp_path / "o.parquet", layers=layers, level="sentence")).to_pydict()
    assert table["text"] == LINES
    column = "vector" if layers == 1 else "layer_2"
    np.testing.assert_allclose(np.array(table[column]), vectors if layers == 1 else vectors[:, 2], atol=1e-6)


def test_several_layers_and_layers_side_by_side(source: str, tmp_path: Path) -> None:
    table = pq.read_table(run(source, tmp_path / "o.parquet", layers=[0, 2])).to_pydict()
    joined = np.concatenate(expected(), axis=1)
    assert [name for name in table if name.startswith("layer")] == ["layer_0", "layer_2"]
    np.testing.assert_allclose(np.array(table["layer_2"]), joined[2], atol=1e-6)
    with np.load(run(source, tmp_path / "o.npz", layers="concat", level="sentence", pooling="mean+max")) as file:
        found = expected(layers="concat", level="sentence", pooling="mean+max")
        assert found.shape == (len(LINES), 2 * 3 * 32)
        np.testing.assert_allclose(file["vectors"], found, atol=1e-6)
    with h5py.File(run(source, tmp_path / "o.hdf5", layers=[0, 2])) as file:
        assert file["0"].shape == (2, 5, 32)


def test_only_some_positions(source: str, tmp_path: Path) -> None:
    wanted = [[0, 4], [], [-1], [2], *([1, 0] for _ in range(40))]
    (tmp_path / "at.txt").write_text("".join(" ".join(map(str, each)) + "\n" for each in wanted))
    words = [line.split() for line in LINES]
    vectors = expected(layers="top", positions=wanted)
    settings = {"layers": "top", "positions": tmp_path / "at.txt"}
    with np.load(run(source, tmp_path / "o.npz", **settings)) as file:
        assert file["words_0"].tolist() == ["The", "."]
        assert file["positions_2"].tolist() == [len(words[2]) - 1]
        assert file["vectors_1"].shape == (0, 32)
        np.testing.assert_allclose(file["vectors_9"], vectors[9], atol=1e-6)
    with h5py.File(run(source, tmp_path / "o.hdf5", **settings)) as file:
        assert file["3"].attrs["positions"].tolist() == [2]
        np.testing.assert_allclose(file["0"][...], vectors[0], atol=1e-6)
    table = pq.read_table(run(source, tmp_path / "o.parquet", **settings)).to_pydict()
    assert (table["position"][:4], table["word"][:4]) == ([0, 4, len(words[2]) - 1, 2], ["The", ".", "!", "was"])
    np.testing.assert_allclose(np.array(table["vector"]), np.concatenate(vectors), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0\n\n9\n", r"at\.txt line 3: there is no word 9; the sentence has 4 words, the first is 0"),
        ("0\n", r"at\.txt has 1 lines; expected one for each sentence"),
        ("0\n" + "\n" * len(LINES), r"at\.txt has more lines than the 44 sentences"),
        ("0 the\n", r"at\.txt line 1: expected numbers of words, got '0 the'"),
    ],
)
def test_positions_that_do_not_fit(source: str, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "at.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        run(source, tmp_path / "o.npz", positions=tmp_path / "at.txt")
    assert not list(tmp_path.glob("*o.npz*"))


@pytest.mark.parametrize("ending", FORMATS)
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    whole = run(source, tmp_path / f"whole.{ending}").read_bytes()
    original, calls = module._write_part, kill_after(3, monkeypatch)
    output = tmp_path / f"o.{ending}"
    with pytest.raises(KeyboardInterrupt):  # noqa: PT011
        run(source, output)
    assert not output.exists()
    monkeypatch.setattr(module, "_write_part", lambda *args: (calls.append(args[1]), original(*args)))
    with pytest.raises(ConfigError, match="--resume continues"):
        run(source, output)
    with pytest.raises(ConfigError, match="has layers = 'all', this one 'top'"):
        run(source, output, layers="top", resume=True)
    assert run(source, output, resume=True).read_bytes() == whole
    assert sorted(calls) == sorted(set(calls))  # no part twice
    assert not list(tmp_path.glob(".o.*"))


def test_each_process_writes_its_share(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {}
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        path = run(source, tmp_path / "o.hdf5")
        assert path.name == f"o.rank{rank}-of-2.hdf5"
        with h5py.File(path) as file:
            numbers = set(file) - {"sentence_to_index"}
            assert 5 < len(numbers) < len(LINES) - 5
            found |= {number: file[number][...] for number in numbers}
    assert len(found) == len(LINES)
    for number, array in enumerate(expected()):
        np.testing.assert_allclose(found[str(number)], array, atol=1e-6)


def test_a_disk_that_is_too_small_is_refused(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"the disk has 0\.00 GB left"):
        run(source, tmp_path / "o.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_the_forecast_is_near(source: str, tmp_path: Path) -> None:
    from elmokit.encode.writers import forecast

    words = sum(len(line.split()) for line in LINES)
    for ending in FORMATS:
        path = run(source, tmp_path / f"o.{ending}")
        size = forecast(path, sentences=len(LINES), words=words, numbers=96, itemsize=4, level="token")
        assert 0.6 < path.stat().st_size / size < 1.4, ending


def test_resuming_with_another_encoder_ends_in_the_same_bytes(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last bits of a word's vector depend on the words beside it in the char CNN; the run keeps what it had."""
    torch.manual_seed(2)
    model = ElmoModel(ElmoConfig.preset("mini"))
    settings = EmbedSettings(source, tmp_path / "whole.npz", pre_split=True)
    embed_file(Encoder(model), settings, progress=False)
    original = module._write_part
    kill_after(2, monkeypatch)
    settings = EmbedSettings(source, tmp_path / "o.npz", pre_split=True)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT011
        embed_file(Encoder(model), settings, progress=False)
    monkeypatch.setattr(module, "_write_part", original)
    other = Encoder(model)
    other.encode(["something else came before"])
    embed_file(other, settings, resume=True, progress=False)
    assert (tmp_path / "o.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("level", ["token", "sentence"])
def test_a_process_without_a_part_writes_an_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, level: str
) -> None:
    (tmp_path / "in.txt").write_text("one line\n")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    path = run(str(tmp_path / "in.txt"), tmp_path / f"o.{ending}", level=level)
    if ending == "parquet":
        assert pq.read_table(path).num_rows == 0
        assert "layer_2" in pq.read_table(path).column_names
    elif ending == "npz" and level == "sentence":
        with np.load(path) as file:
            assert file["vectors"].shape == (0, 3, 32)
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(ConfigError, match="RANK is '2' with WORLD_SIZE 2"):
        run(str(tmp_path / "in.txt"), tmp_path / f"p.{ending}", level=level)
