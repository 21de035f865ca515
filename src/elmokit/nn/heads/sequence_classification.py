"""`SequenceClassificationNetwork`: a BiLSTM over the mixed layers of a biLM, one label (or value) a text."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.dropout import Dropout
from elmokit.nn.heads.mixed import MixedNetwork, words_first
from elmokit.nn.heads.shapes import SequenceClassificationShape
from elmokit.nn.heads.standardized import StandardizedTarget

Pooling = Literal["concat", "max", "mean", "last", "attention"]


class Classified(NamedTuple):
    """`logits` (B, K), and the loss where labels were given."""

    loss: Tensor | None
    logits: Tensor


class SentenceClassifier(nn.Module):
    """Word vectors (B, W, D) to logits (B, K): BiLSTM over the true length, pooling, one linear layer.

    The default pooling lays maximum, mean and the two last states side by side. Each sees what the others miss: the
    maximum finds one telling word in a long text, the mean what the text is about, the last states its order. The
    linear layer chooses among them for a few hundred weights a label: no new task needs its pooling chosen.
    """

    def __init__(
        self, *, input_dim: int, hidden_dim: int, n_layers: int, n_labels: int, pooling: Pooling, dropout: float
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = Dropout(dropout)
        self.lstm = BiLSTM(input_dim=input_dim, hidden_dim=hidden_dim, n_layers=n_layers, dropout=dropout)
        self.attention = nn.Linear(2 * hidden_dim, 1) if pooling == "attention" else None
        self.linear = nn.Linear((6 if pooling == "concat" else 2) * hidden_dim, n_labels)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """words (B, W, D), mask (B, W) bool with the words first, to (B, K). A text without words is a zero vector."""
        # An LSTM cannot pack length 0: such a text gets one word, the zero vector already in its place.
        if mask.shape[1] == 0:
            words, mask = words.new_zeros(len(words), 1, words.shape[2]), mask.new_ones(len(mask), 1)
        first = torch.zeros_like(mask)
        first[:, 0] = True
        mask = mask | (first & ~mask.any(dim=1, keepdim=True))
        states, last = self.lstm(self.dropout(words), mask.sum(dim=1).tolist())  # (B, W, 2H), (B, 2H)
        real = mask.unsqueeze(-1)  # (B, W, 1)
        pooled: list[Tensor] = []
        if self.attention is not None:
            scores = self.attention(states).masked_fill(~real, -torch.inf)
            pooled.append((states * scores.softmax(dim=1)).sum(dim=1))
        if self.pooling in ("max", "concat"):
            pooled.append(states.masked_fill(~real, -torch.inf).amax(dim=1))
        if self.pooling in ("mean", "concat"):
            pooled.append(states.sum(dim=1) / real.sum(dim=1))  # the padding is zero
        if self.pooling in ("last", "concat"):
            pooled.append(last)
        logits: Tensor = self.linear(self.dropout(torch.cat(pooled, dim=1)))
        return logits


class SequenceClassificationNetwork(StandardizedTarget, MixedNetwork):
    """A biLM, a layer mix and a `SentenceClassifier`.

    Attributes:
        class_weights: (K,) weights of the labels in the loss; of several labels a text, those of their presence. They
            are not saved.
    """

    config: SequenceClassificationShape
    class_weights: Tensor | None = None

    def __init__(self, config: SequenceClassificationShape) -> None:
        super().__init__(config)
        self.classifier = SentenceClassifier(
            input_dim=self.word_dim,
            hidden_dim=config.head_hidden_dim,
            n_layers=config.head_layers,
            n_labels=len(config.labels),
            pooling=config.pooling,
            dropout=config.head_dropout,
        )
        if config.problem_type == "regression":
            self.keep_target_scale()

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
    ) -> Classified:
        """Logits (B, K), and the loss where labels are given.

        Args:
            char_ids: (B, W, L) as from `ElmoTokenizer`.
            attention_mask: (B, W), 1 where a word stands; needed with `layers`.
            labels: (B,) class numbers; (B, K) numbers for several labels at once; (B,) values when there is one label.
            layers: (B, n_layers + 1, W, 2P), token layer first, of any float type: used instead of `char_ids`.
            static_ids: (B, W) with `layers`, in a model with static vectors: their numbers, 0 for unknown words.

        Raises:
            ValueError: Neither or both of `char_ids` and `layers`, `layers` without a mask or of another shape.
        """
        words, mask = words_first(*self.mixed(char_ids, attention_mask, layers, static_ids))
        logits = self.outputs(words, mask)
        if labels is None:
            return Classified(loss=None, logits=logits)
        kind = self.config.problem_type
        weights = None if self.class_weights is None else self.class_weights.to(logits.device)
        if kind == "regression":
            loss = self.squared_error(logits, labels)
        elif kind is None and logits.shape[1] == 1:
            loss = functional.mse_loss(logits.float().view(-1), labels.float().view(-1))
        elif kind == "multi_label_classification" or (kind is None and labels.is_floating_point()):
            loss = functional.binary_cross_entropy_with_logits(logits.float(), labels.float(), pos_weight=weights)
        else:
            loss = functional.cross_entropy(logits.float(), labels.view(-1), weight=weights)
        return Classified(loss=loss + self.mix.penalty(), logits=logits)

    def outputs(self, words: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, K) of mixed words (B, W, D) with the words first and their mask (B, W); for regression values."""
        logits: Tensor = self.classifier(words, mask)
        return self.in_units(logits) if self.config.problem_type == "regression" else logits
