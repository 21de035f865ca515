"""`TranslationNetwork`: a BiLSTM over the mixed layers of a biLM and an attentive decoder that writes pieces."""

from __future__ import annotations

from typing import NamedTuple, Unpack

import torch
from torch import Tensor
from torch.nn import functional

from elmokit.nn.beam_search import Hypothesis, LengthNorm, beam_search
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.decoder import AttentiveDecoder, Memory
from elmokit.nn.dropout import Dropout
from elmokit.nn.heads.mixed import MixedNetwork, TextInputs, refuse_left_padding
from elmokit.nn.heads.shapes import TranslationShape
from elmokit.text.sentence_pieces import BEGIN, END

IGNORED = -100
"""A label of the padding, as in transformers."""
_LOSS_ROWS = 2048  # scores of 40 MB at 5,000 pieces


class PieceScores(NamedTuple):
    """The loss, and outside of training the scores (B, T, V) of every piece at every place."""

    loss: Tensor
    logits: Tensor | None


class TranslationNetwork(MixedNetwork):
    """A biLM, a layer mix, a BiLSTM and an attentive LSTM decoder (Luong et al. 2015).

    The source is words, as every model here reads them; the target is pieces (`elmokit.text.sentence_pieces`).
    """

    config: TranslationShape

    def __init__(self, config: TranslationShape) -> None:
        super().__init__(config)
        self.dropout = Dropout(config.head_dropout)
        self.lstm = BiLSTM(
            input_dim=self.word_dim,
            hidden_dim=config.head_hidden_dim,
            n_layers=config.head_layers,
            dropout=config.head_dropout,
        )
        self.decoder = AttentiveDecoder(
            n_pieces=max(config.n_target_pieces, END + 1),
            dim=config.target_dim,
            hidden_dim=config.decoder_hidden_dim,
            n_layers=config.decoder_layers,
            memory_dim=2 * config.head_hidden_dim,
            dropout=config.head_dropout,
        )

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
    ) -> PieceScores:
        """The loss, and outside of training the scores (B, T, V) of every piece at every place, zero in the padding.

        Args:
            char_ids: (B, W, L) as from `ElmoTokenizer`, padded at the right.
            attention_mask: (B, W), 1 where a word stands; needed with `layers`.
            labels: (B, T) pieces of the translations, each with its end marker; -100 in the padding, at the right. The
                decoder reads them one place later, behind the begin marker.
            layers: (B, n_layers + 1, W, 2P), token layer first: used instead of `char_ids`.
            static_ids: (B, W) with `layers`, in a model with static vectors: their numbers, 0 for unknown words.

        Returns:
            The loss is the mean cross-entropy a piece, in training with `label_smoothing` (Szegedy et al. 2016).

        Raises:
            ValueError: No labels, wrong inputs, or padding at the left.
        """
        rows, pieces, places = self._rows(
            labels, char_ids=char_ids, attention_mask=attention_mask, layers=layers, static_ids=static_ids
        )
        scores = self.decoder.table.scores(rows).float()  # (N, V)
        smoothing = self.config.label_smoothing if self.training else 0.0
        loss = functional.cross_entropy(scores, pieces, label_smoothing=smoothing)
        logits = None
        if labels is not None and not self.training:
            flat = scores.new_zeros(labels.numel(), scores.shape[1]).index_copy(0, places, scores)
            logits = flat.view(*labels.shape, -1)
        return PieceScores(loss=loss + self.mix.penalty(), logits=logits)

    @torch.no_grad()
    def loss(self, labels: Tensor | None = None, **inputs: Unpack[TextInputs]) -> Tensor:
        """The loss of `forward` without label smoothing, in the memory of a few thousand pieces' scores."""
        rows, pieces, _ = self._rows(labels, **inputs)
        parts = [
            functional.cross_entropy(self.decoder.table.scores(part).float(), wanted, reduction="sum")
            for part, wanted in zip(torch.split(rows, _LOSS_ROWS), torch.split(pieces, _LOSS_ROWS), strict=True)
        ]
        return torch.stack(parts).sum() / len(pieces) + self.mix.penalty()

    @torch.no_grad()
    def translate(
        self,
        *,
        beam: int = 5,
        norm: LengthNorm = "gnmt",
        power: float = 1.0,
        max_ratio: float = 3.0,
        **inputs: Unpack[TextInputs],
    ) -> list[list[Hypothesis]]:
        """The best translations of each sentence, at most `beam`, the best first; see `beam_search`.

        Args:
            beam, norm, power: See `beam_search`.
            max_ratio: A translation has at most ten pieces more than this times the words of its sentence.
            inputs: As in `forward`.
        """
        memory, last = self._read(**inputs)

        def step(pieces: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
            return self.decoder.step(pieces, state, memory)

        limits = [int(max_ratio * words) + 10 for words in memory.mask.sum(dim=1).tolist()]
        return beam_search(
            step, self.decoder.start(last), begin=BEGIN, end=END, beam=beam, max_lengths=limits, norm=norm, power=power
        )

    def _rows(self, labels: Tensor | None, **inputs: Unpack[TextInputs]) -> tuple[Tensor, Tensor, Tensor]:
        """What the softmax reads (N, E) of every piece, the piece (N,), and its place (N,) in the flattened labels."""
        if labels is None:
            raise ValueError("Expected labels: to translate, call `translate`.")
        real = labels != IGNORED  # (B, T)
        if bool((real[:, 1:] > real[:, :-1]).any()) or not bool(real.all(dim=0)[:1].all()):
            raise ValueError(f"Expected the pieces of every translation, then {IGNORED} in its padding.")
        memory, last = self._read(**inputs)
        read = torch.cat([labels.new_full((len(labels), 1), BEGIN), labels[:, :-1].where(real[:, :-1], END)], dim=1)
        rows, places = self.decoder(read, real.sum(dim=1).tolist(), memory, last)
        return rows, labels.flatten()[places], places

    def _read(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
    ) -> tuple[Memory, Tensor]:
        """What the decoder looks at, and the last states (B, 2H) of the source."""
        words, mask = self.mixed(char_ids, attention_mask, layers, static_ids)
        refuse_left_padding(mask)
        states, last = self.lstm(self.dropout(words), mask.sum(dim=1).tolist())
        return Memory(self.dropout(states), mask), last
