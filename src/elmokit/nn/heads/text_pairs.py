"""`TextPairsNetwork`: ESIM (Chen et al. 2017) over the mixed layers of a biLM, one label or one number a pair."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.attention import masked_softmax
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.dropout import Dropout
from elmokit.nn.heads.mixed import MixedNetwork, refuse_left_padding
from elmokit.nn.heads.sequence_classification import Classified
from elmokit.nn.heads.shapes import SequenceClassificationShape
from elmokit.nn.heads.standardized import StandardizedTarget


class TextPairsNetwork(StandardizedTarget, MixedNetwork):
    """A biLM, a layer mix and an enhanced sequential inference model (ESIM).

    A BiLSTM reads both texts; each word is aligned softly with the words of the other text; what a word and its
    alignment have in common and apart is composed by a second BiLSTM; average and maximum over the words of both texts
    go to a hidden layer and the output. Numbers are learned in standard deviations of the training rows, which the
    network keeps (`target_mean`, `target_scale`).
    """

    config: SequenceClassificationShape

    def __init__(self, config: SequenceClassificationShape) -> None:
        super().__init__(config)
        hidden, both = config.head_hidden_dim, 2 * config.head_hidden_dim
        self.dropout = Dropout(config.head_dropout)
        self.reader = BiLSTM(input_dim=self.word_dim, hidden_dim=hidden, n_layers=1)
        self.projection = nn.Linear(4 * both, hidden)
        self.composition = BiLSTM(input_dim=hidden, hidden_dim=hidden, n_layers=1)
        self.hidden = nn.Linear(4 * both, hidden)
        self.output = nn.Linear(hidden, len(config.labels))
        self.keep_target_scale()

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
        second_char_ids: Tensor | None = None,
        second_attention_mask: Tensor | None = None,
        second_layers: Tensor | None = None,
        second_static_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> Classified:
        """Logits (B, K), or for regression values (B, 1), and the loss where labels are given.

        Args:
            char_ids: (B, V, L) the first texts as from the tokenizer, padded at the right.
            attention_mask: (B, V), 1 where a word stands; needed with `layers`.
            layers: (B, n_layers + 1, V, 2P), token layer first: used instead of `char_ids`.
            static_ids: (B, V) with `layers`, in a model with static vectors: their numbers, 0 for unknown words.
            second_char_ids, second_attention_mask, second_layers, second_static_ids: The second texts, likewise, with W
                words.
            labels: (B,) class numbers, or for regression values.

        Raises:
            ValueError: Wrong inputs, or padding at the left.
        """
        first, first_mask = self.read(char_ids, attention_mask, layers, static_ids)
        second, second_mask = self.read(second_char_ids, second_attention_mask, second_layers, second_static_ids)
        pairs = first_mask.unsqueeze(2) & second_mask.unsqueeze(1)  # (B, V, W)
        similarity = torch.bmm(first, second.transpose(1, 2))
        of_second = torch.bmm(masked_softmax(similarity, pairs), second)  # (B, V, 2H)
        of_first = torch.bmm(masked_softmax(similarity.transpose(1, 2), pairs.transpose(1, 2)), first)  # (B, W, 2H)
        pooled = torch.cat(
            [self._compose(first, of_second, first_mask), self._compose(second, of_first, second_mask)], dim=1
        )  # (B, 8H)
        output: Tensor = self.output(self.dropout(torch.tanh(self.hidden(self.dropout(pooled)))))  # (B, K)
        loss = None
        if self.config.problem_type == "regression":
            output = self.in_units(output)
            if labels is not None:
                loss = self.squared_error(output, labels)
        elif labels is not None:
            loss = functional.cross_entropy(output.float(), labels)
        return Classified(loss=None if loss is None else loss + self.mix.penalty(), logits=output)

    def read(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None, static_ids: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """States (B, W, 2H) of the BiLSTM that reads both texts, and the mask (B, W)."""
        words, mask = self.mixed(char_ids, mask, layers, static_ids)
        refuse_left_padding(mask)
        states, _ = self.reader(self.dropout(words), mask.sum(dim=1).tolist())
        return states, mask

    def _compose(self, own: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        """(B, 4H) average and maximum over the words of one text, each compared with what it is aligned with."""
        compared = torch.cat([own, other, own - other, own * other], dim=2)  # (B, W, 8H)
        words = torch.relu(self.projection(compared))
        states, _ = self.composition(self.dropout(words), mask.sum(dim=1).tolist())  # (B, W, 2H), zero in the padding
        real = mask.unsqueeze(2)
        mean = states.sum(dim=1) / real.sum(dim=1)
        return torch.cat([mean, states.masked_fill(~real, -torch.inf).amax(dim=1)], dim=1)
