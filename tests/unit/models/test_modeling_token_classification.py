"""`ElmoForTokenClassification`: one tag a word, alone or in a batch, saved with what its tags allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForTokenClassification

from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoForTokenClassification, ElmoModel, ElmoTokenizer
from elmokit.tasks.tagging.schemes import allowed_steps, tag_set
from elmokit.text.word_rows import ByteRows, JoinedRows

TAGS = tag_set(["PER", "LOC"], "BIOES")
SENTENCES = [["Anna", "met", "Bob", "Lee", "."], [], ["Paris"]]


def tagger(**overrides: Any) -> ElmoForTokenClassification:
    torch.manual_seed(5)
    head = {"num_labels": len(TAGS), "head_hidden_dim": 8, "head_layers": 1}
    config = ElmoConfig.preset("tiny", **{**head, **overrides})
    model = ElmoForTokenClassification(config).eval()
    model.allow(*allowed_steps(TAGS))
    return model


def batch(sentences: list[list[str]] = SENTENCES) -> dict[str, torch.Tensor]:
    return dict(ElmoTokenizer()(sentences, padding=True, return_tensors="pt", is_split_into_words=True))


def test_a_sentence_has_the_same_scores_and_loss_alone_and_in_a_batch() -> None:
    model = tagger()
    labels = torch.full((3, 5), -100)
    labels[0], labels[2, 0] = torch.tensor([4, 0, 1, 3, 0]), 8
    together = model(**batch(), labels=labels)
    losses = []
    for row, words in enumerate(SENTENCES):
        if words:
            alone = model(**batch([words]), labels=labels[row : row + 1, : len(words)])
            torch.testing.assert_close(together.logits[row, : len(words)], alone.logits[0], atol=1e-5, rtol=0)
            losses.append(alone.loss)
    torch.testing.assert_close(together.loss, torch.stack(losses).mean())
    assert [len(tags) for tags in model.decode(**batch())] == [5, 0, 1]


def test_layers_instead_of_text() -> None:
    model = tagger()
    layers = torch.stack(model.elmo(**batch()).hidden_states, dim=1)
    cached = model(layers=layers, attention_mask=batch()["attention_mask"]).logits
    torch.testing.assert_close(cached, model(**batch()).logits, atol=1e-5, rtol=0)


def test_what_the_tags_allow_is_saved(tmp_path: Path) -> None:
    model = tagger()
    model.save_pretrained(tmp_path)
    loaded = AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    assert torch.equal(loaded.crf.forbidden, model.crf.forbidden)
    assert bool(model.crf.forbidden.any())
    assert loaded.decode(**batch()) == model.decode(**batch())
    torch.testing.assert_close(
        ElmoModel.from_pretrained(tmp_path).token_encoder.embedding.weight, model.elmo.token_encoder.embedding.weight
    )


def test_it_learns_and_freezes() -> None:
    model = tagger(head_dropout=0.0)
    model.freeze_bilm()
    model.train()
    labels = torch.full((3, 5), -100)
    labels[0], labels[2, 0] = torch.tensor([4, 0, 1, 3, 0]), 8  # S-PER O B-PER E-PER O, and S-LOC
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        model(**batch(), labels=labels).loss.backward()
        optimizer.step()
    assert model.eval().decode(**batch()) == [[4, 0, 1, 3, 0], [], [8]]
    assert all(parameter.grad is None for parameter in model.elmo.parameters())


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="A word has the label -100"):
        tagger()(**batch(), labels=torch.full((3, 5), -100))
    left = dict(
        ElmoTokenizer(padding_side="left")(SENTENCES, padding=True, return_tensors="pt", is_split_into_words=True)
    )
    with pytest.raises(ValueError, match="Padding stands before words"):
        tagger()(**left)


def spelled_ways(model: ElmoForTokenClassification) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Scores of a model with char features, the same alone, in a batch and from layers; and the inputs with layers."""
    tokenizer = ElmoTokenizer(word_rows=JoinedRows(ByteRows(), spelled=True))
    given = dict(tokenizer(SENTENCES, padding=True, return_tensors="pt", is_split_into_words=True))
    whole = model(**given).logits
    alone = model(**tokenizer(SENTENCES[:1], return_tensors="pt", is_split_into_words=True)).logits
    torch.testing.assert_close(whole[:1], alone, atol=1e-5, rtol=0)
    mask, spelling = given["attention_mask"], given["char_ids"][..., 50:]
    layers = torch.stack(model.elmo(given["char_ids"][..., :50], attention_mask=mask).hidden_states, dim=1)
    stored = {"layers": layers, "attention_mask": mask, "spelling": spelling}
    torch.testing.assert_close(model(**stored).logits, whole, atol=1e-5, rtol=0)
    return whole, stored


def test_char_features_stand_beside_the_mix() -> None:
    model, plain = tagger(char_features=6), tagger()
    widths = [each.lstm.layers[0].weight_input.shape[-1] for each in (model, plain)]
    assert widths[0] == widths[1] + 6
    whole, stored = spelled_ways(model)
    others = model(**{**stored, "spelling": stored["spelling"].flip(1)}).logits
    assert not torch.allclose(others, whole, atol=1e-3)
    with pytest.raises(ValueError, match=r"layers needs spelling \(3, 5, 50\)"):
        model(layers=stored["layers"], attention_mask=stored["attention_mask"])
    with pytest.raises(ValueError, match="the last 50 for what is next to the biLM"):
        model(**batch())


@pytest.mark.parametrize("mix_at", ["input", "between"])
def test_sentences_of_a_row_are_read_together_and_tagged_alone(mix_at: str) -> None:
    model = tagger(char_features=6, head_layers=2, mix_at=mix_at)
    tokenizer = ElmoTokenizer(word_rows=JoinedRows(ByteRows(), spelled=True))
    rows = [["Anna", "met", "Bob", ".", "Paris", "Bob", "Lee"], ["Paris"], []]
    given = dict(tokenizer(rows, padding=True, return_tensors="pt", is_split_into_words=True))
    ids = torch.tensor([[1, 1, 1, 1, 2, 3, 3], [1] * 7, [0] * 7])
    labels = torch.full((3, 7), -100)
    labels[0], labels[1, 0] = torch.tensor([4, 0, 4, 0, 8, 1, 3]), 8
    together = model(**given, sentence_ids=ids, labels=labels)
    assert together.logits.shape == (3, 7, len(TAGS))
    mask, spelling = given["attention_mask"], given["char_ids"][..., 50:]
    layers = torch.stack(model.elmo(given["char_ids"][..., :50], attention_mask=mask).hidden_states, dim=1)
    losses, found = [], []
    for row, start, end in ((0, 0, 4), (0, 4, 5), (0, 5, 7), (1, 0, 1)):
        own = {"layers": layers[row : row + 1, :, start:end], "attention_mask": mask[row : row + 1, start:end]}
        own["spelling"] = spelling[row : row + 1, start:end]
        alone = model(**own, labels=labels[row : row + 1, start:end])
        torch.testing.assert_close(together.logits[row, start:end], alone.logits[0], atol=1e-5, rtol=0)
        losses.append(alone.loss)
        found.append(model.decode(**own)[0])
    torch.testing.assert_close(together.loss, torch.stack(losses).mean())
    assert model.decode(**given, sentence_ids=ids) == [found[0] + found[1] + found[2], found[3], []]
    assert not torch.allclose(model(**given).logits, together.logits, atol=1e-4)
    with pytest.raises(ValueError, match=r"sentence_ids is \(2, 7\); expected \(3, 7\)"):
        model(**given, sentence_ids=ids[:2])


@pytest.mark.parametrize("place", ["between", "both"])
def test_the_second_layer_reads_the_mix(place: str) -> None:
    model = tagger(char_features=6, head_layers=2, mix_at=place)
    size = model.config.hidden_size
    widths = [layer.weight_input.shape[-1] for layer in model.lstm.layers]
    assert widths == [6 + (size if place == "both" else 0), 16 + size]
    whole, stored = spelled_ways(model)
    first: list[torch.Tensor] = []
    model.lstm.layers[0].register_forward_hook(lambda _, inputs, output: first.append(output[0]))
    others = model(**{**stored, "layers": stored["layers"].flip(0)}).logits
    model(**stored)
    assert not torch.allclose(others, whole, atol=1e-3)
    assert torch.equal(first[0], first[1]) == (place == "between")  # whose first layer does not read the mix


def test_a_mix_between_layers_needs_two_and_something_below() -> None:
    with pytest.raises(ConfigError, match="head_layers is 1; expected at least 2 with mix_at 'both'"):
        tagger(mix_at="both")
    with pytest.raises(ConfigError, match="the first layer has nothing to read; expected char_features above 0"):
        tagger(mix_at="between", head_layers=2)
