"""`ElmoForTranslation`: its loss against a loop over pieces, alone or in a batch, saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoModelForSeq2SeqLM

from elmokit.models import ElmoConfig, ElmoForTranslation, ElmoModel, ElmoTokenizer
from elmokit.nn.heads import translation
from elmokit.text.sentence_pieces import BEGIN, END

SENTENCES = [["Anna", "met", "Bob", "Lee", "."], ["Paris"], ["a", "b", "c"]]
LABELS = [[4, 5, END], [6, 2, 3, 3, END], [END]]


def translator(**overrides: Any) -> ElmoForTranslation:
    torch.manual_seed(5)
    sizes = {"head_hidden_dim": 8, "head_layers": 1, "target_dim": 6, "decoder_hidden_dim": 7, "n_target_pieces": 9}
    return ElmoForTranslation(ElmoConfig.preset("tiny", **sizes, **overrides)).eval()


def batch(sentences: list[list[str]] = SENTENCES) -> dict[str, Any]:
    return dict(ElmoTokenizer()(sentences, padding=True, return_tensors="pt", is_split_into_words=True))


def padded(labels: list[list[int]] = LABELS) -> torch.Tensor:
    width = max(map(len, labels))
    return torch.tensor([row + [-100] * (width - len(row)) for row in labels])


def test_the_loss_is_that_of_each_piece_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = translator()
    together = model(**batch(), labels=padded())
    losses = []
    for number, (words, pieces) in enumerate(zip(SENTENCES, LABELS, strict=True)):
        memory, last = model.network._read(batch([words])["char_ids"], None, None, None)
        state, before = model.decoder.start(last), BEGIN
        for place, piece in enumerate(pieces):
            log_probabilities, state = model.decoder.step(torch.tensor([[before]]), state, memory)
            losses.append(-log_probabilities[0, 0, piece])
            ours = functional.log_softmax(together.logits[number, place], dim=0)
            torch.testing.assert_close(ours, log_probabilities[0, 0], atol=1e-5, rtol=0)
            before = piece
    torch.testing.assert_close(together.loss, torch.stack(losses).mean())
    assert (together.logits[2, 1:] == 0).all()
    monkeypatch.setattr(translation, "_LOSS_ROWS", 2)
    torch.testing.assert_close(model.loss(**batch(), labels=padded()), together.loss)


def test_tools_that_trace_a_model_can_call_it() -> None:
    model = translator()
    assert model(**model.dummy_inputs).logits.shape == (1, 1, 9)


def test_label_smoothing_while_training_alone() -> None:
    model = translator(head_dropout=0.0, dropout=0.0, label_smoothing=0.2)
    logits = model(**batch(), labels=padded()).logits
    real = padded() != -100
    expected = functional.cross_entropy(logits[real], padded()[real], label_smoothing=0.2)
    found = model.train()(**batch(), labels=padded())
    assert found.logits is None
    torch.testing.assert_close(found.loss, expected)


def test_a_sentence_is_translated_the_same_alone_and_in_a_batch() -> None:
    model = translator()
    sentences = [*SENTENCES, []]
    together = model.translate(**batch(sentences), beam=3)
    for words, hypotheses in zip(sentences[:3], together, strict=False):
        alone = model.translate(**batch([words]), beam=3)[0]
        assert [each.pieces for each in alone] == [each.pieces for each in hypotheses]
        assert all(len(each.pieces) < 3 * len(words) + 10 for each in alone)
    assert len(together) == 4
    assert len(model.translate(**batch([[]]))) == 1


def test_layers_instead_of_text_and_static_vectors() -> None:
    model = translator()
    layers = torch.stack(model.elmo(**batch()).hidden_states, dim=1)
    cached = model(layers=layers, attention_mask=batch()["attention_mask"], labels=padded())
    torch.testing.assert_close(cached.loss, model(**batch(), labels=padded()).loss)
    assert translator(n_static_words=4, static_dim=3).lstm.layers[0].weight_input.shape[2] == 35


def test_saved_and_loaded(tmp_path: Path) -> None:
    model = translator()
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, ElmoForTranslation)
    assert loaded.translate(**batch(), beam=2) == model.translate(**batch(), beam=2)
    torch.testing.assert_close(
        ElmoModel.from_pretrained(tmp_path).token_encoder.embedding.weight, model.elmo.token_encoder.embedding.weight
    )


def test_it_learns_and_freezes() -> None:
    model = translator(head_dropout=0.0, label_smoothing=0.0)
    model.freeze_bilm()
    model.train()
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        model(**batch(), labels=padded()).loss.backward()
        optimizer.step()
    best = [hypotheses[0].pieces for hypotheses in model.eval().translate(**batch(), beam=3)]
    assert best == [row[:-1] for row in LABELS]
    assert all(parameter.grad is None for parameter in model.elmo.parameters())


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="Expected labels: to translate, call `translate`"):
        translator()(**batch())
    with pytest.raises(ValueError, match="Expected the pieces of every translation, then -100"):
        translator()(**batch(), labels=padded().flip(1))
    left = dict(
        ElmoTokenizer(padding_side="left")(SENTENCES, padding=True, return_tensors="pt", is_split_into_words=True)
    )
    with pytest.raises(ValueError, match="Padding stands before words"):
        translator().translate(**left)
