"""Why a classifier said so: which words carried the label, and what each layer alone would have said."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.errors import ConfigError
from elmokit.nn.heads.sequence_classification import SequenceClassificationNetwork
from elmokit.tasks.classification.predict import Classifier, Label
from elmokit.tasks.inputs.batches import CharDataset
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.trained import logits_of

_STEPS_AT_ONCE = 16


@dataclass(frozen=True)
class Attribution:
    """What each word did to the logit of a label.

    Attributes:
        label: The label.
        words: The words that the classifier read.
        scores: (words,) in logits; above 0 speaks for the label.
        logit: Of the label, with all words.
        baseline: Of the label, without any.
    """

    label: str
    words: list[str]
    scores: NDArray[np.float64]
    logit: float
    baseline: float

    @property
    def gap(self) -> float:
        """What the scores leave unexplained of `logit` − `baseline`: for integrated gradients near 0."""
        return self.logit - self.baseline - float(self.scores.sum())


def integrated_gradients(
    classifier: Classifier, text: str, *, label: str | None = None, steps: int = 64
) -> Attribution:
    """Integrated gradients (Sundararajan et al. 2017) on the word vectors that the head reads.

    The path goes from vectors of zero, which is what the head reads where there is no word, to those of the text; it is
    walked at the nodes of Gauss and Legendre.

    Args:
        classifier: The classifier.
        text: Read as `Classifier.predict` reads it.
        label: Explained; by default the most likely.
        steps: Nodes of the path.

    Raises:
        ConfigError: The classifier has no such label.
    """
    model, tokens = classifier.model, classifier.tokens([text])
    with torch.no_grad():
        words, mask = model.mixed(*_inputs(model, tokens), None)  # (1, W, D), (1, W)
        ends = classifier.outputs(torch.cat([torch.zeros_like(words), words]), mask.expand(2, -1)).float()  # (2, K)
    number = _number(classifier, label, ends[1])
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    gradient = torch.zeros_like(words[0], dtype=torch.float64)  # (W, D), mean along the path
    for start in range(0, steps, _STEPS_AT_ONCE):
        part = slice(start, start + _STEPS_AT_ONCE)
        along = torch.from_numpy((nodes[part] + 1) / 2).to(words)[:, None, None]
        points = (along * words).requires_grad_()  # (s, W, D)
        with torch.enable_grad():
            logits = classifier.outputs(points, mask.expand(len(points), -1))[:, number]
        (found,) = torch.autograd.grad(logits.sum(), points)
        weight = torch.from_numpy(weights[part] / 2).to(gradient)
        gradient += (found.double() * weight[:, None, None]).sum(dim=0)
    scores = (gradient * words[0]).sum(dim=1).cpu().numpy()
    return Attribution(
        classifier.labels[number], tokens.words(0), scores, float(ends[1, number]), float(ends[0, number])
    )


def occlusion(classifier: Classifier, text: str, *, label: str | None = None) -> Attribution:
    """How far the logit falls when a word is taken out of the text: one more text a word goes through the whole model.

    Args and Raises as `integrated_gradients`.
    """
    tokens = classifier.tokens([text])
    words = tokens.words(0)
    shorter = [words[:place] + words[place + 1 :] for place in range(len(words))]
    texts = tokenize([words, [], *shorter], max_words=len(words), word_rows=classifier.tokenizer.word_rows)
    logits = logits_of(classifier.model, CharDataset(texts, rows=np.arange(len(texts))), batch_size=64)
    number = _number(classifier, label, torch.from_numpy(logits[0]))
    scores = (logits[0, number] - logits[2:, number]).astype(np.float64)
    return Attribution(classifier.labels[number], words, scores, float(logits[0, number]), float(logits[1, number]))


@torch.inference_mode()
def each_layer_alone(classifier: Classifier, text: str) -> list[list[Label]]:
    """What the classifier says when its mix gets one layer alone, the token layer first.

    All of the weight goes to that layer, so λ is 1 there, at the scale the head knows. A learned function of the layers
    sees the others as zero.
    """
    model = classifier.model
    char_ids, mask = _inputs(model, classifier.tokens([text]))
    layers, mask = model.hidden_layers(char_ids, mask, None)
    answers = []
    for number in range(len(layers)):
        mix = copy.deepcopy(model.mix)
        if mix.mode != "function":
            weights = torch.full_like(mix.w, -torch.inf if mix.normalize else 0.0)
            weights[number] = 0.0 if mix.normalize else mix.w.sum()
            mix.w.copy_(weights)
        seen = [layer if other == number else torch.zeros_like(layer) for other, layer in enumerate(layers)]
        words = mix(seen, mask)  # (1, W, D)
        if model.static is not None:
            beside = model.static(char_ids[..., model.config.row_width].where(mask, 0)).to(words.dtype)
            words = torch.cat([words, beside], dim=-1)
        answers += classifier.results(classifier.outputs(words, mask).float().cpu().numpy())
    return answers


def _inputs(model: SequenceClassificationNetwork, tokens: TokenizedTexts) -> tuple[Tensor, Tensor]:
    """char_ids (1, W, width) and mask (1, W) of one text."""
    batch = CharDataset(tokens, rows=np.arange(1)).texts(np.arange(1))
    return batch["char_ids"].to(model.device), batch["attention_mask"].to(model.device)


def _number(classifier: Classifier, label: str | None, logits: Tensor) -> int:
    if label is None:
        return int(logits.argmax())
    if label not in classifier.labels:
        raise ConfigError(f"unknown label {label!r}; expected one of: {', '.join(classifier.labels)}")
    return classifier.labels.index(label)
