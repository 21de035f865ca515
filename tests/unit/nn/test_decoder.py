"""The attentive decoder: whole targets at once equal piece by piece, and padding is never seen."""

from __future__ import annotations

import pytest
import torch

from elmokit.nn.decoder import AttentiveDecoder, GeneralAttention, Memory

LENGTHS = [3, 5, 1]


def decoder(n_layers: int = 2) -> AttentiveDecoder:
    torch.manual_seed(0)
    return AttentiveDecoder(n_pieces=11, dim=6, hidden_dim=5, n_layers=n_layers, memory_dim=4)


def source(words: list[int]) -> tuple[Memory, torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(max(words)) < torch.tensor(words).unsqueeze(1)
    return Memory(torch.randn(len(words), max(words), 4) * mask.unsqueeze(2), mask), torch.randn(len(words), 4)


def test_attention_is_the_softmax_of_the_general_score() -> None:
    memory, _ = source([4, 2, 0])
    attention = GeneralAttention(query_dim=3, memory_dim=4)
    queries = torch.randn(3, 2, 3)
    contexts, weights = attention(queries, memory)
    for row, count in enumerate([4, 2]):
        for place in range(2):
            words = memory.states[row, :count]
            expected = torch.softmax(words @ attention.project.weight @ queries[row, place], dim=0)
            torch.testing.assert_close(weights[row, place, :count], expected)
            torch.testing.assert_close(contexts[row, place], expected @ words)
    assert (weights[1, :, 2:] == 0).all()
    assert (contexts[2] == 0).all()


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_whole_targets_equal_piece_by_piece(n_layers: int) -> None:
    model = decoder(n_layers)
    memory, last = source([4, 2, 3])
    pieces = torch.randint(11, (3, max(LENGTHS)))
    rows, places = model(pieces, LENGTHS, memory, last)
    whole = torch.log_softmax(model.table.scores(rows), dim=-1)
    by_place = dict(zip(places.tolist(), whole, strict=True))
    assert sorted(by_place) == [row * 5 + place for row, length in enumerate(LENGTHS) for place in range(length)]
    state = model.start(last)
    for place in range(max(LENGTHS)):
        log_probabilities, state = model.step(pieces[:, place : place + 1], state, memory)
        for row, length in enumerate(LENGTHS):
            if place < length:
                torch.testing.assert_close(log_probabilities[row, 0], by_place[row * 5 + place], atol=1e-5, rtol=0)


def test_beams_of_a_sentence_share_its_source() -> None:
    model = decoder()
    memory, last = source([4, 2])
    state = tuple(part.expand(-1, 3, -1).contiguous() for part in model.start(last))
    together, after = model.step(torch.tensor([[1, 2, 3], [4, 5, 6]]), state, memory)
    assert [part.shape for part in after] == [(2, 3, 5)] * 4
    alone, _ = model.step(torch.tensor([[2], [5]]), model.start(last), memory)
    torch.testing.assert_close(together[:, 1:2], alone)


def test_gradients_reach_every_real_piece_and_word() -> None:
    model = decoder()
    memory, last = source([4, 2, 3])
    states = memory.states.clone().requires_grad_()
    rows, _ = model(torch.randint(11, (3, 5)), LENGTHS, Memory(states, memory.mask), last)
    model.table.scores(rows).logsumexp(dim=1).sum().backward()
    assert states.grad is not None
    assert (states.grad[memory.mask] != 0).any(dim=1).all()
    assert (states.grad[~memory.mask] == 0).all()
    assert all(parameter.grad is not None for parameter in model.parameters())
