"""`ElmoForTranslation`: a translator, as transformers sees it."""

from __future__ import annotations

from typing import Unpack

import torch
from torch import Tensor
from transformers.modeling_outputs import Seq2SeqLMOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.nn.beam_search import Hypothesis, LengthNorm
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.decoder import AttentiveDecoder
from elmokit.nn.heads.mixed import TextInputs
from elmokit.nn.heads.translation import TranslationNetwork
from elmokit.text.sentence_pieces import END


class ElmoForTranslation(ElmoMixedModel):  # type: ignore[no-untyped-call]
    """A biLM, a layer mix, a BiLSTM and an attentive LSTM decoder."""

    network: TranslationNetwork
    lstm: BiLSTM
    decoder: AttentiveDecoder

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.wrap(TranslationNetwork(config))

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """One sentence of one (empty) word and an empty translation, for tools that trace a model."""
        return {**super().dummy_inputs, "labels": torch.full((1, 1), END)}

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
    ) -> Seq2SeqLMOutput:
        """The loss, and outside of training the scores (B, T, V); see `TranslationNetwork.forward`."""
        found = self.network(char_ids, attention_mask, labels, layers, static_ids)
        return Seq2SeqLMOutput(loss=found.loss, logits=found.logits)

    def loss(self, labels: Tensor | None = None, **inputs: Unpack[TextInputs]) -> Tensor:
        """See `TranslationNetwork.loss`."""
        return self.network.loss(labels, **inputs)

    def translate(
        self,
        *,
        beam: int = 5,
        norm: LengthNorm = "gnmt",
        power: float = 1.0,
        max_ratio: float = 3.0,
        **inputs: Unpack[TextInputs],
    ) -> list[list[Hypothesis]]:
        """See `TranslationNetwork.translate`."""
        return self.network.translate(beam=beam, norm=norm, power=power, max_ratio=max_ratio, **inputs)
