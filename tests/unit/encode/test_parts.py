"""A corpus to a folder of vectors: equal bytes whoever computes, and the same vectors as `Encoder.encode`."""

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

from elmokit.encode.encoder import Encoder
from elmokit.encode.parts import EmbedParts, PartSettings, Written, embed_corpus
from elmokit.encode.pooling import Pooling
from elmokit.encode.skipping import one_by_one
from elmokit.encode.word_weights import COUNTS_FILE
from elmokit.errors import ConfigError, DataError
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.nn.native import library
from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.manifest import Share
from elmokit.places import Place

LINES = [f"line {number} of the bank was word{number % 9} and wet" if number % 10 else "" for number in range(80)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny", projection_dim=16)).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


def embed(model: Path, source: Path, output: Path | str, *, share: Share | None = None, **settings: Any) -> Written:
    return embed_corpus(
        str(source), str(output), PartSettings(str(model), **settings), LocalEngine(), part_words=100, progress=False,
        share=share or Share(),
    )  # fmt: skip


def parts(folder: Path, suffix: str = ".parquet") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob(f"part-*{suffix}"))}


def test_vectors_are_those_of_the_encoder(model: Path, text: Path, tmp_path: Path) -> None:
    written = embed(model, text, tmp_path / "out")
    assert written.complete and written.sentences == 80 and written.words == 72 * 9
    expected = Encoder.from_pretrained(model).encode(LINES)
    manifest = pq.read_table(tmp_path / "out" / "_manifest.parquet").to_pylist()
    assert len(manifest) > 3
    seen = 0
    for row in manifest:
        table = pq.read_table(tmp_path / "out" / f"part-{row['part']:07d}.parquet")
        assert str(table.schema.field("layer_0").type) == "fixed_size_list<element: float>[32]"
        layers = [table[f"layer_{layer}"].combine_chunks().flatten().to_numpy().reshape(-1, 32) for layer in range(3)]
        sentences = np.array(table["sentence"]) + row["first_sentence"]
        for number in np.unique(sentences):
            chosen = sentences == number
            np.testing.assert_allclose(np.stack([layer[chosen] for layer in layers]), expected[number], atol=1e-5)
            seen += 1
    assert seen == 72


def test_shares_and_resumed_runs_make_the_same_bytes(model: Path, text: Path, tmp_path: Path) -> None:
    embed(model, text, tmp_path / "whole")
    for number in (3, 1, 2):
        written = embed(model, text, tmp_path / "shared", share=Share(number, 3))
    assert written.complete
    assert parts(tmp_path / "shared") == parts(tmp_path / "whole")
    (tmp_path / "shared" / "part-0000001.parquet").write_bytes(b"PAR1 cut off")
    (tmp_path / "shared" / "part-0000002.parquet").unlink()
    (tmp_path / "shared" / "_SUCCESS").unlink()
    embed(model, text, tmp_path / "shared")
    assert parts(tmp_path / "shared") == parts(tmp_path / "whole")
    with pytest.raises(ConfigError, match="has layers = 'all', this one 'top'"):
        embed(model, text, tmp_path / "shared", layers="top")


def test_hdf5_parts_on_an_object_store(model: Path, text: Path, tmp_path: Path) -> None:
    embed(model, text, tmp_path / "here", format="hdf5", level="sentence")
    embed(model, text, f"memory://{tmp_path.name}/out/", format="hdf5", level="sentence")
    there = Place(f"memory://{tmp_path.name}/out")
    assert {name: (there / name).read_bytes() for name in parts(tmp_path / "here", ".hdf5")} == parts(
        tmp_path / "here", ".hdf5"
    )
    with h5py.File(tmp_path / "here" / "part-0000000.hdf5") as file:
        assert file["1"].shape == (3, 32)


def test_poison_lines_are_listed(model: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"line {number}"}) for number in range(60)]
    lines[17] = '{"text": "cut o'
    lines[43] = "[1, 2]"
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="part 0"):
        embed(model, path, tmp_path / "stopped")
    written = embed(model, path, tmp_path / "out", on_error="skip")
    assert (written.sentences, written.words, written.skipped) == (60, 116, 2)
    errors = [json.loads(line) for line in (tmp_path / "out" / "_errors.jsonl").read_text().splitlines()]
    content = path.read_bytes()
    for error, number in zip(errors, (17, 43), strict=True):
        assert error["file"] == str(path) and content[error["offset"] :].startswith(lines[number].encode())
        assert str(path) in error["reason"] or "elmokit-part" not in error["reason"]


def test_a_sentence_that_cannot_be_encoded_stands_alone() -> None:
    def work(numbers: Any) -> list[int]:
        if 5 in numbers:
            raise RuntimeError("no memory")
        return [2 * number for number in numbers]

    assert list(one_by_one(range(8), work)) == [(2 * n, "") if n != 5 else (None, "no memory") for n in range(8)]


def test_an_input_without_words(model: Path, tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n\n")
    with pytest.raises(DataError, match="contains no text: no word was found in 2 lines"):
        embed(model, tmp_path / "blank.txt", tmp_path / "out")


def test_a_model_that_changed_under_the_run(model: Path, text: Path, tmp_path: Path) -> None:
    work = EmbedParts(PartSettings(str(model)), str(tmp_path), "other", library.kernels() is not None)
    with pytest.raises(ConfigError, match="differs from the model on the node"):
        work.open()


@pytest.mark.parametrize("pooling", ["mean", "weighted"])
def test_what_pools_the_words_of_a_sentence_belongs_to_the_run(
    model: Path, text: Path, tmp_path: Path, pooling: Pooling
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    removed = pooling == "mean"
    settings: dict[str, Any] = {
        "level": "sentence",
        "layers": "top",
        "pooling": pooling,
        "remove_common_component": removed,
    }

    def change(seed: int) -> None:
        if removed:
            Encoder.from_pretrained(copy).fit_common_component(LINES[40 * seed : 40 + 40 * seed]).save(copy)
        else:
            (copy / COUNTS_FILE).write_text(f"bank\t{1 + 99 * seed}\nwet\t50\n")

    change(0)
    embed(copy, text, tmp_path / "out", **settings)
    change(1)
    with pytest.raises(ConfigError, match=r"has weights = .*: give the same settings"):
        embed(copy, text, tmp_path / "out", **settings)
