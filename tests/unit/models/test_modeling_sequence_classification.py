"""`ElmoForSequenceClassification`: text or cached layers to labels, frozen or not, alone or in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments, pipeline

from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel, ElmoTokenizer
from elmokit.text.word_rows import ByteRows, JoinedRows

TOKENIZER = ElmoTokenizer()
TEXTS = ["The bank of the river.", "", "A pitch!"]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"combine": "frozen", "mix_weights": [0.0, 0.0, 1.0], "pooling": "max"},
    {"combine": "function", "mix_activation": "tanh", "pooling": "mean"},
    {"mix_normalize": False, "pooling": "last", "head_layers": 1},
    {"pooling": "attention"},
]


def classifier(**overrides: Any) -> ElmoForSequenceClassification:
    torch.manual_seed(5)
    return ElmoForSequenceClassification(ElmoConfig.preset("tiny", num_labels=3, head_hidden_dim=8, **overrides)).eval()


def batch(texts: list[str] = TEXTS, **arguments: Any) -> dict[str, torch.Tensor]:
    return dict(TOKENIZER(texts, padding=True, return_tensors="pt", **arguments))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_text_gets_the_same_logits_alone_and_in_a_batch(variant: dict[str, Any]) -> None:
    model = classifier(**variant)
    together = model(**batch()).logits
    alone = torch.cat([model(**batch([text])).logits for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    left = dict(ElmoTokenizer(padding_side="left")(TEXTS, padding=True, return_tensors="pt"))
    torch.testing.assert_close(model(**left).logits, together, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_cached_layers_in_half_precision_give_the_logits_of_the_text(variant: dict[str, Any]) -> None:
    model = classifier(**variant)
    layers = torch.stack(model.elmo(**batch()).hidden_states, dim=1).half()  # (B, L, W, D)
    cached = model(layers=layers, attention_mask=batch()["attention_mask"]).logits
    torch.testing.assert_close(cached, model(**batch()).logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_learns_until_frozen(variant: dict[str, Any]) -> None:
    model = classifier(**variant).train()
    model(**batch(), labels=torch.tensor([0, 1, 2])).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.zero_grad()
    model.freeze_bilm()
    model.train()
    assert (model.elmo.training, model.elmo.bilm.training, model.mix.training) == (False, False, True)
    model(**batch(), labels=torch.tensor([0, 1, 2])).loss.backward()
    assert all(parameter.grad is None for parameter in model.elmo.parameters())
    assert all(parameter.grad is not None for parameter in model.classifier.parameters())
    model.freeze_bilm(False)
    assert model.elmo.training
    assert all(parameter.requires_grad for parameter in model.elmo.parameters())


def test_loss_is_cross_entropy_plus_the_penalty_of_the_mix() -> None:
    model = classifier(mix_normalize=False, mix_l2=0.3)
    labels = torch.tensor([0, 1, 2])
    output = model(**batch(), labels=labels)
    expected = torch.nn.functional.cross_entropy(output.logits, labels) + 0.3 * 3 * (1 / 3) ** 2
    torch.testing.assert_close(output.loss, expected)


def test_other_kinds_of_labels() -> None:
    several = classifier()(**batch(), labels=torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 1]]))
    assert 0.3 < several.loss < 1.5
    torch.manual_seed(0)
    value = ElmoForSequenceClassification(ElmoConfig.preset("tiny", num_labels=1)).eval()
    output = value(**batch(), labels=torch.tensor([0.5, 1.0, 2.0]))
    torch.testing.assert_close(output.loss, (output.logits[:, 0] - torch.tensor([0.5, 1.0, 2.0])).square().mean())


@pytest.mark.parametrize("variant", VARIANTS)
def test_saved_loaded_and_run_in_a_pipeline(variant: dict[str, Any], tmp_path: Path) -> None:
    labels = {0: "world", 1: "sport", 2: "trade"}
    model = classifier(**variant, id2label=labels, label2id={name: number for number, name in labels.items()})
    model.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert isinstance(loaded, ElmoForSequenceClassification)
    weights = model.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in loaded.state_dict().items())
    torch.testing.assert_close(loaded(**batch()).logits, model(**batch()).logits, rtol=0, atol=1e-6)
    expected = model(**batch()).logits.softmax(dim=1).max(dim=1)
    answers = pipeline("text-classification", model=str(tmp_path))(TEXTS)
    assert [answer["label"] for answer in answers] == [labels[int(index)] for index in expected.indices]
    assert [answer["score"] for answer in answers] == pytest.approx(expected.values.tolist(), abs=1e-5)


def test_a_new_head_on_a_pretrained_bilm(tmp_path: Path) -> None:
    torch.manual_seed(1)
    bilm = ElmoModel(ElmoConfig.preset("tiny"))
    bilm.save_pretrained(tmp_path)
    model, found = cast(Any, ElmoForSequenceClassification).from_pretrained(
        tmp_path, num_labels=4, combine="frozen", output_loading_info=True
    )
    assert all(name.startswith(("mix.", "classifier.")) for name in found["missing_keys"])
    for name, tensor in bilm.state_dict().items():
        assert torch.equal(model.elmo.state_dict()[name], tensor), name
    assert model.mix.weights() == (pytest.approx([1 / 3] * 3), 1.0)
    assert (model.classifier.lstm.layers[0].bias[:, 2 * 128 : 3 * 128] == 1).all()  # gates o, i, f, g
    assert model.classifier.linear.weight.abs().max() > 0
    assert all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())


def test_trainer_learns_from_cached_layers(tmp_path: Path) -> None:
    torch.manual_seed(2)
    model = classifier(head_dropout=0.0)
    model.freeze_bilm()
    layers = torch.randn(16, 3, 4, 32)
    labels = torch.arange(16) % 2
    layers[labels == 1] += 1
    rows = [
        {"layers": layers[i], "attention_mask": torch.ones(4, dtype=torch.long), "labels": labels[i]} for i in range(16)
    ]
    arguments = TrainingArguments(
        output_dir=str(tmp_path), max_steps=40, per_device_train_batch_size=8, learning_rate=0.02, report_to=[],
        use_cpu=True, disable_tqdm=True, save_strategy="no", logging_strategy="no",
    )  # fmt: skip
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)  # type: ignore[arg-type]
    trainer.train()
    model.eval()
    logits = model(layers=layers, attention_mask=torch.ones(16, 4)).logits
    assert (logits.argmax(dim=1) == labels).all()


def test_mistakes_are_named() -> None:
    model = classifier()
    layers = torch.zeros(2, 3, 4, 32)
    with pytest.raises(ValueError, match="either char_ids or layers"):
        model()
    with pytest.raises(ValueError, match="either char_ids or layers"):
        model(**batch(), layers=layers)
    with pytest.raises(ValueError, match="layers needs an attention_mask"):
        model(layers=layers)
    with pytest.raises(ValueError, match=r"layers is \(2, 2, 4, 32\); expected \(sentences, 3, words, 32\)"):
        model(layers=layers[:, :2], attention_mask=torch.ones(2, 4))


def test_static_vectors_stand_beside_the_mix() -> None:
    model = classifier(n_static_words=3, static_dim=4)
    model.static.set_vectors(torch.tensor([[1.0, 2, 3, 4], [-1, -2, -3, -4]]))  # type: ignore[union-attr]
    rows = JoinedRows(ByteRows(), {"The": 0, "bank": 1})
    tokens = dict(ElmoTokenizer(word_rows=rows)(TEXTS, padding=True, return_tensors="pt"))
    words, mask = model.mixed(tokens["char_ids"], tokens["attention_mask"], None)
    hidden = model.elmo(tokens["char_ids"][..., :-1], tokens["attention_mask"])
    torch.testing.assert_close(words[..., :32], model.mix(hidden.hidden_states, hidden.mask))
    beside = words[0, :3, 32:]  # The bank of
    torch.testing.assert_close(
        beside, torch.tensor([[1.0, 2, 3, 4], [-1, -2, -3, -4], [0, 0, 0, 0]]) / 2.9277, atol=1e-4, rtol=0
    )
    assert not words[~mask].any()
    layers = torch.stack(hidden.hidden_states, dim=1)
    inputs = {"layers": layers, "attention_mask": tokens["attention_mask"]}
    cached = model(**inputs, static_ids=tokens["char_ids"][..., -1]).logits
    torch.testing.assert_close(cached, model(**tokens).logits, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=r"layers needs static_ids \(3, 6\)"):
        model(**inputs)
    with pytest.raises(ValueError, match="the last 1 for what is next to the biLM"):
        model(**batch())
    model.train()(**tokens, labels=torch.tensor([0, 1, 2])).loss.backward()
    table: Any = model.static
    assert table.weight.grad is None
    table.requires_grad_()
    model(**tokens, labels=torch.tensor([0, 1, 2])).loss.backward()
    assert table.weight.grad[1:].abs().sum() > 0
    assert not table.weight.grad[0].any()  # the unknown word stays zero
