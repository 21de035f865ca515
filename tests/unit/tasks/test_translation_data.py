"""Pairs of sentences to batches: labels against a loop, splits, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elmokit.errors import ConfigError, DataError
from elmokit.settings import load_settings
from elmokit.tasks.inputs.batches import CharDataset
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.translation.config import TranslationConfig
from elmokit.tasks.translation.data import PairDataset, load_pairs, read_pairs
from elmokit.text.sentence_pieces import END

LEFT = ["ein Hund", "zwei alte Hunde rennen", "Schnee", "drei Katzen schlafen"]
RIGHT = ["a dog", "two old dogs run", "snow", "three cats sleep"]


def config(folder: Path, left: list[str] = LEFT, right: list[str] = RIGHT, **values: Any) -> TranslationConfig:
    (folder / "a.de").write_text("".join(f"{line}\n" for line in left))
    (folder / "a.en").write_text("".join(f"{line}\n" for line in right))
    files = {f"{split}_{side}": [str(folder / f"a.{end}")]
             for split in ("train", "test") for side, end in (("source", "de"), ("target", "en"))}  # fmt: skip
    return load_settings(TranslationConfig, model="m", output=folder / "out", **{**files, **values})


def test_batches_hold_each_pair_with_its_end_marker() -> None:
    words = [text.split() for text in LEFT]
    targets = [[5, 6], [7, 8, 9, 10], [11], [5, 9, 6]]
    rows = np.array([3, 0, 2])
    data = PairDataset(CharDataset(tokenize(words, max_words=9), rows=rows), targets)
    assert data.lengths.tolist() == [3 + 4, 2 + 3, 1 + 2]
    batch = data.__getitems__([2, 0])
    assert batch["labels"].tolist() == [[11, END, -100, -100], [5, 9, 6, END]]
    assert batch["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert (batch["char_ids"][0, 1:] == 0).all()


def test_splits_share_no_pair_and_pieces_come_from_training(tmp_path: Path) -> None:
    left, right = [f"Satz {number}" for number in range(40)], [f"sentence {number}" for number in range(40)]
    data = load_pairs(config(tmp_path, left, right, valid_fraction=0.25), str.split)
    train, validation = (set(data.splits[name].rows.tolist()) for name in ("train", "validation"))
    assert (len(train), len(validation), train & validation) == (30, 10, set())
    assert data.words["train"][7] == ["Satz", "7"]
    assert [data.pieces.decode(row) for row in data.targets["train"]] == right
    assert data.left_out == 0
    half = load_pairs(config(tmp_path, left, right, valid_fraction=0.25, train_fraction=0.5), str.split, data.pieces)
    assert set(half.splits["train"].rows.tolist()) < train
    assert half.pieces is data.pieces


def test_long_pairs_are_left_out_of_training_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = {"valid_source": [str(tmp_path / "a.de")], "valid_target": [str(tmp_path / "a.en")]}
    data = load_pairs(config(tmp_path, max_words=3, **files), str.split)
    assert data.splits["train"].rows.tolist() == [0, 2, 3]
    assert data.splits["validation"].rows.tolist() == [0, 1, 2, 3]
    assert data.left_out == 1
    assert "1 training pairs are longer than 3 words" in caplog.text
    with pytest.raises(DataError, match="every training pair is longer than 128 words or 1 pieces"):
        load_pairs(config(tmp_path, max_pieces=1), str.split)


def test_empty_lines_and_settings_that_belong_together(tmp_path: Path) -> None:
    given = config(tmp_path, ["ein Hund", "Schnee"], ["a dog", ""])
    with pytest.raises(DataError, match=r"a\.en line 2 is empty and .*a\.de line 2 is not"):
        load_pairs(given, str.split)
    pairs = read_pairs(given.train_source, given.train_target, flags=("--a", "--b"), skip_empty=True)
    assert (pairs.source, pairs.target) == (["ein Hund"], ["a dog"])
    with pytest.raises(ConfigError, match="--valid-source and --valid-target belong together"):
        load_pairs(config(tmp_path, valid_source=[str(tmp_path / "a.de")]), str.split)
    with pytest.raises(DataError, match="--train-source contains one sentence"):
        load_pairs(config(tmp_path, ["Schnee"], ["snow"]), str.split)


def test_damaged_text_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.de").write_bytes("Männer\neins\n".encode("latin-1"))
    (tmp_path / "a.en").write_text("men\none\n")
    pairs = read_pairs([str(tmp_path / "a.de")], [str(tmp_path / "a.en")], flags=("--test-source", "--test-target"))
    assert pairs.source == ["M\ufffdnner", "eins"]
    assert "--test-source, --test-target: 1 lines with bytes that are not UTF-8, read as U+FFFD" in caplog.text
