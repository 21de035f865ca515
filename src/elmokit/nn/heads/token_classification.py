"""`TokenClassificationNetwork`: a BiLSTM over the mixed layers of a biLM and a CRF, one tag a word."""

from __future__ import annotations

from typing import NamedTuple, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.crf import LinearChainCRF
from elmokit.nn.distinct import distinct_rows
from elmokit.nn.dropout import Dropout
from elmokit.nn.heads.mixed import MixedNetwork, TextInputs, refuse_left_padding
from elmokit.nn.heads.shapes import TokenClassificationShape
from elmokit.nn.sentence_groups import SentenceGroups
from elmokit.text.word_rows import SPELLING_WIDTH

IGNORED = -100
"""A label of words that have none, as in transformers."""


class Tagged(NamedTuple):
    """`logits` (B, W, K), and the loss where labels were given."""

    loss: Tensor | None
    logits: Tensor


class TaggerInputs(TextInputs, total=False):
    """What a tagger reads of sentences; shapes are those of its `forward`."""

    spelling: Tensor | None
    sentence_ids: Tensor | None


class TokenClassificationNetwork(MixedNetwork):
    """A biLM, a layer mix, a BiLSTM and a linear-chain CRF (Peters et al. 2018, §4; Lample et al. 2016).

    With `config.char_features` a char CNN of its own reads every word's bytes, too; its maxima are next to the mix. It
    has tanh filters, whose initialisation suits features that nothing follows but the BiLSTM.

    `config.mix_at` says which layer of the BiLSTM reads the mix.

    The tags are `config.id2label`. What may follow what is set by `allow`, and is saved with the weights.
    """

    config: TokenClassificationShape

    def __init__(self, config: TokenClassificationShape) -> None:
        super().__init__(config)
        self.num_labels = len(config.labels)
        self.spelling = None
        if config.char_features:
            self.spelling = CharCNN(
                filters=[[3, config.char_features]], n_highway=0, projection_dim=None, activation="tanh"
            )
        self.dropout = Dropout(config.head_dropout)
        mix = config.hidden_size
        self.lstm = BiLSTM(
            input_dim=self.word_dim + config.char_features - (mix if config.mix_at == "between" else 0),
            hidden_dim=config.head_hidden_dim,
            n_layers=config.head_layers,
            between_dim=0 if config.mix_at == "input" else mix,
            dropout=config.head_dropout,
        )
        self.classifier = nn.Linear(2 * config.head_hidden_dim, self.num_labels)
        self.crf = LinearChainCRF(self.num_labels)

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
        spelling: Tensor | None = None,
        sentence_ids: Tensor | None = None,
        input_ids: Tensor | None = None,
    ) -> Tagged:
        """Scores (B, W, K) of every tag at every word, and the loss where labels are given.

        Args:
            char_ids: (B, W, L) as from `ElmoTokenizer`, padded at the right.
            attention_mask: (B, W), 1 where a word stands; needed with `layers`.
            labels: (B, W) tag numbers; -100 in the padding.
            layers: (B, n_layers + 1, W, 2P), token layer first: used instead of `char_ids`.
            static_ids: (B, W) with `layers`, in a model with static vectors: their numbers, 0 for unknown words.
            spelling: (B, W, 50) with `layers`, in a model with char features: bytes as of `elmokit.text.char_ids`.
            sentence_ids: (B, W), where a row is several sentences that the biLM reads as one: neighbours with one
                number are a sentence, and BiLSTM and CRF see it alone.
            input_ids: Not read: transformers' token-classification pipeline passes them along.

        Returns:
            In training the scores are those before the CRF, else the CRF's max-marginals, whose best tags are those of
            `decode`. The loss is the negative log-likelihood of the CRF a sentence, averaged over sentences that have
            words.

        Raises:
            ValueError: Wrong inputs, padding at the left, or a word without a label.
        """
        scores, mask, groups = self._scores(char_ids, attention_mask, layers, static_ids, spelling, sentence_ids)
        loss = None
        if labels is not None:
            labels = labels if groups is None else groups.apart(labels)
            if bool((labels[mask] == IGNORED).any()):
                raise ValueError(f"A word has the label {IGNORED}: the CRF needs a tag for every word.")
            likelihood = self.crf(scores.float(), labels.where(mask, 0), mask)
            loss = -likelihood.sum() / mask.any(dim=1).sum().clamp_min(1) + self.mix.penalty()
        if not self.training:
            scores = self.crf.max_marginals(scores.float(), mask).to(scores.dtype)
        return Tagged(loss=loss, logits=scores if groups is None else groups.together(scores))

    @torch.no_grad()
    def decode(self, **inputs: Unpack[TaggerInputs]) -> list[list[int]]:
        """The best tag numbers of each row. Arguments as in `forward`."""
        scores, mask, groups = self._scores(**inputs)
        found = self.crf.decode(scores.float(), mask)
        return found if groups is None else groups.listed(found)

    def allow(self, steps: Tensor, start: Tensor, end: Tensor) -> None:
        """What may follow what: (K, K), (K,), (K,) bool, as from `elmokit.tasks.tagging.schemes.allowed_steps`."""
        self.crf.allow(steps, start, end)

    def _scores(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
        spelling: Tensor | None = None,
        sentence_ids: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, SentenceGroups | None]:
        """Scores (S, W, K) before the CRF, their mask (S, W), and how rows of several sentences lie."""
        mix, static, mask = self.mixed_apart(char_ids, attention_mask, layers, static_ids)
        read = [] if self.config.mix_at == "between" else [mix]
        if static is not None:
            read.append(static)
        if self.spelling is not None:
            spelling = spelling if char_ids is None else char_ids[..., -SPELLING_WIDTH:]
            shape = (*mask.shape, SPELLING_WIDTH)
            if spelling is None or spelling.shape != shape:
                raise ValueError(f"This model has char features: layers needs spelling {shape} with them.")
            rows = spelling[mask]
            picks, inverse = distinct_rows(rows)  # each word is computed once
            computed = functional.embedding(inverse, self.spelling(rows[picks]))
            char_features = computed.new_zeros(*mask.shape, computed.shape[1])  # (B, W, F), zero in the padding
            read.append(char_features.masked_scatter(mask.unsqueeze(-1), computed).to(mix.dtype))
        refuse_left_padding(mask)
        features = torch.cat(read, dim=-1)
        groups = None
        if sentence_ids is not None:
            groups = SentenceGroups.of(sentence_ids, mask)
            features, mix, mask = groups.apart(features), groups.apart(mix), groups.mask
        if not mask.shape[1]:
            return mix.new_zeros(len(mix), 0, self.num_labels), mask, groups
        states, _ = self.lstm(
            self.dropout(features), mask.sum(dim=1).tolist(), between=None if self.config.mix_at == "input" else mix
        )
        scores: Tensor = self.classifier(self.dropout(states))
        return scores, mask, groups
