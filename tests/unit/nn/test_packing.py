from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit.nn.packing import Packing


@given(lengths=st.lists(st.integers(0, 8), max_size=7), spare=st.none() | st.integers(0, 3))
def test_packing_equals_brute_force(lengths: list[int], spare: int | None) -> None:
    longest = max(lengths, default=0)
    stride = longest if spare is None else longest + spare
    packing = Packing.of(lengths, stride=None if spare is None else stride)
    order = sorted(range(len(lengths)), key=lambda sentence: -lengths[sentence])  # stable, as Python's sort is
    forward, backward, batch_sizes = [], [], []
    for step in range(longest):
        active = [sentence for sentence in order if lengths[sentence] > step]
        forward += [sentence * stride + step for sentence in active]
        backward += [sentence * stride + lengths[sentence] - 1 - step for sentence in active]
        batch_sizes.append(len(active))
    assert packing.order.tolist() == order
    assert packing.forward.tolist() == forward
    assert packing.backward.tolist() == backward
    assert packing.batch_sizes == batch_sizes


@given(lengths=st.lists(st.integers(0, 8), max_size=7))
def test_both_directions_visit_every_word_once(lengths: list[int]) -> None:
    packing = Packing.of(lengths, stride=8)
    words = [sentence * 8 + place for sentence, length in enumerate(lengths) for place in range(length)]
    assert sorted(packing.forward.tolist()) == sorted(packing.backward.tolist()) == words


def test_packing_is_that_of_torch() -> None:
    lengths = [3, 5, 1, 5]
    packing = Packing.of(lengths)
    rows = torch.arange(20).view(4, 5)
    theirs = torch.nn.utils.rnn.pack_padded_sequence(
        rows, torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    assert packing.batch_sizes == theirs.batch_sizes.tolist()
    assert packing.forward.tolist() == theirs.data.tolist()


@pytest.mark.parametrize("lengths", [[2, 4], [-1, 2]])
def test_lengths_that_do_not_fit_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match=r"Sentence lengths are .* to .*; expected 0 to 3"):
        Packing.of(lengths, stride=3)
