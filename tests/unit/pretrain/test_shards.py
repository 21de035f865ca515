"""Sentences on disk read the same where the system has no `os.pread`, as on Windows, by several threads at once too."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from elmokit.pretrain.shards import Sentences, ShardWriter


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, list[int], list[list[int]]]:
    random = np.random.default_rng(0)
    sentences = [random.integers(0, 1000, size=size).tolist() for size in random.integers(1, 30, size=200)]
    writer = ShardWriter(tmp_path, "train", shard_tokens=500)
    for sentence in sentences:
        writer.add(sentence)
    return tmp_path, writer.close()["shard_starts"], sentences


@pytest.mark.parametrize("has_pread", [True, False])
def test_every_sentence_comes_back(
    written: tuple[Path, list[int], list[list[int]]], has_pread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_pread:
        monkeypatch.delattr(os, "pread", raising=False)
    folder, starts, sentences = written
    read = Sentences(folder, "train", starts)
    assert len(starts) > 1
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda row: read[row].tolist(), range(len(sentences)), chunksize=1))
    assert found == sentences
