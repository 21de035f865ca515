"""`ElmoForTokenClassification`: one tag a word, as transformers sees it."""

from __future__ import annotations

from typing import Unpack

from torch import Tensor
from transformers.modeling_outputs import TokenClassifierOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.nn.crf import LinearChainCRF
from elmokit.nn.heads.token_classification import TaggerInputs, TokenClassificationNetwork


class ElmoForTokenClassification(ElmoMixedModel):  # type: ignore[no-untyped-call]
    """A biLM, a layer mix, a BiLSTM and a linear-chain CRF.

    The tags are `config.id2label`. What may follow what is set by `allow`, and is saved with the weights.
    """

    network: TokenClassificationNetwork
    crf: LinearChainCRF

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.num_labels = len(config.labels)
        self.wrap(TokenClassificationNetwork(config))

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
    ) -> TokenClassifierOutput:
        """Scores (B, W, K) of every tag at every word, and the loss; see `TokenClassificationNetwork.forward`.

        `input_ids` are not read: transformers' token-classification pipeline passes them along.
        """
        found = self.network(char_ids, attention_mask, labels, layers, static_ids, spelling, sentence_ids)
        return TokenClassifierOutput(loss=found.loss, logits=found.logits)

    def decode(self, **inputs: Unpack[TaggerInputs]) -> list[list[int]]:
        """The best tag numbers of each row. Arguments as in `forward`."""
        return self.network.decode(**inputs)

    def allow(self, steps: Tensor, start: Tensor, end: Tensor) -> None:
        """See `TokenClassificationNetwork.allow`."""
        self.network.allow(steps, start, end)
