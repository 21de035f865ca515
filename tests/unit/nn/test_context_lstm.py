"""A translator's encoder behind the surface of a biLM: the words' own states, nothing at the markers."""

from __future__ import annotations

import pytest
import torch

from elmokit.nn.context_lstm import ContextLSTM


@pytest.mark.parametrize("lengths", [[5, 3, 7], [2, 4], [2]])
def test_it_reads_the_words_alone(lengths: list[int]) -> None:
    torch.manual_seed(0)
    module = ContextLSTM(input_dim=4, hidden_dim=3, n_layers=2)
    tokens = torch.randn(len(lengths), max(lengths), 4)
    (found,), state = module(tokens, lengths)
    assert found.shape == (len(lengths), max(lengths), 6)
    assert state.h.shape == module.zero_state(len(lengths)).h.shape
    for row, length in enumerate(lengths):
        inner = slice(1, length - 1)
        if length > 2:
            alone, _ = module.lstm(tokens[row : row + 1, inner], [length - 2])
            torch.testing.assert_close(found[row, inner], alone[0], atol=1e-6, rtol=0)
        assert (found[row, 0] == 0).all()
        assert (found[row, length - 1 :] == 0).all()
    ragged = torch.cat([tokens[row, :length] for row, length in enumerate(lengths)])
    (rows,), _ = module.forward_ragged(ragged, lengths)
    expected = torch.cat([found[row, :length] for row, length in enumerate(lengths)])
    torch.testing.assert_close(rows, expected, atol=1e-6, rtol=0)
