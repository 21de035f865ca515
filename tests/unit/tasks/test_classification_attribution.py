"""What carried a label: completeness of integrated gradients, occlusion against shorter texts, layers alone."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoTokenizer
from elmokit.tasks.classification.attribution import each_layer_alone, integrated_gradients, occlusion
from elmokit.tasks.classification.predict import Classifier
from elmokit.text.word_rows import ByteRows, JoinedRows

TEXT = "The bank of the river was wet ."


def classifier(**overrides: Any) -> Classifier:
    torch.manual_seed(5)
    labels = dict(enumerate(["a", "b", "c"]))
    config = ElmoConfig.preset("tiny", num_labels=3, id2label=labels, head_hidden_dim=8, **overrides)
    model = ElmoForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return Classifier(cast(Any, model), ElmoTokenizer())


def with_static(found: Classifier) -> Classifier:
    numbers = {word: number for number, word in enumerate(["bank", "river"])}
    cast(Any, found.tokenizer).word_rows = JoinedRows(ByteRows(), numbers)
    return found


def logits(found: Classifier, text: str) -> np.ndarray:
    probabilities = {label: p for label, p in found.predict([text])[0]}
    return np.log([probabilities[label] for label in found.labels])  # but for a constant


@pytest.mark.parametrize("pooling", ["concat", "mean", "last", "attention", "max"])
def test_integrated_gradients_sum_to_the_difference_of_logits(pooling: str) -> None:
    found = classifier(pooling=pooling)
    for label in found.labels:
        each = integrated_gradients(found, TEXT, label=label)
        assert each.words == TEXT.split()
        assert abs(each.gap) < 0.02 * max(1.0, np.abs(each.scores).sum())
    values = [integrated_gradients(found, TEXT, label=label).logit for label in found.labels]
    np.testing.assert_allclose(np.diff(values), np.diff(logits(found, TEXT)), atol=1e-4)
    assert integrated_gradients(found, TEXT).label == found.predict([TEXT])[0][0].label


def test_integrated_gradients_of_a_linear_head_are_exact() -> None:
    """A head that is a mean and a linear layer gives each word its own share."""
    found = classifier()
    weight = torch.randn(found.model.word_dim, 3)

    class Linear(torch.nn.Module):
        def forward(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return words.mean(dim=1) @ weight

    found.model.classifier = Linear()  # type: ignore[assignment]
    each = integrated_gradients(found, TEXT, label="b", steps=3)
    inputs = found.tokenizer([TEXT], return_tensors="pt")
    with torch.no_grad():
        words, _ = found.model.mixed(inputs["char_ids"], inputs["attention_mask"], None)
    np.testing.assert_allclose(each.scores, (words[0] @ weight[:, 1]).numpy() / words.shape[1], atol=1e-5)


def test_static_vectors_are_part_of_the_path() -> None:
    found = with_static(classifier(n_static_words=3, static_dim=4))
    assert abs(integrated_gradients(found, TEXT).gap) < 0.02
    assert len(each_layer_alone(found, TEXT)) == found.model.config.n_layers + 1


def test_occlusion_takes_words_out() -> None:
    found = classifier()
    each = occlusion(found, TEXT, label="b")
    words = TEXT.split()
    for place, score in enumerate(each.scores):
        shorter = " ".join(words[:place] + words[place + 1 :])
        assert score == pytest.approx(each.logit - integrated_gradients(found, shorter, label="b").logit, abs=1e-4)
    assert occlusion(found, "bank").scores.shape == (1,)
    with pytest.raises(ConfigError, match="unknown label 'z'; expected one of: a, b, c"):
        occlusion(found, TEXT, label="z")


@pytest.mark.parametrize("variant", [{}, {"mix_normalize": False}, {"combine": "frozen"}])
def test_each_layer_alone_is_a_model_with_all_weight_there(variant: dict[str, Any]) -> None:
    found = classifier(**variant)
    answers = each_layer_alone(found, TEXT)
    before = found.predict([TEXT])
    for layer, labels in enumerate(answers):
        other = classifier(**variant)
        total = float(other.model.mix.w.detach().sum())
        with torch.no_grad():
            other.model.mix.w.fill_(-1e9 if other.model.mix.normalize else 0.0)
            other.model.mix.w[layer] = 0.0 if other.model.mix.normalize else total
        (expected,) = other.predict([TEXT])
        assert [label for label, _ in labels] == [label for label, _ in expected]
        np.testing.assert_allclose([p for _, p in labels], [p for _, p in expected], rtol=1e-4)
    assert found.predict([TEXT]) == before


def test_a_function_of_the_layers_sees_the_others_as_zero() -> None:
    found = classifier(combine="function")
    answers = each_layer_alone(found, TEXT)
    assert len(answers) == found.model.config.n_layers + 1
    assert answers[0] != answers[-1]
