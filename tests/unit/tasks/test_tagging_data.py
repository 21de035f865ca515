"""Splits of tagged files: by sentences, or by documents where the biLM reads these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elmokit.errors import DataError
from elmokit.tasks.tagging.config import TagConfig
from elmokit.tasks.tagging.data import TaggingData, load_tagged

DOCUMENTS = [3, 1, 5, 2, 4, 6, 1, 2, 3, 3]  # sentences of each


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    sentences = [f"-DOCSTART- O\n\n{'Ada B-PER' + chr(10) * 2}" + "runs O\n\n" * (count - 1) for count in DOCUMENTS]
    (tmp_path / "train").write_text("".join(sentences))
    (tmp_path / "test").write_text("Ada B-PER\n")
    return {"model": "", "output": tmp_path, "train": [str(tmp_path / "train")], "test": [str(tmp_path / "test")]}


def rows_of(data: TaggingData, split: str) -> list[int]:
    return data.splits[split].rows.tolist()


def documents_of(data: TaggingData, split: str) -> list[int]:
    return np.unique(np.array(data.sources["train"].documents)[rows_of(data, split)]).tolist()


def test_documents_stay_whole_where_they_are_read(files: dict[str, Any]) -> None:
    data = load_tagged(TagConfig(**files, context_words=50, valid_fraction=0.3, train_fraction=0.5))
    found = {split: documents_of(data, split) for split in ("train", "validation")}
    assert [len(numbers) for numbers in found.values()] == [4, 3]
    for split, numbers in found.items():
        assert len(rows_of(data, split)) == sum(DOCUMENTS[number - 1] for number in numbers)
    assert not set(found["train"]) & set(found["validation"])


def test_sentences_are_drawn_one_by_one_elsewhere(files: dict[str, Any]) -> None:
    data = load_tagged(TagConfig(**files, valid_fraction=0.3))
    assert len(rows_of(data, "validation")) == 9
    assert sorted(rows_of(data, "train") + rows_of(data, "validation")) == list(range(30))
    assert set(documents_of(data, "train")) & set(documents_of(data, "validation"))


@pytest.mark.parametrize(("words", "kind"), [(None, "sentence"), (9, "document")])
def test_one_of_them_cannot_be_split(files: dict[str, Any], words: int | None, kind: str) -> None:
    Path(files["train"][0]).write_text("Ada B-PER\n" + "\nruns O\n" * (words or 0))
    with pytest.raises(DataError, match=f"--train contains one {kind}"):
        load_tagged(TagConfig(**files, context_words=words))


def test_damaged_text_is_told(files: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    path = Path(files["test"][0])
    path.write_bytes(path.read_bytes() + "\nMün O\n".encode("latin-1"))
    load_tagged(TagConfig(**files))
    assert "test: 1 lines with bytes that are not UTF-8, read as U+FFFD" in caplog.text
