"""`ElmoForQuestionAnswering`: the same scores alone or in a batch, the best span as by counting, saved and learnt."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering

from elmokit.models import ElmoConfig, ElmoForQuestionAnswering, ElmoModel, ElmoTokenizer
from elmokit.nn.heads.question_answering import best_spans

PASSAGES = [["Ada", "met", "Bob", "Lee", "."], ["Paris"], ["It", "is", "far"]]
QUESTIONS = [["Who", "?"], ["Where", "is", "it", "?"], ["How", "far"]]


def answerer(**overrides: Any) -> ElmoForQuestionAnswering:
    torch.manual_seed(5)
    config = ElmoConfig.preset("tiny", **{"head_hidden_dim": 8, "head_layers": 1, **overrides})
    return ElmoForQuestionAnswering(config).eval()


def batch(passages: list[list[str]] = PASSAGES, questions: list[list[str]] = QUESTIONS) -> dict[str, torch.Tensor]:
    return encoded(passages) | {f"question_{name}": tensor for name, tensor in encoded(questions).items()}


def encoded(sentences: list[list[str]]) -> dict[str, torch.Tensor]:
    return dict(ElmoTokenizer()(sentences, padding=True, return_tensors="pt", is_split_into_words=True))


@pytest.mark.parametrize("self_attention", [True, False])
def test_a_pair_has_the_same_scores_and_loss_alone_and_in_a_batch(self_attention: bool) -> None:
    model = answerer(self_attention=self_attention)
    starts, ends = torch.tensor([2, 0, -100]), torch.tensor([3, 0, -100])
    together = model(**batch(), start_positions=starts, end_positions=ends)
    losses = []
    for row, (passage, question) in enumerate(zip(PASSAGES, QUESTIONS, strict=True)):
        alone = model(**batch([passage], [question]))
        for name in ("start_logits", "end_logits"):
            torch.testing.assert_close(together[name][row, : len(passage)], alone[name][0], atol=1e-5, rtol=0)
            assert (together[name][row, len(passage) :] == torch.finfo(torch.float32).min).all()
        if row < 2:
            places = starts[row : row + 1], ends[row : row + 1]
            both = zip((alone.start_logits, alone.end_logits), places, strict=True)
            losses.append(sum(functional.cross_entropy(scores, place) for scores, place in both))
    torch.testing.assert_close(together.loss, torch.stack(cast(list[torch.Tensor], losses)).mean())


def test_a_batch_without_an_answer_costs_nothing() -> None:
    nowhere = torch.full((3,), -100)
    assert answerer()(**batch(), start_positions=nowhere, end_positions=nowhere).loss.item() == 0.0


def test_the_question_matters() -> None:
    model = answerer()
    other = batch(questions=[["When", "?"], *QUESTIONS[1:]])
    first, second = model(**batch()).start_logits, model(**other).start_logits
    assert not torch.allclose(first[0], second[0], atol=1e-6)
    torch.testing.assert_close(first[1:], second[1:])


def test_layers_instead_of_text() -> None:
    model = answerer()
    given = batch()
    inputs = {}
    for prefix in ("", "question_"):
        chars, mask = given[f"{prefix}char_ids"], given[f"{prefix}attention_mask"]
        inputs[f"{prefix}layers"] = torch.stack(model.elmo(chars, attention_mask=mask).hidden_states, dim=1)
        inputs[f"{prefix}attention_mask"] = mask
    torch.testing.assert_close(model(**inputs).end_logits, model(**given).end_logits, atol=1e-5, rtol=0)


@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4), longest=st.integers(1, 9), seed=st.integers(0, 10_000)
)
def test_the_best_span_by_counting_all(lengths: list[int], longest: int, seed: int) -> None:
    torch.manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    lowest = torch.finfo(torch.float32).min
    start, end = (torch.randn(mask.shape).round(decimals=1).masked_fill(~mask, lowest) for _ in range(2))  # ties, too
    found = best_spans(start, end, max_answer_words=longest)
    for row, length in enumerate(lengths):
        spans = [(s, e) for s in range(length) for e in range(s, min(length, s + longest))]
        best = max(spans, key=lambda span: float(start[row, span[0]] + end[row, span[1]]))
        assert (int(found.start[row]), int(found.end[row])) == best
        assert float(found.score[row]) == pytest.approx(float(start[row, best[0]] + end[row, best[1]]))
        probability = float(start[row].softmax(0)[best[0]] * end[row].softmax(0)[best[1]])
        assert math.exp(found.score[row] - found.total[row]) == pytest.approx(probability, rel=1e-4)


def test_it_is_saved_and_registered(tmp_path: Path) -> None:
    model = answerer(self_attention=False)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, ElmoForQuestionAnswering)
    assert loaded.network.self_attention is None
    torch.testing.assert_close(loaded(**batch()).start_logits, model(**batch()).start_logits)
    torch.testing.assert_close(
        ElmoModel.from_pretrained(tmp_path).token_encoder.embedding.weight, model.elmo.token_encoder.embedding.weight
    )
    assert model(**model.dummy_inputs).start_logits.shape == (1, 1)


def test_it_learns_and_freezes() -> None:
    model = answerer(head_dropout=0.0)
    model.freeze_bilm()
    model.train()
    starts, ends = torch.tensor([2, 0, 1]), torch.tensor([3, 0, 2])
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        model(**batch(), start_positions=starts, end_positions=ends).loss.backward()
        optimizer.step()
    found = model.eval().decode(**batch(), max_answer_words=3)
    assert (found.start.tolist(), found.end.tolist()) == (starts.tolist(), ends.tolist())
    assert all(parameter.grad is None for parameter in model.elmo.parameters())


def test_mistakes_are_told() -> None:
    model = answerer()
    with pytest.raises(ValueError, match="An answer lies outside of its passage"):
        model(**batch(), start_positions=torch.tensor([0, 0, 0]), end_positions=torch.tensor([0, 1, 0]))
    left = ElmoTokenizer(padding_side="left")(PASSAGES, padding=True, return_tensors="pt", is_split_into_words=True)
    with pytest.raises(ValueError, match="Padding stands before words"):
        model(**(batch() | dict(left)))
    with pytest.raises(ValueError, match="Expected either char_ids or layers"):
        model(**encoded(PASSAGES))


def test_no_answer_is_one_more_place() -> None:
    model = answerer(no_answer=True)
    given = batch()
    mask = given["attention_mask"].bool()
    positions = torch.tensor([-1, 0, -100][: len(mask)])
    found = model(**given, start_positions=positions, end_positions=positions)
    assert found.no_answer is not None
    expected = torch.zeros(())
    for logits, none in ((found.start_logits, found.no_answer[:, 0]), (found.end_logits, found.no_answer[:, 1])):
        rows = [torch.cat([none[row, None], logits[row][mask[row]]]).log_softmax(0) for row in range(2)]
        expected = expected - (rows[0][0] + rows[1][1]) / 2  # the first has no answer, the second its first word
    torch.testing.assert_close(found.loss, expected + model.mix.penalty())
    spans = model.spans(found, max_answer_words=3)
    torch.testing.assert_close(spans.no_answer, found.no_answer.sum(dim=1))
    whole = torch.cat([found.start_logits, found.no_answer[:, :1]], 1).logsumexp(1)
    whole = whole + torch.cat([found.end_logits, found.no_answer[:, 1:]], 1).logsumexp(1)
    torch.testing.assert_close(spans.total, whole)
    with pytest.raises(ValueError, match="An answer lies outside of its passage"):
        answerer()(**given, start_positions=positions, end_positions=positions)
