"""Models, texts, vectors, corpora and checkpoints on an object store: an S3 server of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from elmokit.encode.encoder import Encoder
from elmokit.encode.parts import PartSettings, embed_corpus
from elmokit.errors import ConfigError, DataError
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.parts.engines.local import LocalEngine
from elmokit.places import Place
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import pretrain
from elmokit.pretrain.prepare.run import PrepareSettings, prepare_corpus_folder
from helpers.object_store import object_store

pytest.importorskip("moto")
LINES = [f"line {number} of the bank was wet" for number in range(40)]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with object_store("corpus") as address:
        yield address


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny", projection_dim=16)).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    return folder


def test_embedding_reads_and_writes_addresses(
    bucket: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path / "cache"))
    for file in model.iterdir():
        (Place(bucket) / "model" / file.name).put(file)
    (tmp_path / "a.txt").write_text("\n".join(LINES))
    (Place(bucket) / "text" / "a.txt").put(tmp_path / "a.txt")
    embed_corpus(
        f"{bucket}/text/*.txt", f"{bucket}/out/", PartSettings(f"{bucket}/model"), LocalEngine(), part_words=60,
        progress=False,
    )  # fmt: skip
    embed_corpus(
        str(tmp_path / "a.txt"), str(tmp_path / "out"), PartSettings(str(model)), LocalEngine(), part_words=60,
        progress=False,
    )  # fmt: skip
    names = [path.name for path in sorted((tmp_path / "out").glob("part-*"))]
    assert len(names) > 2
    for name in names:
        assert (Place(bucket) / "out" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert "_SUCCESS" in (Place(bucket) / "out").names()
    assert Encoder.from_pretrained(f"{bucket}/model").dim == 32


def test_a_corpus_is_prepared_and_trained_on_at_addresses(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "train.txt").write_text("\n".join(LINES) + "\n")
    (Place(bucket) / "train.txt").put(tmp_path / "train.txt")
    prepared = PrepareSettings((f"{bucket}/train.txt",), part_words=100, min_count=1)
    info = prepare_corpus_folder(prepared, f"{bucket}/shards", LocalEngine(), progress=False)
    assert len(info["train"]["shards"]) > 1

    def run(folder: str, **changed: Any) -> Any:
        settings: dict[str, Any] = {
            "corpus": f"{bucket}/shards", "output": folder, "preset": "tiny", "batch_tokens": 100, "epochs": 2,
            "model": {"filters": [[1, 4]]}, "precision": "float32", "schedule": "constant",
        }  # fmt: skip
        return pretrain(PretrainConfig(**{**settings, **changed}), show_progress=False)

    whole = run(str(tmp_path / "whole"))
    run(f"{bucket}/run", epochs=1)
    with pytest.raises(ConfigError, match="run contains a run; --resume continues"):
        run(f"{bucket}/run")
    shutil.rmtree(tmp_path / "cache")  # another machine
    resumed = run(f"{bucket}/run", resume=True)
    assert [row["train_nll"] for row in resumed.history] == [row["train_nll"] for row in whole.history]
    names = (Place(bucket) / "run" / "checkpoints").names()
    assert len(names) in (1, 2) and "metrics.json" in (Place(bucket) / "run").names()
    assert Encoder.from_pretrained(f"{bucket}/run").n_layers == 3


def test_what_is_not_there_is_said(bucket: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none does not exist: check the address, and the credentials"):
        Encoder.from_pretrained(f"{bucket}/none")
    with pytest.raises(DataError, match=r"none\.txt matches no file"):
        embed_corpus(f"{bucket}/none.txt", str(tmp_path / "out"), PartSettings(str(model)), LocalEngine())
