"""Data sets that hand out batches: which rows they hold, and that a part of one is the same data set."""

from __future__ import annotations

import numpy as np
import torch

from elmokit.tasks.inputs.batches import CharDataset
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.splits import scored_rows
from elmokit.text.char_ids import char_ids

TEXTS = ["a bank", "the river was wet", "goal", "cells and genes here", "orbit of"]
ROWS = np.array([4, 1, 3])
LABELS = np.array([2, 0, 1])


def dataset() -> CharDataset:
    return CharDataset(tokenize(TEXTS, max_words=9, split=str.split), labels=LABELS, rows=ROWS)


def test_a_batch_holds_the_characters_of_its_rows() -> None:
    batch = dataset().__getitems__([1, 0])
    assert batch["labels"].tolist() == [0, 2]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    expected = char_ids(TEXTS[1].split(), max_characters=50)
    assert np.array_equal(batch["char_ids"][0].numpy(), expected)
    assert not batch["char_ids"][1, 2:].any()


def test_a_part_is_the_same_data_set_of_fewer_rows() -> None:
    whole = dataset()
    part = whole.part(np.array([2, 0]))
    assert (len(part), part.lengths.tolist()) == (2, [4, 2])
    for place, row in enumerate((2, 0)):
        for name, tensor in whole[row].items():
            assert torch.equal(part[place][name], tensor)
    assert len(whole) == 3


def test_the_rows_of_the_report_are_drawn_once_for_all_runs() -> None:
    part = scored_rows(1000, 100)
    assert len(set(part.tolist())) == 100
    assert (np.diff(part) > 0).all()
    assert np.array_equal(part, scored_rows(1000, 100))
    assert 400 < part.mean() < 600
