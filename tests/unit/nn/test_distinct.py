"""Distinct rows: exact, whatever the hash does."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn import distinct
from elmokit.nn.distinct import distinct_rows


@given(rows=st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), max_size=30))
def test_rows_come_back_and_no_row_comes_twice(rows: list[list[int]]) -> None:
    table = torch.tensor(rows, dtype=torch.int16).reshape(-1, 4)
    picks, inverse = distinct_rows(table)
    assert torch.equal(table[picks][inverse], table)
    assert len(picks) == len({tuple(row) for row in rows})


def test_a_collision_falls_back_to_the_exact_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct, "_multipliers", lambda length: torch.zeros(length, dtype=torch.long))
    table = torch.tensor([[1, 2], [3, 4], [1, 2]])
    picks, inverse = distinct_rows(table)
    assert len(picks) == 2
    assert torch.equal(table[picks][inverse], table)
