"""The heads' BiLSTM computes what `torch.nn.LSTM` computes on packed sequences."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from elmokit.nn.bilstm import BiLSTM


def copy_into(reference: nn.LSTM, ours: BiLSTM) -> None:
    """Our gates lie in the order o, i, f, g, PyTorch's i, f, g, o; it adds two biases."""
    size = reference.hidden_size
    with torch.no_grad():
        for number, layer in enumerate(ours.layers):
            for direction, suffix in enumerate(("", "_reverse")):

                def reorder(rows: torch.Tensor) -> torch.Tensor:
                    i, f, g, o = rows.split(size)
                    return torch.cat([o, i, f, g])

                name = f"_l{number}{suffix}"
                layer.weight_input[direction] = reorder(getattr(reference, f"weight_ih{name}"))
                layer.weight_hidden[direction] = reorder(getattr(reference, f"weight_hh{name}"))
                layer.bias[direction] = reorder(
                    getattr(reference, f"bias_ih{name}") + getattr(reference, f"bias_hh{name}")
                )


@pytest.mark.parametrize("lengths", [[5], [5, 3, 1], [2, 6, 6, 4]])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_equals_torch_lstm(lengths: list[int], n_layers: int) -> None:
    torch.manual_seed(0)
    reference = nn.LSTM(7, 4, n_layers, batch_first=True, bidirectional=True)
    ours = BiLSTM(input_dim=7, hidden_dim=4, n_layers=n_layers)
    copy_into(reference, ours)
    words = torch.randn(len(lengths), max(lengths), 7)
    packed = pack_padded_sequence(words, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, (final, _) = reference(packed)
    expected, _ = pad_packed_sequence(output, batch_first=True)
    states, last = ours(words, lengths)
    torch.testing.assert_close(states, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(last, torch.cat([final[-2], final[-1]], dim=1), atol=1e-6, rtol=0)


def test_gradients_reach_every_word_and_no_padding() -> None:
    torch.manual_seed(0)
    lstm = BiLSTM(input_dim=3, hidden_dim=2, n_layers=2)
    words = torch.randn(2, 4, 3, requires_grad=True)
    states, last = lstm(words, [4, 2])
    (states.sum() + last.sum()).backward()
    assert words.grad is not None
    assert (words.grad[0] != 0).any(dim=1).all()
    assert (words.grad[1, 2:] == 0).all()
    assert (states[1, 2:] == 0).all()


def test_the_second_layer_reads_what_stands_between() -> None:
    torch.manual_seed(0)
    lengths = [2, 5, 3]
    whole = BiLSTM(input_dim=7, hidden_dim=4, n_layers=3, between_dim=6)
    first = BiLSTM(input_dim=7, hidden_dim=4, n_layers=1)
    rest = BiLSTM(input_dim=8 + 6, hidden_dim=4, n_layers=2)
    first.layers[0].load_state_dict(whole.layers[0].state_dict())
    for ours, theirs in zip(rest.layers, list(whole.layers)[1:], strict=True):
        ours.load_state_dict(theirs.state_dict())
    words, between = torch.randn(3, 5, 7), torch.randn(3, 5, 6)
    states, last = whole(words, lengths, between)
    expected = rest(torch.cat([first(words, lengths)[0], between], dim=-1), lengths)
    torch.testing.assert_close(states, expected[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(last, expected[1], atol=1e-6, rtol=0)


def test_between_needs_two_layers() -> None:
    with pytest.raises(ValueError, match="n_layers is 1; expected at least 2 with between_dim"):
        BiLSTM(input_dim=3, hidden_dim=2, n_layers=1, between_dim=4)
